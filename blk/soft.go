package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
)

// softQueue gathers what one lane submits, for one hardware queue. It belongs to
// the submitting lane.
type softQueue struct {
	disk    *Disk
	lane    lane.Lane
	to      *hwQueue
	here    bool // that is on the same lane
	list    bioList
	count   int
	plugged int // Plugs without their Unplug

	rejected int64 // I/Os that Check refused
	needless int64 // flushes of a device without a write cache
	ignored  int64 // discards that nothing is done for
	gone     int64 // I/Os of a disk that is gone
}

func newSoftQueue(d *Disk, l lane.Lane) *softQueue {
	to := d.queueFor(l)
	return &softQueue{disk: d, lane: l, to: to, here: to.lane == l}
}

// Start begins one I/O. See aio.Target.
func (d *Disk) Start(l lane.Lane, k aio.Kiocb) { d.StartGated(l, k, nil) }

// StartGated is Start for an I/O that g may keep from starting; nil: Start.
func (d *Disk) StartGated(l lane.Lane, k aio.Kiocb, g Gate) {
	s := d.softOf(l)
	s.push(s.admit(k, g))
	if s.plugged == 0 || s.count >= d.opts.PlugMax {
		s.flush()
	}
}

// StartBatch begins a batch, with one hand-over and one Commit for all of it.
func (d *Disk) StartBatch(l lane.Lane, ks []aio.Kiocb) {
	s := d.softOf(l)
	if s.here && s.plugged == 0 { // the software queue is empty, and stays so
		h := s.to
		for len(ks) > 0 {
			ks = ks[h.addPlains(ks):]
			if len(ks) > 0 {
				if b := s.admit(ks[0], nil); b != nil {
					h.add(b)
				}
				ks = ks[1:]
			}
		}
		h.run()
		return
	}
	for _, k := range ks {
		s.push(s.admit(k, nil))
	}
	if s.plugged == 0 || s.count >= d.opts.PlugMax {
		s.flush()
	}
}

// Plug holds back what is submitted on lane l until Unplug, so that it is merged
// and sorted before any of it is dispatched. Not more than Options.PlugMax I/Os
// are held back: then they go, and the plug stays. Plugs nest. On l.
func (d *Disk) Plug(l lane.Lane) { d.softOf(l).plugged++ }

// Unplug ends a Plug. On the same lane, in the same run of it: a plug that is left
// in place would hold I/Os back for ever.
func (d *Disk) Unplug(l lane.Lane) {
	s := d.softOf(l)
	if s.plugged == 0 {
		panic("blk: Unplug without a Plug")
	}
	if s.plugged--; s.plugged == 0 {
		s.flush()
	}
}

func (d *Disk) softOf(l lane.Lane) *softQueue {
	if i := l.Index(); i < len(d.soft) && d.soft[i] != nil {
		return d.soft[i]
	}
	panic("blk: Start on a lane that is not among the disk's submitters")
}

// admit checks an I/O and makes a bio of it; nil: it has ended.
func (s *softQueue) admit(k aio.Kiocb, g Gate) *bio {
	d := s.disk
	if !d.bounds.takes(k.Op(), k.Off(), k.Len()) || !k.HasBuf() || d.dead.Load() {
		if s.ends(k) {
			return nil
		}
	}
	b, ok := k.Private().(*bio)
	if !ok {
		b = newBio(k)
	}
	b.begin(k)
	if g != nil {
		b.gate, b.gated = g, true
	}
	if d.opts.Histograms {
		b.submitted = s.lane.Now()
	}
	return b
}

// ends completes an I/O that goes no further than this.
func (s *softQueue) ends(k aio.Kiocb) bool {
	d, op := s.disk, k.Op()
	st := d.Check(op, k.Off(), k.Len())
	if st == aio.OK && op.HasData() && !k.HasBuf() {
		st = aio.Invalid
	}
	n := int64(0)
	switch {
	case st != aio.OK:
		s.rejected++
	case d.dead.Load():
		s.gone++
		st = aio.Gone
	case op == aio.OpFlush && !d.limits.WriteCache:
		// What has completed is on the medium: there is nothing to flush.
		s.needless++
	case op == aio.OpDiscard && !d.limits.Ops.Has(op) && d.opts.Discard == DiscardIgnore:
		s.ignored++
		n = k.Len()
	default:
		return false
	}
	k.Complete(s.lane, st, n)
	return true
}

// push puts a bio, if there is one, on the software queue.
func (s *softQueue) push(b *bio) {
	if b != nil {
		b.to = s.to
		s.list.push(b)
		s.count++
	}
}

// flush hands the software queue over.
func (s *softQueue) flush() {
	first := s.list.head
	if first == nil {
		return
	}
	s.list, s.count = bioList{}, 0
	if s.here {
		first.arrive()
	} else {
		s.to.lane.Post(first.arriveFn)
	}
}

// arrive hands over a chain of bios, of which b is the first. On the hardware
// queue's lane.
func (b *bio) arrive() {
	h := b.to
	for b != nil {
		next := b.next
		b.next, b.prev = nil, nil
		h.add(b)
		b = next
	}
	h.run()
}
