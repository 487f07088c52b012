package blk

import (
	"blksim/aio"
	"blksim/blk/sched"
)

// A request is what waits in a hardware queue and goes to the driver as one: one
// bio, several that lie one behind the other (merge.go), or a piece of one. Its
// extent begins within its first bio and ends within its last. Requests come from
// a pool of the hardware queue, so a queue makes as many as it ever had at once.
type request struct {
	sched.Entry           // its extent; Op is what the bios asked for
	op          aio.Op    // what the driver is asked for
	flags       aio.Flags // of all its bios; FUA only if the driver does it
	zeroes      bool      // a write that stands in for WriteZeroes
	bios        bioList   // of a piece of a bio: that bio, which is in no list
	count       int       // bios
	buffers     int       // that they take
	given       bool      // the scheduler awaits a Done for it
	late        bool      // it came back because of its timeout, or of a reset
	unsure      bool      // and the device may have done it
	attempts    int       // how often it came back without being done
	place       place     // where it waits
	next, prev  *request  // in a requestList; next also in the pool
	byEnd       *request  // in the index of merges
	byOff       *request
	indexed     bool
}

// place is where a request is.
type place uint8

const (
	nowhere place = iota // with the driver, in the pool, or on its way
	inSched
	inFront // goes before what the scheduler has
	inUrgent
	inHeld      // the disk is frozen
	inFlushWait // the flush that still gathers bios
)

// getRequest takes a request from the pool.
func (h *hwQueue) getRequest() *request {
	r := h.pool
	if r == nil {
		r = &request{}
		r.Owner = r
		return r
	}
	h.pool = r.next
	r.next = nil
	return r
}

// putRequest gives back one whose bios have gone.
func (h *hwQueue) putRequest(r *request) {
	if r.given {
		r.given = false
		h.feedback.Done(&r.Entry, 0, h.lane.Now())
	}
	r.bios, r.count, r.buffers, r.attempts = bioList{}, 0, 0, 0
	r.place, r.prev, r.zeroes, r.flags, r.late, r.unsure = nowhere, nil, false, 0, false, false
	r.next = h.pool
	h.pool = r
}

// requestOf makes the request of one bio.
func (h *hwQueue) requestOf(b *bio) *request {
	r := h.getRequest()
	r.Op, r.Off, r.Len, r.Queued = b.op, b.off, b.size, b.arrival()
	r.op = b.op
	h.translate(r)
	if h.disk.limits.FUA {
		r.flags = b.flags & aio.FUA
	}
	r.bios.push(b)
	r.count, r.buffers = 1, h.disk.bounds.buffers(b.size)
	b.join()
	return r
}

// translate finds what the driver is asked for where it lacks the operation.
func (h *hwQueue) translate(r *request) {
	ops := h.disk.limits.Ops
	if r.op == aio.OpDiscard && !ops.Has(r.op) {
		r.op = aio.OpWriteZeroes
	}
	if r.op == aio.OpWriteZeroes && (h.noZeroes || !ops.Has(r.op)) {
		r.op, r.zeroes = aio.OpWrite, true
	}
}

// cutFront makes a request of the first n bytes of r, which carries a piece of
// one bio; r keeps the rest.
func (h *hwQueue) cutFront(r *request, n int64) *request {
	f := h.getRequest()
	f.Op, f.Off, f.Len, f.Queued = r.Op, r.Off, n, r.Queued
	f.op, f.flags, f.zeroes, f.attempts, f.unsure = r.op, r.flags, r.zeroes, r.attempts, r.unsure
	f.bios, f.count = r.bios, 1
	f.buffers = h.disk.bounds.buffers(n)
	r.Off += n
	r.Len -= n
	r.buffers = h.disk.bounds.buffers(r.Len)
	r.bios.head.parts++
	return f
}

// piece is the part of r's extent that lies in b.
func (r *request) piece(b *bio) (off, size int64) {
	off = max(r.Off, b.off)
	return off, min(r.Off+r.Len, b.end()) - off
}

// setWaits notes the request that r's bios wait in.
func (r *request) setWaits(to *request) {
	for b := r.bios.head; b != nil; b = b.next {
		b.waits = to
	}
}

// requestList is a FIFO of requests.
type requestList struct{ head, tail *request }

func (l *requestList) push(r *request) {
	r.next, r.prev = nil, l.tail
	if l.tail == nil {
		l.head = r
	} else {
		l.tail.next = r
	}
	l.tail = r
}

func (l *requestList) pushFront(r *request) {
	r.next, r.prev = l.head, nil
	if l.head == nil {
		l.tail = r
	} else {
		l.head.prev = r
	}
	l.head = r
}

func (l *requestList) remove(r *request) {
	if r.prev == nil {
		l.head = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next == nil {
		l.tail = r.prev
	} else {
		r.next.prev = r.prev
	}
	r.next, r.prev = nil, nil
}
