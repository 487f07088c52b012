package aio

import (
	"sync/atomic"

	"blksim/internal/step"
)

// The cancel word
//
// Everything that can race about a kiocb is decided by one 64-bit word:
//
//	63            20 19      8 7       3 2     0
//	[ generation 44 ][ hook 12 ][ flags 5 ][ state ]
//
// Every change is a compare-and-swap of the whole word, so whoever holds an ID
// of an older generation cannot change anything, and there is never a moment at
// which a kiocb is "found but perhaps another one already". 44 bits of
// generation last a slot that is used 10^7 times a second for 20 days.
//
//	         SetCancelFunc            fn stored
//	  LIVE ---------------> ARMING ---------------> ARMED
//	   |                      |  (asked meanwhile)    |
//	   | Cancel               +----------+            | Cancel
//	   v       SetCancelFunc             v            |
//	CANCELLED ----------------------> CANCELLING <----+   the callback runs here
//	   ^                                 |
//	   +---------------------------------+ finish
//
//	LIVE, ARMED, CANCELLED -- Complete --> DONE -- reap --> FREE, generation + 1
//	ARMING, CANCELLING     -- Complete leaves its result (CLAIMED, then PENDING)
//	                          and whoever leaves that state goes to DONE for it.
//
// Nobody ever waits for anybody: a completer that meets a running callback
// leaves the result and goes; the canceller delivers it. That is what the
// protocol of 2013 spun for, and where it could deadlock.
//
// Two steps are not in the design's first sketch. ARMING exists because the
// callback is stored next to the word, not in it: without a state that keeps the
// slot from being completed and used again, a registration that races with a
// completion would write its callback into the next I/O. CLAIMED exists because
// a result is more than a word: the one completer that set it may write the
// result, so a second Complete, however timed, can neither change it nor deliver
// it again. Once CLAIMED or DONE is set no callback starts.
//
// A callback that is a Hook is in the word, by its number: it has no ARMING, since
// there is nothing to store beside the word. LIVE goes to ARMED in one step, which
// may set STARTED as well.
const (
	stateFree       = iota // no I/O, or not published yet
	stateLive              // published; no callback
	stateArming            // SetCancelFunc is storing the callback
	stateArmed             // has a callback
	stateCancelling        // the callback runs
	stateCancelled         // asked to cancel; no callback runs
	stateDone              // completed; the event is on its way

	stateMask = 7
)

const (
	flagStarted = 1 << (3 + iota) // handed to the device
	flagHasFn                     // SetCancelFunc was here
	flagAsked                     // a cancel was accepted
	flagClaimed                   // one Complete owns the result
	flagPending                   // the result is stored: who leaves the state delivers it

	hookShift = 8 // the Hook, if the callback is one; else 0
	hookBits  = genShift - hookShift
	hookMask  = (1<<hookBits - 1) << hookShift

	genShift = indexBits
	genMask  = 1<<(64-genShift) - 1
	lowMask  = 1<<genShift - 1
)

type cancelWord = atomic.Uint64

func wordOf(gen uint64, state uint64) uint64 { return gen<<genShift | state }
func wordGen(w uint64) uint64                { return w >> genShift }
func wordState(w uint64) uint64              { return w & stateMask }
func wordHook(w uint64) Hook                 { return Hook(w & hookMask >> hookShift) }
func withHook(w uint64, h Hook) uint64       { return w | flagHasFn | uint64(h)<<hookShift }

// sameGen says whether w is of id's generation.
func sameGen(w uint64, id ID) bool { return (w^uint64(id))>>genShift == 0 }

// freed is the word of the generation after w's. When generations wrap it is that
// of generation 0, which is never published: publish makes it 1.
func freed(w uint64) uint64 { return (w | lowMask) + 1 }

func withState(w, state uint64) uint64 { return w&^stateMask | state }

func load(a *cancelWord) uint64 {
	step.Read(a)
	return a.Load()
}

func cas(a *cancelWord, old, new uint64) bool {
	step.CAS(a, old)
	return a.CompareAndSwap(old, new)
}

// cancelAsk is Cancel's decision. run: the caller is now in CANCELLING: it must
// run the callback and then call cancelFinish.
func cancelAsk(a *cancelWord, id ID) (res CancelResult, run bool) {
	for {
		w := load(a)
		if !sameGen(w, id) {
			return NotFound, false
		}
		switch {
		case wordState(w) == stateFree:
			return NotFound, false
		case w&flagAsked != 0 && wordState(w) != stateDone:
			return Accepted, false
		case wordState(w) == stateDone, w&flagClaimed != 0:
			return TooLate, false
		}
		next := w | flagAsked
		switch wordState(w) {
		case stateLive:
			next = withState(next, stateCancelled)
		case stateArmed:
			next = withState(next, stateCancelling)
		case stateArming:
			// The registrar will find the flag and run the callback.
		}
		if cas(a, w, next) {
			return Accepted, wordState(next) == stateCancelling
		}
	}
}

// cancelFinish leaves CANCELLING, whose owner the caller is. deliver: a result
// was left meanwhile, and the caller must deliver it.
func cancelFinish(a *cancelWord) (deliver bool) {
	for {
		w := load(a)
		next := withState(w, stateCancelled)
		if w&flagPending != 0 {
			next = withState(w, stateDone)
		}
		if cas(a, w, next) {
			return w&flagPending != 0
		}
	}
}

// What a registration is to do next.
type armStep uint8

const (
	armStore   armStep = iota // in ARMING: store the callback, then armFinish
	armRun                    // in CANCELLING: run the callback, then cancelFinish
	armSet                    // registered
	armDeliver                // DONE: deliver the result that was left; registered too late
	armTwice                  // refused: registered before
	armLate                   // refused: completed
)

// armBegin is the first half of SetCancelFunc.
func armBegin(a *cancelWord, id ID) armStep {
	for {
		w := load(a)
		var next uint64
		var then armStep
		switch st := wordState(w); {
		case !sameGen(w, id), st == stateFree, st == stateDone:
			return armLate
		case w&flagHasFn != 0:
			return armTwice
		case st == stateLive:
			next, then = withState(w, stateArming)|flagHasFn, armStore
		default: // CANCELLED: the cancel came first, and is not lost
			next, then = withState(w, stateCancelling)|flagHasFn, armRun
		}
		if cas(a, w, next) {
			return then
		}
	}
}

// armFinish leaves ARMING, whose owner the caller is, after the callback was
// stored.
func armFinish(a *cancelWord) (then armStep) {
	for {
		w := load(a)
		var next uint64
		switch {
		case w&flagPending != 0:
			next, then = withState(w, stateDone), armDeliver
		case w&flagClaimed != 0 && w&flagAsked != 0:
			next, then = withState(w, stateCancelled), armLate
		case w&flagAsked != 0:
			next, then = withState(w, stateCancelling), armRun
		default:
			next, then = withState(w, stateArmed), armSet
		}
		if cas(a, w, next) {
			return then
		}
	}
}

// startAsk is TryStart: it adds STARTED unless a cancel was accepted.
func startAsk(a *cancelWord, id ID) bool {
	for {
		w := load(a)
		st := wordState(w)
		if !sameGen(w, id) || st == stateFree || st == stateDone || w&(flagAsked|flagClaimed) != 0 {
			return false
		}
		if cas(a, w, w|flagStarted) {
			return true
		}
	}
}

// startPart is StartPart: startAsk, but an I/O that is STARTED stays so. Both are
// one decision: between a look and a second, another part could start.
func startPart(a *cancelWord, id ID) bool {
	for {
		w := load(a)
		switch st := wordState(w); {
		case !sameGen(w, id), st == stateFree, st == stateDone:
			return false
		case w&flagStarted != 0:
			return true
		case w&(flagAsked|flagClaimed) != 0:
			return false
		}
		if cas(a, w, w|flagStarted) {
			return true
		}
	}
}

// startUndo is Requeue: it takes STARTED away, while there is no completion.
func startUndo(a *cancelWord, id ID) {
	for {
		w := load(a)
		st := wordState(w)
		if !sameGen(w, id) || st == stateFree || st == stateDone || w&flagClaimed != 0 {
			return
		}
		if cas(a, w, w&^flagStarted) {
			return
		}
	}
}

// What a completion is to do next.
type completeStep uint8

const (
	completeDeliver completeStep = iota // DONE: deliver
	completeStore                       // claimed: store the result, then completeFinish
	completeLeft                        // the result is left; another delivers it
	completeStale                       // refused: completed before, or never submitted
)

// plain says whether w is of id's generation and of an I/O that nobody but its
// target has touched: completeBegin would move it to DONE.
func plain(w uint64, id ID) bool {
	quiet := w & (lowMask &^ (flagStarted | hookMask))
	return sameGen(w, id) && (quiet == stateLive || quiet == stateArmed|flagHasFn)
}

// completeBegin is the first half of Complete.
func completeBegin(a *cancelWord, id ID) (then completeStep) {
	for {
		w := load(a)
		var next uint64
		switch bit := uint64(1) << wordState(w); {
		case !sameGen(w, id), bit&(1<<stateFree|1<<stateDone) != 0, w&flagClaimed != 0:
			return completeStale
		case bit&(1<<stateArming|1<<stateCancelling) != 0:
			next, then = w|flagClaimed, completeStore
		default:
			next, then = withState(w, stateDone), completeDeliver
		}
		if cas(a, w, next) {
			return then
		}
	}
}

// completeFinish is the second half, after the claim's owner stored the result.
func completeFinish(a *cancelWord) (then completeStep) {
	for {
		w := load(a)
		var next uint64
		switch wordState(w) {
		case stateArming, stateCancelling:
			next, then = w|flagPending, completeLeft
		default: // the callback ended in between
			next, then = withState(w, stateDone), completeDeliver
		}
		if cas(a, w, next) {
			return then
		}
	}
}
