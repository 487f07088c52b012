package blk

import "blksim/aio"

// mergeIndex finds the request that waits and that a bio continues, at its end or
// at its front: two hash tables with their chains in the requests. Only requests
// in the scheduler are in it.
type mergeIndex struct{ byEnd, byOff [mergeBuckets]*request }

const mergeBuckets = 1 << mergeBits
const mergeBits = 9

func mergeHash(off int64) uint64 {
	return uint64(off) * 0x9e3779b97f4a7c15 >> (64 - mergeBits)
}

func (x *mergeIndex) add(r *request) {
	e, o := &x.byEnd[mergeHash(r.Off+r.Len)], &x.byOff[mergeHash(r.Off)]
	r.byEnd, *e = *e, r
	r.byOff, *o = *o, r
	r.indexed = true
}

func (x *mergeIndex) remove(r *request) {
	if !r.indexed {
		return
	}
	r.indexed = false
	at := &x.byEnd[mergeHash(r.Off+r.Len)]
	for *at != r {
		at = &(*at).byEnd
	}
	*at, r.byEnd = r.byEnd, nil
	at = &x.byOff[mergeHash(r.Off)]
	for *at != r {
		at = &(*at).byOff
	}
	*at, r.byOff = r.byOff, nil
}

// mergeable says whether b may share a request at all.
func (h *hwQueue) mergeable(b *bio) bool {
	return !h.disk.opts.NoMerges && b.op != aio.OpFlush && b.size < h.disk.bounds.most[b.op]
}

// merge puts b into a request that waits, if there is one that it continues and
// the limits allow it. Both orders of a pair are merges as good as each other: a
// back merge is only tried first because it is what a sequential stream needs.
func (h *hwQueue) merge(b *bio) bool {
	for r := h.index.byEnd[mergeHash(b.off)]; r != nil; r = r.byEnd {
		if r.Off+r.Len == b.off && h.joins(r, b, r.Off) {
			h.index.remove(r)
			r.Len += b.size
			r.bios.push(b)
			h.index.add(r)
			h.joined(r, b)
			h.stats.BackMerges++
			return true
		}
	}
	for r := h.index.byOff[mergeHash(b.end())]; r != nil; r = r.byOff {
		if r.Off == b.end() && h.joins(r, b, b.off) {
			h.index.remove(r)
			h.sched.Remove(&r.Entry)
			r.Off = b.off
			r.Len += b.size
			r.bios.pushFront(b)
			h.sched.Add(&r.Entry)
			h.index.add(r)
			h.joined(r, b)
			h.stats.FrontMerges++
			return true
		}
	}
	return false
}

// joins says whether b may be merged into r, which would then begin at off.
func (h *hwQueue) joins(r *request, b *bio, off int64) bool {
	if r.Op != b.op || r.zeroes || r.op != b.op || r.flags != h.fuaOf(b) {
		return false
	}
	bounds := &h.disk.bounds
	return bounds.fits(r.op, off, r.Len+b.size, r.buffers+bounds.buffers(b.size))
}

func (h *hwQueue) fuaOf(b *bio) aio.Flags {
	if !h.disk.limits.FUA {
		return 0
	}
	return b.flags & aio.FUA
}

func (h *hwQueue) joined(r *request, b *bio) {
	r.count++
	r.buffers += h.disk.bounds.buffers(b.size)
	b.join()
	b.waits = r
	h.fresh = append(h.fresh, r)
}
