package aio

import (
	"sync"

	"blksim/internal/step"
)

// A Hook is a cancel callback that is known beforehand, by a number. The number fits
// into the cancel word, so that registering it is one compare-and-swap, and can be the
// same one that starts the I/O; SetCancelFunc, which stores a function beside the
// word, takes two of its own. The zero Hook is none.
//
// A target makes its hook once, for all its I/Os, as a package's variable: there are
// at most MaxHooks in a process.
type Hook uint16

// MaxHooks is how many there may be.
const MaxHooks = 1<<hookBits - 1

var hooks struct {
	mu    sync.Mutex // guards last, and the writing of funcs; a leaf
	last  Hook
	funcs [MaxHooks + 1]CancelFunc // written before the number is known to anybody
}

// NewHook gives fn a number. Any goroutine.
func NewHook(fn CancelFunc) Hook {
	if fn == nil {
		panic("aio: NewHook of nil")
	}
	hooks.mu.Lock()
	defer hooks.mu.Unlock()
	if hooks.last == MaxHooks {
		panic("aio: too many hooks: make one for all I/Os of a target")
	}
	hooks.last++
	hooks.funcs[hooks.last] = fn
	return hooks.last
}

// SetHook is SetCancelFunc for a hook.
func (k Kiocb) SetHook(h Hook) error {
	switch armHook(&k.slot.word, k.id, h) {
	case armTwice:
		return ErrCancelFuncSet
	case armRun:
		k.c.runCancel(nil, k, hooks.funcs[h])
	case armLate:
		return ErrCompleted
	}
	return nil
}

// TryStartHook is TryStart and SetHook at once. It answers as TryStart does, and only
// after a true is h registered. There must be no callback yet.
func (k Kiocb) TryStartHook(h Hook) bool {
	// The word of an I/O that nobody has touched is known without a look at it.
	live := uint64(k.id)&^lowMask | stateLive
	a := &k.slot.word
	step.Write(a)
	return a.CompareAndSwap(live, hookedStart(live, h)) || startHook(a, k.id, h)
}

// hookedStart is the word of LIVE w after TryStartHook.
func hookedStart(w uint64, h Hook) uint64 {
	return withHook(withState(w, stateArmed), h) | flagStarted
}

// armHook is SetHook. It is done with its one step, or armRun.
func armHook(a *cancelWord, id ID, h Hook) armStep {
	for {
		w := load(a)
		next, then := withHook(withState(w, stateArmed), h), armSet
		switch st := wordState(w); {
		case !sameGen(w, id), st == stateFree, st == stateDone:
			return armLate
		case w&flagHasFn != 0:
			return armTwice
		case st == stateCancelled: // the cancel came first, and is not lost
			next, then = withState(next, stateCancelling), armRun
		}
		if cas(a, w, next) {
			return then
		}
	}
}

// startHook is TryStartHook: of an I/O that nobody has touched it makes a STARTED one
// with a callback.
func startHook(a *cancelWord, id ID, h Hook) bool {
	for {
		w := load(a)
		if !sameGen(w, id) || wordState(w) != stateLive {
			return false
		}
		if cas(a, w, hookedStart(w, h)) {
			return true
		}
	}
}
