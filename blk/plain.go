package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk/sched"
	"blksim/driver"
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
// That is asked of two small tables, edges, in which few bios are found in vain.

// plainRun is what has been handed over in this run of the lane and is plain: then it
// is all that waits in the queue.
type plainRun struct {
	bios   []*bio // in order; those before next have gone
	next   int
	edges  edges    // of bios, unless there is one alone
	edged  bool     // they are noted
	merges bool     // the options allow for them
	most   [8]int64 // bytes, by operation: longer ones are not plain; less than 0: none is
}

// init finds out what can be plain: nothing where another than the queue decides what
// goes next, or shares its tags.
func (p *plainRun) init(h *hwQueue) {
	d := h.disk
	p.merges = !d.opts.NoMerges
	p.edges.next()
	name := d.opts.Scheduler.Name
	able := (name == "" || name == sched.None) && d.opts.Tags == nil && d.opts.Budget == 0
	for op := range p.most {
		p.most[op] = -1
		if able && d.bounds.ops.Has(aio.Op(op)) {
			p.most[op] = min(d.bounds.most[op], d.bounds.segment)
		}
	}
}

// open says that a plain bio would be given to the driver now.
func (h *hwQueue) open() bool {
	return h.waiting|h.stopped == 0 && !h.running && !h.frozen && !h.removed
}

// addPlains takes the I/Os at the beginning of ks that are plain, and says how many
// there were. It is admit and add for each of them, with what they have in common looked
// at once.
func (h *hwQueue) addPlains(ks []aio.Kiocb) (n int) {
	p, d := &h.plain, h.disk
	if !h.open() || d.dead.Load() {
		return 0
	}
	now := lane.Time(0)
	if h.stampsArrival {
		now = h.lane.Now()
	}
	if len(p.bios)+len(ks) > 1 {
		p.noteEdges()
	}
	for i := range ks {
		k := &ks[i]
		op, off, size := k.Op(), k.Off(), k.Len()
		if size > p.most[op&7] || !d.bounds.holds(off, size) || k.Flags() != 0 || !k.HasBuf() || k.Deadline() != 0 ||
			d.bounds.crosses(off, size) {
			break
		}
		b, ok := k.Private().(*bio)
		if !ok {
			b = newBio(*k)
		}
		b.begin(*k)
		if h.stampsArrival {
			b.submitted, b.arrived, b.stamped = now, now, true
		}
		n++
		if p.edged && p.edges.add(b) && p.touches(b) {
			h.queuePlain()
			h.enqueue(b)
			break
		}
		p.bios = append(p.bios, b)
	}
	h.stats.Queued += int64(n)
	return n
}

// addPlain takes b, which has arrived, if it can go the plain way.
func (h *hwQueue) addPlain(b *bio) bool {
	p := &h.plain
	if !h.open() || b.size > p.most[b.op&7] || b.flags != 0 || b.gated || b.k.Deadline() != 0 ||
		h.disk.bounds.crosses(b.off, b.size) ||
		len(p.bios) > 0 && p.meets(b) {
		h.queuePlain() // they are before it
		return false
	}
	p.bios = append(p.bios, b)
	return true
}

// meets says whether b lies beside one of the bios, and notes its edges.
func (p *plainRun) meets(b *bio) bool {
	p.noteEdges()
	return p.edged && p.edges.add(b) && p.touches(b)
}

// noteEdges has the edges of all bios noted from now on, unless nothing is merged.
func (p *plainRun) noteEdges() {
	if p.edged || !p.merges {
		return
	}
	p.edged = true
	for _, b := range p.bios {
		p.edges.add(b)
	}
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
		p.edged = false
		p.edges.next()
	}
	p.bios, p.next = p.bios[:0], 0
}

// runPlain gives the plain bios to the driver. handed: it took some. busy: it took
// no more, and the queue must wait.
//
// First all are started that there are tags for, and then submitted, one by one: an
// atomic instruction waits for the stores before it, and a Submit stores much.
func (h *hwQueue) runPlain() (handed, busy bool) {
	p, now := &h.plain, h.lane.Now()
	for p.next < len(p.bios) && h.waiting == 0 { // what comes back or is put off goes first
		n := min(len(p.bios)-p.next, len(h.tags.free)-h.tags.reserved)
		if n <= 0 {
			break
		}
		some := p.bios[p.next:][:n]
		h.startPlain(some)
		for i, b := range some {
			p.next++
			if !b.started {
				h.skipPlain(b)
				continue
			}
			s := &h.slots[h.tags.own()]
			s.bio, s.sent, s.slotState = b, now, slotState{}
			s.one[0] = b.k.Buf()
			q := &s.req
			q.Op, q.Off, q.Len, q.Bufs, q.FUA = b.op, b.off, b.size, s.one[:], false // Bufs stays until the slot is used again
			if h.timeouts.limit > 0 {
				h.timeouts.watch(s)
			}
			h.flight.change(now, 1)
			if st := h.q.Submit(q); st != aio.OK {
				h.notTaken(s, st)
				busy = st == aio.Busy
			} else {
				handed = true
				if s.bio == b {
					h.takenPlain(s, b)
					if h.stages != nil {
						h.stages.dispatched(b, now)
					}
				} else {
					now = h.returned // it has completed, which may have taken its time
				}
			}
			if h.waiting > 0 {
				h.unstartPlain(some[i+1:])
				break
			}
		}
	}
	h.queuePlain()
	return handed, busy
}

// startPlain is bio.start for some bios. If the driver wants to know of cancels, they get
// their callbacks along with it.
func (h *hwQueue) startPlain(some []*bio) {
	if h.can.Canceler == nil {
		for _, b := range some {
			b.started = b.k.TryStart()
		}
		return
	}
	for _, b := range some {
		h.giveWatch(b)
		b.started = b.k.TryStartHook(cancelHook)
	}
}

// unstartPlain takes that back.
func (h *hwQueue) unstartPlain(some []*bio) {
	for _, b := range some {
		if b.started {
			b.k.Requeue()
			b.started = false
		} else if b.watch != nil {
			h.unwatch(b) // it was cancelled, and got no callback
			b.watch = nil
		}
	}
}

// skipPlain ends a plain bio that was cancelled before its turn came.
func (h *hwQueue) skipPlain(b *bio) {
	h.unwatch(b)
	b.watch = nil
	h.end(b, aio.Cancelled, 0)
}

// takenPlain is taken for a plain bio, but for the stages.
func (h *hwQueue) takenPlain(s *slot, b *bio) {
	s.counted, b.reached = true, true
	b.out = uint32(s.req.Tag) + 1
	h.stats.Dispatched[b.op]++
	h.stats.Reached++
}

// notTaken is what becomes of a plain bio whose Submit was answered with st: it waits,
// or ends.
func (h *hwQueue) notTaken(s *slot, st aio.Status) {
	r := h.requestOf(s.bio)
	s.bio.dispatched = s.sent
	h.release(s, s.sent)
	if st != aio.Busy {
		h.settle(r, st, 0)
		return
	}
	h.stats.Busy++
	h.undo(r)
	h.putBack(r)
	if h.flight.now == 0 {
		h.retry.Arm(h.retryDelay)
	}
}

// CompleteRequest is what Request.Complete calls. A plain bio, all of which is done,
// ends here: this is what completed, settle, pieceEnded and end do for others.
func (h *hwQueue) CompleteRequest(q *driver.Request, st aio.Status, n int64) {
	s := &h.slots[q.Tag]
	b := s.bio
	if b == nil || q != &s.req || st != aio.OK || n < b.size {
		h.makeRequest(s)
		h.completed(s, q, st, n)
		return
	}
	now := h.returning()
	if !s.counted {
		h.takenPlain(s, b)
		if h.stages != nil {
			h.stages.dispatched(b, now)
		}
	}
	s.bio, s.one[0] = nil, nil
	if h.timeouts.limit > 0 {
		h.timeouts.forget(s)
	}
	h.flight.change(now, -1)
	h.tags.putOwn(q.Tag)
	h.stats.Completed[aio.OK]++
	h.stats.Ended[aio.OK]++

	h.unwatch(b)
	if h.stages != nil {
		h.stages.returned(b, now)
	}
	h.ended.Complete(b.k, aio.OK, b.size, aio.Times{Dispatched: s.sent, Returned: now})
	if !h.inRun {
		h.publish()
	}
	if h.waiting > 0 || h.flight.now == 0 {
		h.rerun()
	}
}

// makeRequest gives the bio in s, if there is one, the request that it went without.
func (h *hwQueue) makeRequest(s *slot) {
	if b := s.bio; b != nil {
		b.dispatched = s.sent
		s.r, s.bio = h.requestOf(b), nil
	}
}

// used says that the driver has what is in s.
func (s *slot) used() bool { return s.r != nil || s.bio != nil }

// edges are where the bios of this run begin and end, hashed: if two have one in
// common, they may touch. An entry is of this run if it has its number.
type edges struct {
	run        uint8
	begin, end [1 << edgeBits]uint8
}

const edgeBits = 9

func edgeOf(off int64) uint64 { return uint64(off) * 0x9e3779b97f4a7c15 >> (64 - edgeBits) }

// next forgets all edges.
func (e *edges) next() {
	if e.run++; e.run == 0 {
		*e = edges{run: 1}
	}
}

// add notes b's edges, and says whether it may touch another bio; not often in vain.
func (e *edges) add(b *bio) (touch bool) {
	begin, end := edgeOf(b.off), edgeOf(b.end())
	touch = e.end[begin] == e.run || e.begin[end] == e.run
	e.begin[begin], e.end[end] = e.run, e.run
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
