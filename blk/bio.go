package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
)

// A bio is an I/O inside the block layer. It stays with its kiocb's slot, so
// there is one for each I/O that was ever in flight at once, and none is
// allocated in the steady state.
type bio struct {
	k        aio.Kiocb
	next     *bio     // in a bioList
	to       *hwQueue // where it goes
	slot     *slot    // where it is, once dispatched; read by the cancel callback
	arriveFn func()   // arrive, bound once
}

// arrive hands over a chain of bios, of which b is the first. On the hardware
// queue's lane.
func (b *bio) arrive() {
	h := b.to
	for b != nil {
		next := b.next
		h.add(b)
		b = next
	}
	h.run()
}

// bioOf returns the bio of k's slot, ready for a new I/O.
func bioOf(k aio.Kiocb) *bio {
	b, ok := k.Private().(*bio)
	if !ok {
		b = &bio{}
		b.arriveFn = b.arrive
		k.SetPrivate(b)
	}
	b.k, b.next = k, nil
	return b
}

// bioList is a FIFO of bios.
type bioList struct{ head, tail *bio }

func (l *bioList) push(b *bio) {
	b.next = nil
	if l.tail == nil {
		l.head = b
	} else {
		l.tail.next = b
	}
	l.tail = b
}

func (l *bioList) pushFront(b *bio) {
	b.next = l.head
	l.head = b
	if l.tail == nil {
		l.tail = b
	}
}

func (l *bioList) pop() *bio {
	b := l.head
	l.head = b.next
	if l.head == nil {
		l.tail = nil
	}
	b.next = nil
	return b
}

// softQueue gathers what one lane submits, for one hardware queue.
type softQueue struct {
	lane lane.Lane
	to   *hwQueue
	list bioList

	rejected int64 // I/Os that Check refused
	needless int64 // flushes of a device without a write cache
}

// Start begins one I/O. See aio.Target.
func (d *Disk) Start(l lane.Lane, k aio.Kiocb) {
	s := d.softOf(l)
	d.admit(s, k)
	s.flush()
}

// StartBatch begins a batch, with one hand-over and one Commit for all of it.
func (d *Disk) StartBatch(l lane.Lane, ks []aio.Kiocb) {
	s := d.softOf(l)
	for _, k := range ks {
		d.admit(s, k)
	}
	s.flush()
}

func (d *Disk) softOf(l lane.Lane) *softQueue {
	if i := l.Index(); i < len(d.soft) && d.soft[i] != nil {
		return d.soft[i]
	}
	panic("blk: Start on a lane that is not among the disk's submitters")
}

// admit checks an I/O and puts it on the software queue.
func (d *Disk) admit(s *softQueue, k aio.Kiocb) {
	st := d.Check(k.Op(), k.Off(), k.Len())
	if st == aio.OK && k.Op().HasData() && int64(len(k.Buf())) != k.Len() {
		st = aio.Invalid
	}
	if st != aio.OK {
		s.rejected++
		k.Complete(s.lane, st, 0)
		return
	}
	if k.Op() == aio.OpFlush && !d.limits.WriteCache {
		// What has completed is on the medium: there is nothing to flush.
		s.needless++
		k.Complete(s.lane, aio.OK, 0)
		return
	}
	b := bioOf(k)
	b.to = s.to
	s.list.push(b)
}

// flush hands the software queue over.
func (s *softQueue) flush() {
	first := s.list.head
	if first == nil {
		return
	}
	s.list = bioList{}
	if s.to.lane == s.lane {
		first.arrive()
	} else {
		s.to.lane.Post(first.arriveFn)
	}
}
