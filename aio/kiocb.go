package aio

import (
	"unsafe"

	"blksim/aio/lane"
	"blksim/internal/step"
)

// A Target is what I/Os are submitted to: a disk, or an author's own thing.
type Target interface {
	// Start begins the I/O of k, on l, the lane that submitted it. It never
	// blocks. From here on k is the target's until it calls k.Complete, exactly
	// once, in Start or later, on any lane.
	Start(l lane.Lane, k Kiocb)
}

// A BatchTarget is a Target that takes a batch of I/Os at once.
type BatchTarget interface {
	Target
	// StartBatch is Start for each of ks, in order. The target does not keep ks.
	StartBatch(l lane.Lane, ks []Kiocb)
}

// A CancelFunc is a target's cancel callback. It runs on whatever goroutine
// cancels, perhaps in the middle of SetCancelFunc, and must be bounded, not block, and
// not wait for the I/O's completion. It may call k.Complete.
type CancelFunc func(k Kiocb)

// Kiocb is a target's handle on one I/O. It is a small value, good for one
// generation: used after its I/O has completed it changes nothing and answers as
// its methods say, however often the slot was used again.
//
// The zero Kiocb is not usable.
type Kiocb struct {
	c    *Context
	id   ID
	slot *slot // the index's
}

// page is the page that the slot is on, and its place there. A page begins with its
// slots, so it is found from the slot without a look at the table.
func (k Kiocb) page() (*page, uint32) {
	i := k.id.index() & (pageSlots - 1)
	return (*page)(unsafe.Add(unsafe.Pointer(k.slot), -int(i)*int(unsafe.Sizeof(slot{})))), i
}

// ID is the name of the I/O, as Submit returned it.
func (k Kiocb) ID() ID { return k.id }

// Op is the operation.
func (k Kiocb) Op() Op { return k.slot.op() }

// Off is the first byte of the extent.
func (k Kiocb) Off() int64 { return k.slot.off }

// Len is the length of the extent in bytes.
func (k Kiocb) Len() int64 { return k.slot.length() }

// Buf is the data: the target's from Start to Complete.
func (k Kiocb) Buf() []byte {
	s := k.slot
	if s.buf == nil {
		return nil
	}
	return unsafe.Slice(s.buf, s.length()) // so long it is: Submit saw to it
}

// HasBuf says whether there is data: Buf is not nil.
func (k Kiocb) HasBuf() bool { return k.slot.buf != nil }

// Deadline is when the target is to cancel the I/O; 0: never.
func (k Kiocb) Deadline() lane.Time { return k.slot.deadline }

// Flags are the submitter's.
func (k Kiocb) Flags() Flags { return k.slot.flags() }

// Private is what the target last kept with the slot. It outlives the I/O: the
// next I/O of the slot finds it, of whatever target, so that a target can keep
// its memory for an I/O there and allocate none in the steady state.
func (k Kiocb) Private() any { p, i := k.page(); return p.private[i] }

// SetPrivate keeps v with the slot. Between Start and Complete only.
func (k Kiocb) SetPrivate(v any) { p, i := k.page(); p.private[i] = v }

// Look looks, for the cache, at the memory that completing the I/O and starting the next
// in its slot need; the answer means nothing. A target that is about to complete several
// I/Os calls it for each of them first. From Start to Complete.
func (k Kiocb) Look() int64 {
	p, i := k.page()
	n := k.slot.result ^ int64(p.times[i].Returned)
	if p.private[i] == nil {
		n++
	}
	return n
}

// Cancelled says whether a cancel of this I/O was accepted. Once true it stays
// so until the slot's next generation, where it is false; a completion never
// makes it true. Any goroutine. This is all that a target without a callback
// needs: look before each step that costs something.
func (k Kiocb) Cancelled() bool {
	w := load(&k.slot.word)
	return sameGen(w, k.id) && w&flagAsked != 0
}

// TryStart marks the I/O as handed to the device. It answers false if a cancel
// was accepted before: then the device must never see the I/O, and the target
// completes it as Cancelled.
func (k Kiocb) TryStart() bool {
	return startAsk(&k.slot.word, k.id)
}

// StartPart is TryStart for a target that hands the I/O to several devices, from
// several lanes: the first part to ask decides for all. It answers true as well
// if another part has started, although a cancel was accepted since: an I/O that
// must be done whole, or not at all, then goes on.
func (k Kiocb) StartPart() bool {
	return startPart(&k.slot.word, k.id)
}

// Cancel is Context.Cancel, for a target that keeps the I/O's deadline. Any
// goroutine.
func (k Kiocb) Cancel() CancelResult { return k.c.Cancel(k.id) }

// Requeue takes TryStart back: the device did not take the I/O after all. A cancel
// that was accepted in between keeps it from starting again.
func (k Kiocb) Requeue() {
	startUndo(&k.slot.word, k.id)
}

// SetCancelFunc registers the callback that a cancel runs: at most once, after
// the cancel was accepted, and never once Complete was called. If a cancel was
// accepted before, fn runs at once, before SetCancelFunc returns. It returns
// ErrCancelFuncSet if there is a callback already and ErrCompleted if the I/O
// has completed; fn is then never called.
func (k Kiocb) SetCancelFunc(fn CancelFunc) error {
	if fn == nil {
		panic("aio: SetCancelFunc of nil")
	}
	s := k.slot
	a := &s.word
	switch armBegin(a, k.id) {
	case armTwice:
		return ErrCancelFuncSet
	case armRun:
		k.c.runCancel(nil, k, fn)
		return nil
	case armStore:
	default:
		return ErrCompleted
	}
	step.Write(&s.fn)
	s.fn = fn
	switch armFinish(a) {
	case armRun:
		k.c.runCancel(nil, k, fn)
		return nil
	case armDeliver:
		k.c.post(nil, k.id.index())
		return ErrCompleted
	case armLate:
		return ErrCompleted
	}
	return nil
}

// Completion is what became of a call of Complete.
type Completion uint8

const (
	// Delivered: the event is on its way, and nothing can stop it. No callback of
	// this I/O runs or will.
	Delivered Completion = iota
	// Left: the I/O's cancel callback, or its registration, is running at this
	// moment, on another goroutine or around this very call, and will deliver
	// the event when it ends. What the callback uses must stay until then.
	Left
	// Stale: the I/O had completed before. Nothing was changed; the context
	// counts it.
	Stale
)

// Times are when a target handed an I/O to its device, and when it got it back; 0:
// never, or not noted.
type Times struct{ Dispatched, Returned lane.Time }

// Complete ends the I/O: st is how, and n the bytes transferred. l is the lane
// that the caller runs on, nil if it runs on none. It never waits and calls
// nothing of the caller's. What the caller wrote before, the buffer above all,
// is visible to the reader of the event.
func (k Kiocb) Complete(l lane.Lane, st Status, n int64) Completion {
	a := &k.slot.word
	if w := load(a); plain(w, k.id) && cas(a, w, withState(w, stateDone)) {
		k.store(st, n, Times{})
	} else if done := k.finish(st, n, Times{}); done != Delivered {
		return done
	}
	k.c.post(l, k.id.index())
	return Delivered
}

// CompleteTimed is Complete with the times for the event.
func (k Kiocb) CompleteTimed(l lane.Lane, st Status, n int64, t Times) Completion {
	done := k.finish(st, n, t)
	if done == Delivered {
		k.c.post(l, k.id.index())
	}
	return done
}

// finish is CompleteTimed up to the delivery, which is the caller's after a Delivered.
func (k Kiocb) finish(st Status, n int64, t Times) Completion {
	a := &k.slot.word
	switch completeBegin(a, k.id) {
	case completeStale:
		k.c.stale.Add(1)
		return Stale
	case completeStore:
		k.store(st, n, t)
		if completeFinish(a) == completeLeft {
			return Left
		}
	default:
		k.store(st, n, t)
	}
	return Delivered
}

// store writes the result, which is the caller's to write, with the times if there are
// any.
func (k Kiocb) store(st Status, n int64, t Times) {
	s, result := k.slot, n<<resultShift|int64(st)
	step.Write(&s.off)
	if t.Dispatched|t.Returned != 0 {
		p, i := k.page()
		p.times[i] = t
		result |= hasTimes
	}
	s.result = result
}
