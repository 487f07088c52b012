package blk

import "blksim/aio"

// The sequence of flushes
//
// A device with a volatile cache has two promises to keep that one command may not
// be enough for (after block/blk-flush.c of Linux):
//
//	PreFlush   flush, then the write
//	FUA        the write, then a flush, if the driver has no FUA of its own
//
// A queue has one flush of a sequence, or asked for by a user, with the driver at
// a time. Those who ask meanwhile share the next one: a flush covers what had
// completed when it was sent, so one that is already out does not do. A flush is
// thus a request that bios are merged into until it is dispatched, and is skipped
// only if all of them were cancelled; a bio that only waits for the flush after
// its own write cannot be.
type flushes struct {
	waiting *request // gathers bios; nil: none
	out     bool     // one is with the driver, or goes as soon as there is a tag
}

// joinFlush has b wait for the next flush.
func (h *hwQueue) joinFlush(b *bio) {
	f := &h.flushes
	r := f.waiting
	if r == nil {
		r = h.getRequest()
		r.Op, r.op, r.Off, r.Len, r.Queued = aio.OpFlush, aio.OpFlush, 0, 0, b.arrival()
		r.place = inFlushWait
		f.waiting = r
	} else {
		h.stats.FlushesMerged++
	}
	r.bios.push(b)
	r.count++
	r.buffers++
	b.parts++
	b.waits = r
	if !f.out {
		f.out = true
		h.sendFlush(r)
		return
	}
	h.fresh = append(h.fresh, r)
}

// sendFlush has the waiting flush go with the next tag; it gathers on until then.
func (h *hwQueue) sendFlush(r *request) {
	r.place = nowhere
	h.putBack(r)
}

// ended is the end of the flush that was out.
func (f *flushes) ended(h *hwQueue) {
	if f.out = f.waiting != nil; f.out {
		h.sendFlush(f.waiting)
		h.rerun()
	}
}

// flushed is the end of the flush r.
func (h *hwQueue) flushed(r *request, st aio.Status) {
	for b := r.bios.head; b != nil; {
		next := b.next
		b.parts--
		switch {
		case st == aio.OK && b.stage == stagePre:
			b.stage = stageData
			h.enqueue(b)
		case st == aio.OK:
			h.end(b, st, b.size)
		default:
			h.end(b, h.truth(r, b, st), 0)
		}
		b = next
	}
	h.flushes.ended(h)
	h.putRequest(r)
}

// leaveFlush takes b, which was cancelled, out of the flush r.
func (h *hwQueue) leaveFlush(r *request, b *bio) {
	r.bios.remove(b)
	r.count--
	r.buffers--
	b.parts--
	b.waits = nil
	h.end(b, aio.Cancelled, 0)
}

// flushesAfter has b, which is done, wait for a flush before it ends, if it asked
// for that and the driver cannot do it.
func (h *hwQueue) flushesAfter(b *bio) bool {
	lim := &h.disk.limits
	if b.flags&aio.FUA == 0 || b.op != aio.OpWrite || !lim.WriteCache || lim.FUA || b.good < b.size {
		return false
	}
	b.stage = stagePost
	h.joinFlush(b)
	h.rerun()
	return true
}
