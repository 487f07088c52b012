package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// A slot is a tag with the request, or the plain bio, that has it. If it has neither
// the tag is free, or its request was given up.
//
// What a plain bio needs of it comes first, in two lines of the cache. A slot is three
// lines; see bio.
type slot struct {
	bio  *bio      // see plain.go
	sent lane.Time // when the driver got it
	slotState
	clock clock     // that runs for it
	one   [1][]byte // the bio's buffer
	req   driver.Request

	r      *request
	vec    [][]byte // its buffers
	waiter          // for its timeout
}

// slotState is what is noted about one use of a slot.
type slotState struct {
	counted    bool // taken did its part
	cancelSent bool
	timedOut   bool // and was therefore told to cancel it
	lost       bool // given up: the driver still has it
}

// dispatch gives r to the driver with the tag of s. ok: the driver took it. busy:
// it took nothing, and the queue must wait.
func (h *hwQueue) dispatch(r *request, s *slot) (ok, busy bool) {
	if !h.begin(r) {
		h.tags.put(s.req.Tag)
		return false, false
	}
	if n := h.disk.bounds.first(r); n < r.Len && r.Op != aio.OpFlush {
		rest := r
		r = h.cutFront(rest, n)
		h.putBack(rest)
		h.stats.Splits++
	}
	h.fill(s, r)
	now := h.lane.Now()
	s.r, s.sent, s.slotState = r, now, slotState{}
	h.stampDispatch(r, now)
	if h.timeouts.limit > 0 {
		h.timeouts.watch(s)
	}
	h.flight.change(now, 1)
	switch st := h.q.Submit(&s.req); {
	case st == aio.OK:
		if s.r == r { // else it completed in Submit
			h.taken(s)
			if h.can.Canceler != nil {
				h.watchAll(r)
			}
		}
		return true, false
	case st == aio.Busy:
		h.stats.Busy++
		h.release(s, now)
		h.undo(r)
		h.putBack(r)
		if h.flight.now == 0 {
			h.retry.Arm(h.retryDelay)
		}
		return false, true
	default:
		h.release(s, now)
		switch {
		case r.Op == aio.OpFlush:
			h.flushed(r, st)
		case !h.fallBack(r, st):
			h.settle(r, st, 0)
		}
		return false, false
	}
}

// begin starts the bios of r. Cancelled ones end here, and the driver does not see
// them; what lies behind one of them becomes a request of its own. It answers
// false if nothing is left.
func (h *hwQueue) begin(r *request) bool {
	if r == h.flushes.waiting {
		h.flushes.waiting = nil
	}
	for b := r.bios.head; b != nil; {
		next := b.next
		if b.start() {
			b = next
			continue
		}
		if r.Op == aio.OpFlush {
			h.leaveFlush(r, b)
			b = next
			continue
		}
		if b != r.bios.head && next != nil {
			rest := h.splitAt(r, next)
			h.putBack(rest)
			next = nil
		}
		h.dropPiece(r, b)
		b = next
	}
	if r.count > 0 {
		return true
	}
	h.emptied(r)
	return false
}

// emptied is the end of a request whose bios were all cancelled.
func (h *hwQueue) emptied(r *request) {
	if r.Op == aio.OpFlush {
		h.flushes.ended(h)
	}
	h.putRequest(r)
}

// splitAt makes a request of b, a bio in the middle of r, and all behind it.
func (h *hwQueue) splitAt(r *request, b *bio) *request {
	n := h.getRequest()
	n.Op, n.Queued, n.op, n.flags, n.zeroes, n.attempts, n.unsure = r.Op, r.Queued, r.op, r.flags, r.zeroes, r.attempts, r.unsure
	n.Off, n.Len = b.off, r.Off+r.Len-b.off
	r.Len -= n.Len
	n.bios.takeFrom(&r.bios, b)
	for m := n.bios.head; m != nil; m = m.next {
		n.count++
		n.buffers += h.disk.bounds.buffers(m.size)
	}
	r.count -= n.count
	r.buffers -= n.buffers
	return n
}

// dropPiece takes b out of r, where it is the first or the last, since it was
// cancelled, and ends it if nothing else of it is left. r waits nowhere.
func (h *hwQueue) dropPiece(r *request, b *bio) {
	off, size := r.piece(b)
	if b == r.bios.head {
		r.Off += size
	}
	r.Len -= size
	r.bios.remove(b)
	r.count--
	r.buffers -= h.disk.bounds.buffers(size)
	st := aio.Cancelled
	if r.unsure {
		st = aio.TimedOut // that it was not done cannot be said
	}
	h.pieceEnded(b, off-b.off, size, st, 0)
}

// fill makes the driver's request of r.
func (h *hwQueue) fill(s *slot, r *request) {
	q := &s.req
	q.Op, q.Off, q.Len, q.Bufs, q.FUA = r.op, r.Off, r.Len, nil, r.flags&aio.FUA != 0
	if r.Op == aio.OpFlush {
		q.Off, q.Len = 0, 0
	}
	if !r.op.HasData() {
		return
	}
	vec := s.vec[:0]
	bounds := &h.disk.bounds
	if r.zeroes {
		for left := r.Len; left > 0; {
			n := min(left, int64(len(bounds.zeroes)))
			vec = append(vec, bounds.zeroes[:n])
			left -= n
		}
	} else {
		for b := r.bios.head; b != nil; b = b.next {
			off, size := r.piece(b)
			buf := b.k.Buf()[off-b.off:][:size]
			for int64(len(buf)) > bounds.segment {
				vec = append(vec, buf[:bounds.segment])
				buf = buf[bounds.segment:]
			}
			vec = append(vec, buf)
		}
	}
	s.vec, q.Bufs = vec, vec
}

// stampDispatch notes for the bios of r that the driver gets them.
func (h *hwQueue) stampDispatch(r *request, now lane.Time) {
	for b := r.bios.head; b != nil; b = b.next {
		if b.stage == stageData && !b.reached {
			b.dispatched = now
		}
	}
}

// taken counts the request of s: the driver has it, or had it. Bios that no driver
// took anything of before now have been dispatched.
func (h *hwQueue) taken(s *slot) {
	if s.counted {
		return
	}
	s.counted = true
	h.stats.Dispatched[s.r.op]++
	pieces := int64(0)
	for b := s.r.bios.head; b != nil; b = b.next {
		if b.stage != stageData {
			continue
		}
		pieces++
		b.out = uint32(s.req.Tag) + 1
		if b.reached {
			h.stats.Again++
		}
		h.reach(b)
	}
	if pieces == 0 {
		h.stats.FlushesAdded++
	} else {
		h.stats.Merged += pieces - 1
	}
}

// watchAll has the driver told of a cancel of r's bios.
func (h *hwQueue) watchAll(r *request) {
	for b := r.bios.head; b != nil; b = b.next {
		h.arm(b)
	}
}

// reach notes that the driver took a piece of b.
func (h *hwQueue) reach(b *bio) {
	if b.reached {
		return
	}
	b.reached = true
	h.stats.Reached++
	if h.stages != nil {
		h.stages.dispatched(b, h.lane.Now())
	}
}

// undo takes back that the bios of r were started: the driver does not have them.
func (h *hwQueue) undo(r *request) {
	for b := r.bios.head; b != nil; b = b.next {
		if b.started && !b.reached && !b.gated && b.stage == stageData {
			b.dispatched = 0
			b.k.Requeue()
			b.started = false
		}
	}
}

// release makes a slot's tag free.
func (h *hwQueue) release(s *slot, now lane.Time) {
	s.r, s.bio = nil, nil
	s.one[0] = nil
	clear(s.vec)
	s.req.Bufs = nil
	h.timeouts.forget(s)
	h.flight.change(now, -1)
	h.tags.put(s.req.Tag)
}
