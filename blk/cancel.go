package blk

import "blksim/aio"

// A watch hears of a bio's cancel. A cancel callback runs anywhere, so it only
// posts the watch's kick to the queue's lane. By then the bio may have ended, and
// the watch be another's; so a kick names none, but asks whether the bio that has
// the watch now is cancelled. A stale kick finds one that is not, or one that is
// and may as well be served.
type watch struct {
	h    *hwQueue
	bio  *bio   // nil: in the pool
	kick func() // bound once
	next *watch // in the pool
}

// cancelHook is the cancel callback of every bio that has one.
var cancelHook = aio.NewHook(onCancel)

// onCancel posts the kick. The bio is not used for another I/O while it runs, and its
// watch is set once for each I/O, so there is nothing to race with.
func onCancel(k aio.Kiocb) {
	w := k.Private().(*bio).watch
	w.h.lane.Post(w.kick)
}

// arm gives b a watch and its kiocb a cancel callback. A bio that neither waits
// nor is with a driver that has Cancel costs none of this.
func (h *hwQueue) arm(b *bio) {
	if b.watch != nil {
		return
	}
	h.giveWatch(b)
	// A cancel that came before has the callback run now, which posts the kick.
	_ = b.k.SetHook(cancelHook)
}

// giveWatch gives b a watch, for the callback that it will have.
func (h *hwQueue) giveWatch(b *bio) {
	w := h.watches
	if w == nil {
		w = &watch{h: h}
		w.kick = w.kicked
	} else {
		h.watches = w.next
	}
	w.bio, b.watch = b, w
}

// unwatch gives b's watch back. b keeps the pointer: its callback may be running.
func (h *hwQueue) unwatch(b *bio) {
	if w := b.watch; w != nil {
		w.bio, w.next = nil, h.watches
		h.watches = w
	}
}

// kicked is the kick, on the queue's lane.
func (w *watch) kicked() {
	if b := w.bio; b != nil {
		w.h.cancelled(b)
	}
}

// cancelled does what can be done at once for a bio that may be cancelled: it
// leaves the queue if it waits, and the driver hears of it if it is there.
func (h *hwQueue) cancelled(b *bio) {
	if !b.unwanted() {
		return
	}
	out := b.out
	if b.waits != nil {
		h.leave(b) // and may have ended with that
	}
	if h.can.Canceler == nil || out == 0 {
		return
	}
	if s := &h.slots[out-1]; s.holds(b) {
		h.tell(s)
		return
	}
	for i := range h.slots { // it is split, or has ended
		if s := &h.slots[i]; s.holds(b) {
			h.tell(s)
		}
	}
}

// leave takes a cancelled bio, or what is left of it, out of the request that it
// waits in, and that out of the queue if there is no other bio in it.
func (h *hwQueue) leave(b *bio) {
	r := b.waits
	if r.Op == aio.OpFlush {
		from := r.place
		h.leaveFlush(r, b)
		if r.count > 0 {
			return
		}
		h.take(r)
		if h.flushes.waiting == r {
			h.flushes.waiting = nil
		}
		if from == inUrgent {
			h.flushes.ended(h)
		}
		h.putRequest(r)
		h.rerun()
		return
	}
	from := r.place
	h.take(r)
	if next := b.next; b != r.bios.head && next != nil {
		h.wait(h.splitAt(r, next), from)
	}
	h.dropPiece(r, b)
	if r.count > 0 {
		h.wait(r, from)
	} else {
		h.putRequest(r)
	}
	h.rerun() // somebody may be waiting for the queue to be idle
}

// wait has r, which was taken out of a place to be changed, wait there again.
func (h *hwQueue) wait(r *request, at place) {
	switch at {
	case inSched:
		h.insert(r)
		if !h.disk.opts.NoMerges && h.disk.bounds.fits(r.op, r.Off, r.Len, r.buffers) {
			h.index.add(r)
		}
	case inHeld:
		h.putHeld(r)
	default:
		h.putBack(r)
	}
}

// holds says whether the driver has a piece of b in this slot.
func (s *slot) holds(b *bio) bool {
	if s.r == nil {
		return s.bio == b
	}
	for o := s.r.bios.head; o != nil; o = o.next {
		if o == b {
			return true
		}
	}
	return false
}

// tell has the driver cancel what it has in s, if no bio of it is wanted any more,
// and gives it so long for that.
func (h *hwQueue) tell(s *slot) {
	if s.cancelSent {
		return
	}
	h.makeRequest(s)
	for b := s.r.bios.head; b != nil; b = b.next {
		if !b.unwanted() {
			return
		}
	}
	h.stats.Kicks++
	h.abort(s)
}

// abort calls the driver's Cancel.
func (h *hwQueue) abort(s *slot) {
	s.cancelSent = true
	h.timeouts.hurry(s)
	h.can.Canceler.Cancel(&s.req)
}
