package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// completed takes back what Request.Complete was called for. A second completion is
// counted, and changes nothing.
func (h *hwQueue) completed(s *slot, q *driver.Request, st aio.Status, n int64) {
	switch {
	case q != &s.req || s.r == nil && !s.lost:
		h.stats.DoubleCompletes++
		return
	case s.lost:
		h.found(s)
		return
	}
	if st == aio.Busy {
		st = aio.IOError // Busy is an answer to Submit, not a way to end
	}
	h.taken(s)
	r, now := s.r, h.returning()
	h.stats.Completed[st]++
	if r.given && st == aio.OK {
		r.given = false
		h.feedback.Done(&r.Entry, now.Sub(s.sent), now)
	}
	if n = max(min(n, r.Len), 0); st != aio.OK && n == r.Len {
		n = 0 // it failed, so it was not all done: how much was, nobody knows
	}
	late := st != aio.OK && (h.resetting || s.timedOut && st == aio.Cancelled)
	again := late && !h.removed && r.attempts < h.disk.opts.Retries
	r.late, r.unsure = late, late && st != aio.Cancelled
	h.release(s, now)
	switch {
	case r.Op == aio.OpFlush:
		if again {
			h.again(r)
		} else {
			h.flushed(r, st)
		}
	case st == aio.OK && n == r.Len:
		h.settle(r, st, n)
	case st == aio.OK && n > 0 && n%int64(h.disk.limits.BlockSize) == 0, n > 0 && again:
		h.partly(r, n)
	case st == aio.OK:
		h.settle(r, aio.IOError, n) // nothing, or part of a block: it cannot go on from there
	case again:
		h.again(r)
	case h.fallBack(r, st):
	default:
		h.settle(r, st, n)
	}
	h.rerun()
}

var _ driver.Runner = (*hwQueue)(nil)

// again has r wait once more, since it was the block layer that had it cancelled,
// after its timeout, or had the device reset. Those of its bios that a user
// cancelled are not sent again: they end when its turn comes.
func (h *hwQueue) again(r *request) {
	r.attempts++
	h.stats.Retried++
	h.putBack(r)
}

// partly is the end of the first n bytes of r. The rest is sent again.
func (h *hwQueue) partly(r *request, n int64) {
	h.stats.Partial++
	border := r.Off + n
	for b := r.bios.head; b != nil && b.end() <= border && r.count > 1; b = r.bios.head {
		off, size := r.piece(b)
		r.bios.remove(b)
		r.count--
		r.Off += size
		r.Len -= size
		h.pieceEnded(b, off-b.off, size, aio.OK, size)
	}
	if b := r.bios.head; border > r.Off {
		// b's piece begins later now; what was before it is done.
		b.add(r.Off-b.off, border-r.Off, aio.OK, border-r.Off)
		r.Len -= border - r.Off
		r.Off = border
	}
	r.buffers = 0
	for b := r.bios.head; b != nil; b = b.next {
		_, size := r.piece(b)
		r.buffers += h.disk.bounds.buffers(size)
	}
	h.putBack(r)
}

// settle ends r, of which the first n bytes are done: all of it if st is OK.
func (h *hwQueue) settle(r *request, st aio.Status, n int64) {
	if st == aio.OK && r.count == 1 && r.bios.head.parts == 1 {
		// The usual case.
		b := r.bios.head
		off, size := r.piece(b)
		h.putRequest(r)
		h.pieceEnded(b, off-b.off, size, st, n)
		return
	}
	done := r.Off + n
	for b := r.bios.head; b != nil; {
		next := b.next
		off, size := r.piece(b)
		good := max(min(done-off, size), 0)
		ended := h.truth(r, b, st)
		if good == size {
			ended = aio.OK
		}
		h.pieceEnded(b, off-b.off, size, ended, good)
		b = next
	}
	h.putRequest(r)
}

// truth is how b ends if the driver ended its request r with st. What a timeout or
// a removal had cancelled, and no user, does not end as cancelled.
func (h *hwQueue) truth(r *request, b *bio, st aio.Status) aio.Status {
	switch {
	case st == aio.OK, st == aio.Cancelled && b.unwanted():
		return st
	case r.late:
		return aio.TimedOut
	case st == aio.Cancelled && h.removed:
		return aio.Gone
	}
	return st
}

// pieceEnded is the end of a piece of b, of size bytes from byte at on: n of them
// are done.
func (h *hwQueue) pieceEnded(b *bio, at, size int64, st aio.Status, n int64) {
	b.outcome.add(at, size, st, n)
	b.parts--
	if b.parts > 0 || h.flushesAfter(b) {
		return
	}
	st, n = b.outcome.result()
	h.end(b, st, n)
}

// end completes b. From here on it is its kiocb's slot's.
func (h *hwQueue) end(b *bio, st aio.Status, n int64) {
	h.unwatch(b)
	h.unkeep(b)
	var t aio.Times
	switch {
	case b.reached:
		t = aio.Times{Dispatched: b.dispatched, Returned: h.returned}
		if h.stages != nil {
			h.stages.returned(b, h.returned)
		}
	case st == aio.Cancelled:
		h.stats.Skipped++
		h.unstart(b)
	default:
		h.stats.Refused++
		h.unstart(b)
	}
	h.stats.Ended[st]++
	h.ended.Complete(b.k, st, n, t)
	h.publish()
}

// publish shows the reader what has ended, if no more is about to.
func (h *hwQueue) publish() {
	if !h.running && !h.inRun {
		h.ended.Flush()
	}
}

// ExpectRequest is of driver.Expecter.
func (h *hwQueue) ExpectRequest(q *driver.Request) {
	if b := h.slots[q.Tag].bio; b != nil {
		h.looked += b.k.Look() // so that the compiler does not leave it out
	}
}

// BeginRun is the beginning of a run of completions: they have one time.
func (h *hwQueue) BeginRun() {
	h.inRun = true
	h.returned = h.lane.Now()
}

// EndRun is the end of it.
func (h *hwQueue) EndRun() {
	h.inRun = false
	h.publish()
}

// returning is when the request that is being completed came back.
func (h *hwQueue) returning() lane.Time {
	if !h.inRun {
		h.returned = h.lane.Now()
	}
	return h.returned
}

// unstart takes back that b was started: no driver ever took any of it.
func (h *hwQueue) unstart(b *bio) {
	if b.started {
		b.dispatched = 0
		b.k.Requeue()
	}
}

// fallBack has a WriteZeroes that the driver refuses, although it says that it has
// the operation, sent as a write of zeroes; and all that follow.
func (h *hwQueue) fallBack(r *request, st aio.Status) bool {
	if st != aio.NotSupported || r.op != aio.OpWriteZeroes || !h.disk.limits.Ops.Has(aio.OpWrite) {
		return false
	}
	h.noZeroes = true
	r.op, r.zeroes = aio.OpWrite, true
	h.putBack(r)
	h.rerun()
	return true
}
