package blk

import (
	"sync/atomic"

	"blksim/aio"
	"blksim/aio/lane"
)

// A bio is an I/O inside the block layer. It stays with its kiocb's slot, so
// there is one for each I/O that was ever in flight at once, and none is
// allocated in the steady state.
type bio struct {
	k          aio.Kiocb
	next, prev *bio     // in a bioList
	to         *hwQueue // where it goes
	arriveFn   func()   // arrive, bound once

	// armed says that the kiocb has its cancel callback: set when the bio has
	// to wait, or when a driver with Cancel has it.
	armed bool
	cell  *cell // that it waits in, once armed
	// at is where the bio is, for the callback, which runs anywhere: the cell
	// that it waits in, or the slot of its request. The queue's lane moves it
	// and then looks whether a cancel came meanwhile.
	at atomic.Pointer[kicker]
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
	b.k, b.next, b.prev, b.armed, b.cell = k, nil, nil, false, nil
	return b
}

// bioList is a FIFO of bios that any of them can leave.
type bioList struct{ head, tail *bio }

func (l *bioList) push(b *bio) {
	b.next, b.prev = nil, l.tail
	if l.tail == nil {
		l.head = b
	} else {
		l.tail.next = b
	}
	l.tail = b
}

func (l *bioList) pushFront(b *bio) {
	b.next, b.prev = l.head, nil
	if l.head == nil {
		l.tail = b
	} else {
		l.head.prev = b
	}
	l.head = b
}

func (l *bioList) remove(b *bio) {
	if b.prev == nil {
		l.head = b.next
	} else {
		b.prev.next = b.next
	}
	if b.next == nil {
		l.tail = b.prev
	} else {
		b.next.prev = b.prev
	}
	b.next, b.prev = nil, nil
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
