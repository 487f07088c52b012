package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
)

// A bio is an I/O inside the block layer. It stays with its kiocb's slot, so
// there is one for each I/O that was ever in flight at once, and none is
// allocated in the steady state.
//
// A bio that waits is in one request, alone or merged with others. One that is
// split is in several at the same time: those of its pieces that are with the
// driver, and one that waits with the rest.
//
// What a plain I/O needs of it comes first, in one line of the cache; in all it is three
// lines, an odd number, so that many of them spread over all of a cache.
type bio struct {
	k    aio.Kiocb
	off  int64
	size int64 // bytes
	bioState
	watch *watch // it hears of its cancel; nil: not needed yet

	gate       Gate      // if it is gated
	arrived    lane.Time // if it is stamped; Stages has another use for it later
	submitted  lane.Time // for Stages
	dispatched lane.Time // when the driver was given the first of it; 0: not yet, or it did not take it
	parts      int       // requests that carry a piece of it
	waits      *request  // the one of them that waits, nil: none
	due        *deadline
	outcome
	next, prev *bio     // in a bioList
	to         *hwQueue // where it goes, of the first of a chain
	arriveFn   func()   // arrive, bound once
}

// bioState is the small part of a bio's state.
type bioState struct {
	op      aio.Op
	flags   aio.Flags
	stage   stage
	started bool   // TryStart said yes
	reached bool   // the driver took a piece of it
	gated   bool   // it has a gate
	stamped bool   // it is noted when it arrived
	out     uint32 // one more than the tag that it was dispatched with last; 0: it was not yet
}

// stage is where a bio is in the sequence of flushes around it (flush.go).
type stage uint8

const (
	stageData stage = iota // its own request, or it needs no sequence
	stagePre               // waits for the flush before it
	stagePost              // done, and waits for the flush after it
)

// newBio makes the bio of k's slot.
func newBio(k aio.Kiocb) *bio {
	b := &bio{}
	b.arriveFn = b.arrive
	k.SetPrivate(b)
	return b
}

// begin makes b ready for a new I/O. Its last one has ended: it is in no list or
// request, and has no deadline. Its outcome begins with its first request. Field by
// field: the bio as a whole would be built beside it, and copied.
func (b *bio) begin(k aio.Kiocb) {
	b.k, b.off, b.size = k, k.Off(), k.Len()
	b.bioState = bioState{op: k.Op(), flags: k.Flags()}
	b.watch = nil
}

// arrival is when it arrived, if that is noted; else 0.
func (b *bio) arrival() lane.Time {
	if b.stamped {
		return b.arrived
	}
	return 0
}

// end is the first byte behind the bio's extent.
func (b *bio) end() int64 { return b.off + b.size }

// A Gate decides for several I/Os together, which may be on several disks and
// lanes, whether they start.
type Gate interface {
	// Open is asked before each of them is given to its driver. Any lane.
	Open() bool
	// Whole says that they are all done, or none, as those of a mirrored write:
	// once one of them was let through all are, and a cancel stops none of them
	// any more. The answer never changes.
	Whole() bool
}

// start says whether b, or the rest of it, may go to the driver. After a false
// the driver must not see it.
func (b *bio) start() bool {
	switch {
	case b.stage == stagePost:
		return true
	case b.stage == stagePre:
		return !b.k.Cancelled() // its data is not what goes now
	case b.gated && !b.started && !b.gate.Open():
		return false
	case b.whole():
		b.k.TryStart()
		b.started = true
		return true
	case b.started:
		return !b.k.Cancelled()
	}
	b.started = b.k.TryStart()
	return b.started
}

// unwanted says that a cancel was accepted and may stop b. Of an I/O behind a
// gate it may not once the gate is open.
func (b *bio) unwanted() bool {
	return b.k.Cancelled() && b.stage != stagePost && !(b.started && b.whole())
}

// whole says that b is one of several of which all are done, or none.
func (b *bio) whole() bool { return b.gated && b.gate.Whole() }

// An outcome gathers how the pieces of a bio ended. They may end in any order.
//
// The rule (S14): a bio ends once, when no piece of it is left. N is the number
// of bytes from its start up to the first that is not done. The status is that of
// the failed piece nearest to the start; if none failed but some were cancelled,
// it is OK if anything was done (as a short count in POSIX, where only a call that
// did nothing is interrupted), else Cancelled.
type outcome struct {
	good   int64 // bytes done, in all
	bad    int64 // the first byte, from the bio's start, that is not done
	failAt int64 // where the failed piece nearest to the start failed
	failed aio.Status
	cut    bool // some piece was cancelled
}

// join is one more request that carries a piece of b; the first begins its outcome.
func (b *bio) join() {
	if b.parts == 0 {
		b.outcome.begin(b.size)
	}
	b.parts++
}

func (o *outcome) begin(size int64) { *o = outcome{bad: size, failAt: size} }

// add is the end of a piece of size bytes, from byte at on, of which n are done.
func (o *outcome) add(at, size int64, st aio.Status, n int64) {
	o.good += n
	if st == aio.OK && n == size {
		return
	}
	o.bad = min(o.bad, at+n)
	switch {
	case st == aio.Cancelled:
		o.cut = true
	case o.failed == aio.OK || at+n < o.failAt:
		o.failed, o.failAt = st, at+n
	}
}

// result is how the bio ended.
func (o *outcome) result() (st aio.Status, n int64) {
	switch {
	case o.failed != aio.OK:
		return o.failed, o.bad
	case o.cut && o.good == 0:
		return aio.Cancelled, 0
	}
	return aio.OK, o.bad
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

// takeFrom moves b and all that follow it from o to the empty list l.
func (l *bioList) takeFrom(o *bioList, b *bio) {
	l.head, l.tail = b, o.tail
	o.tail = b.prev
	if b.prev == nil {
		o.head = nil
	} else {
		b.prev.next = nil
	}
	b.prev = nil
}
