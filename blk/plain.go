package blk

import (
	"blksim/aio"
	"blksim/blk/sched"
)

// The plain way
//
// Most I/Os are reads or writes that find a queue with nothing in it and a free tag,
// need no flush, gate or split, and come back whole. Such a bio goes to the driver by
// itself, without a request: what a request is for is to wait, to be merged, to be cut
// and to be sent again, and none of that happens to it. As soon as something does, the
// request is made, and all goes on as for any other (makeRequest).
//
// What the plain way does must be what the other would have done, down to the order of
// events. So bios that are handed over together are looked at for merges before the
// first of them goes: if one begins where another ends, all of them take the other way.
// That is asked of a few words of bits, edges, in which few bios are found in vain.

// plainRun is what has been handed over in this run of the lane and is plain: then it
// is all that waits in the queue.
type plainRun struct {
	bios   []*bio // in order; those before next have gone
	next   int
	edges  edges    // of bios, unless there is one alone
	edged  bool     // there are any
	merges bool     // the options allow for them
	most   [8]int64 // bytes, by operation: longer ones are not plain; less than 0: none is
}

// init finds out what can be plain: nothing where another than the queue decides what
// goes next, or shares its tags.
func (p *plainRun) init(h *hwQueue) {
	d := h.disk
	p.merges = !d.opts.NoMerges
	name := d.opts.Scheduler.Name
	able := (name == "" || name == sched.None) && d.opts.Tags == nil && d.opts.Budget == 0
	for op := range p.most {
		p.most[op] = -1
		if able && aio.Op(op).HasData() {
			p.most[op] = min(d.bounds.most[op], d.bounds.segment)
		}
	}
}

// addPlain takes b, which has arrived, if it can go the plain way.
func (h *hwQueue) addPlain(b *bio) bool {
	p := &h.plain
	if h.waiting|h.stopped != 0 || h.running || b.size > p.most[b.op&7] || b.flags != 0 || b.gate != nil ||
		h.disk.bounds.crosses(b.off, b.size) || p.meets(b) {
		h.queuePlain() // they are before it
		return false
	}
	p.bios = append(p.bios, b)
	return true
}

// meets says whether b lies beside one of the bios, and notes its edges.
func (p *plainRun) meets(b *bio) bool {
	if len(p.bios) == 0 || !p.merges {
		return false
	}
	if !p.edged {
		p.edged = true
		p.edges.add(p.bios[0])
	}
	return p.edges.add(b) && p.touches(b)
}

// queuePlain has what has not gone yet wait as other bios do.
func (h *hwQueue) queuePlain() {
	p := &h.plain
	rest := p.bios[p.next:]
	p.clear()
	for _, b := range rest {
		h.enqueue(b)
	}
}

func (p *plainRun) clear() {
	if p.edged {
		p.edged, p.edges = false, edges{}
	}
	p.bios, p.next = p.bios[:0], 0
}

// runPlain gives the plain bios to the driver. handed: it took some. busy: it took
// no more, and the queue must wait.
func (h *hwQueue) runPlain() (handed, busy bool) {
	p, now := &h.plain, h.lane.Now()
	for p.next < len(p.bios) && h.waiting == 0 { // what comes back or is put off goes first
		tag, ok := h.tags.own()
		if !ok {
			break
		}
		b := p.bios[p.next]
		p.next++
		if b.started = h.startPlain(b); !b.started {
			h.tags.putOwn(tag)
			h.end(b, aio.Cancelled, 0)
			continue
		}
		s := &h.slots[tag]
		s.bio, s.sent, s.slotState = b, now, slotState{}
		s.one[0] = b.k.Buf()
		q := &s.req
		q.Op, q.Off, q.Len, q.Bufs, q.FUA = b.op, b.off, b.size, s.one[:], false
		b.dispatched = now
		if h.timeouts.limit > 0 {
			h.timeouts.watch(s)
		}
		h.flight.change(now, 1)
		h.out++
		switch st := h.q.Submit(q); {
		case st != aio.OK:
			h.notTaken(s, st)
			busy = st == aio.Busy
		case s.bio != b: // it has completed, which may have taken its time
			now = h.returned
			handed = true
		default:
			h.takenPlain(s, b)
			handed = true
		}
	}
	h.queuePlain()
	return handed, busy
}

// startPlain is bio.start for a plain one. If the driver wants to know of cancels, b
// gets its watch at the same time.
func (h *hwQueue) startPlain(b *bio) bool {
	if h.can.Canceler == nil {
		return b.k.TryStart()
	}
	h.giveWatch(b)
	if b.k.TryStartHook(cancelHook) {
		return true
	}
	h.unwatch(b)
	b.watch = nil
	return false
}

// takenPlain is taken for a plain bio.
func (h *hwQueue) takenPlain(s *slot, b *bio) {
	s.counted, b.reached = true, true
	b.out = s
	h.stats.Dispatched[b.op]++
	h.stats.Reached++
	if h.stages != nil {
		h.stages.dispatched(b, h.lane.Now())
	}
}

// notTaken is what becomes of a plain bio whose Submit was answered with st: it waits,
// or ends.
func (h *hwQueue) notTaken(s *slot, st aio.Status) {
	r := h.requestOf(s.bio)
	h.release(s, s.sent)
	if st != aio.Busy {
		h.settle(r, st, 0)
		return
	}
	h.stats.Busy++
	h.undo(r)
	h.putBack(r)
	if h.out == 0 {
		h.retry.Arm(h.retryDelay)
	}
}

// plainDone is the end of a plain bio, all of which is done: what CompleteRequest,
// settle, pieceEnded and end do for others.
func (h *hwQueue) plainDone(s *slot, b *bio) {
	if !s.counted {
		h.takenPlain(s, b)
	}
	now := h.returning()
	s.bio, s.one[0], s.req.Bufs = nil, nil, nil
	if s.in != nil {
		h.timeouts.forget(s)
	}
	h.out--
	h.flight.change(now, -1)
	h.tags.putOwn(s.req.Tag)
	h.stats.Completed[aio.OK]++
	h.stats.Ended[aio.OK]++

	h.unwatch(b)
	if b.due != nil {
		h.unkeep(b)
	}
	if h.stages != nil {
		h.stages.returned(b, now)
	}
	h.ended.Complete(b.k, aio.OK, b.size, aio.Times{Dispatched: b.dispatched, Returned: now})
	h.publish()
	if h.waiting > 0 || h.out == 0 {
		h.rerun()
	}
}

// makeRequest gives the bio in s, if there is one, the request that it went without.
func (h *hwQueue) makeRequest(s *slot) {
	if b := s.bio; b != nil {
		s.r, s.bio = h.requestOf(b), nil
	}
}

// used says that the driver has what is in s.
func (s *slot) used() bool { return s.r != nil || s.bio != nil }

// edges are where bios begin and end, a bit for each: if two have one in common, they
// may touch.
type edges struct{ begin, end [edgeWords]uint64 }

const (
	edgeBits  = 10
	edgeWords = 1 << edgeBits / 64
)

func edgeOf(off int64) (word, bit uint64) {
	hash := uint64(off) * 0x9e3779b97f4a7c15
	return hash >> (64 - edgeBits + 6), hash >> (64 - edgeBits) % 64
}

// add notes b's edges, and says whether it may touch another bio; not often in vain.
func (e *edges) add(b *bio) (touch bool) {
	i, begin := edgeOf(b.off)
	k, end := edgeOf(b.end())
	touch = (e.end[i]>>begin|e.begin[k]>>end)&1 != 0
	e.begin[i] |= 1 << begin
	e.end[k] |= 1 << end
	return touch
}

// touches says whether it does.
func (p *plainRun) touches(b *bio) bool {
	for _, o := range p.bios {
		if o.end() == b.off || o.off == b.end() {
			return true
		}
	}
	return false
}
