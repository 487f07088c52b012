package model

import "strings"

// word is the cancel word: the low byte is as in package aio, and the generation
// stands above it.
type word uint16

const (
	free word = iota
	live
	arming
	armed
	cancelling
	cancelled
	done

	stateMask word = 7
)

const (
	started word = 1 << (3 + iota)
	hasFn
	asked
	claimed
	pending

	genShift = 8

	lowMask word = 1<<genShift - 1
)

func (w word) state() word            { return w & stateMask }
func (w word) gen() uint8             { return uint8(w >> genShift) }
func (w word) has(flags word) bool    { return w&flags != 0 }
func (w word) in(state word) word     { return w&^stateMask | state }
func wordOf(gen uint8, low word) word { return word(gen)<<genShift | low }

var (
	stateNames = [8]string{"FREE", "LIVE", "ARMING", "ARMED", "CANCELLING", "CANCELLED", "DONE", "7"}
	flagNames  = [5]string{"started", "hasfn", "asked", "claimed", "pending"}
)

func (w word) String() string {
	s := string('0'+rune(w.gen()%10)) + ":" + stateNames[w.state()]
	var flags []string
	for i, name := range flagNames {
		if w.has(started << i) {
			flags = append(flags, name)
		}
	}
	if flags != nil {
		s += "(" + strings.Join(flags, " ") + ")"
	}
	return s
}

// consistent says whether the flags can stand together with the state.
func (w word) consistent() bool {
	switch w.state() {
	case free:
		return w&lowMask == free
	case live:
		return !w.has(hasFn | asked | claimed | pending)
	case arming:
		return w.has(hasFn) && (w.has(claimed) || !w.has(pending))
	case armed:
		return w.has(hasFn) && !w.has(asked|pending)
	case cancelling:
		return w.has(hasFn) && w.has(asked) && (w.has(claimed) || !w.has(pending))
	case cancelled:
		return w.has(asked) && !w.has(pending) && (w.has(hasFn) || !w.has(claimed))
	case done:
		return w.has(claimed) || !w.has(pending)
	}
	return false
}

// verdict is what a decision about a word says: what the call answers, or, if the
// word is to change, what the caller does once it has changed it.
type verdict uint8

const (
	// Answers that change nothing.
	notFound    verdict = iota // Cancel
	tooLate                    // Cancel
	already                    // Cancel: accepted before
	refuseLate                 // SetCancelFunc: completed
	refuseTwice                // SetCancelFunc: has one
	no                         // TryStart, Requeue
	stale                      // Complete

	// With the change.
	mark     // accepted
	run      // run the callback, then finish
	leave    // nothing more
	store    // store the callback, then armFinish
	set      // registered
	late     // not registered: completed
	yes      // started, or taken back
	claim    // store the result, then completeFinish
	dispatch // DONE: deliver
)

var verdictNames = [...]string{
	"not found", "too late", "accepted already", "refused: completed", "refused: has one", "no", "stale",
	"accepted", "run the callback", "leave", "store the callback", "registered", "not registered", "yes",
	"claim", "deliver",
}

func (v verdict) String() string { return verdictNames[v] }

// decision is what one compare-and-swap loop decides about the word that it has
// loaded. same says whether the word is of the caller's generation.
type decision func(w word, same bool) (next word, v verdict)

// rules are all that a protocol can do differently. ours returns the right ones;
// faults.go has wrong ones.
type rules struct {
	ask, finish, armBegin, armFinish decision
	start, undo                      decision
	completeBegin, completeFinish    decision
	freed                            func(w word) word
	reaping                          [4]uint8 // the steps of the reaper with one I/O, in their order
	anyWord                          bool     // a word whose flags do not fit its state is let pass
	blindSwap                        bool     // a CAS is a store
	keepTag, keepPlace               bool     // a failed submit does not give it back
	noSecondLook                     bool     // a submit does not look whether the context closed
}

func ours() rules {
	return rules{
		ask: ask, finish: finish, armBegin: armBegin, armFinish: armFinish,
		start: start, undo: undo, completeBegin: completeBegin, completeFinish: completeFinish,
		freed:   func(w word) word { return wordOf(w.gen()+1, free) },
		reaping: [4]uint8{pcRead, pcClear, pcFree, pcGive},
	}
}

// The decisions, by state. They are written from the contract, not from package
// aio's code; that the two agree is tested there.

func ask(w word, same bool) (word, verdict) {
	if !same {
		return w, notFound
	}
	switch w.state() {
	case free:
		return w, notFound
	case live:
		return w.in(cancelled) | asked, mark
	case arming:
		switch {
		case w.has(asked):
			return w, already
		case w.has(claimed):
			return w, tooLate
		}
		return w | asked, mark
	case armed:
		if w.has(claimed) {
			return w, tooLate
		}
		return w.in(cancelling) | asked, run
	case cancelling, cancelled:
		return w, already
	}
	return w, tooLate
}

// finish leaves CANCELLING.
func finish(w word, _ bool) (word, verdict) {
	if w.has(pending) {
		return w.in(done), dispatch
	}
	return w.in(cancelled), leave
}

func armBegin(w word, same bool) (word, verdict) {
	if !same || w.state() == free || w.state() == done {
		return w, refuseLate
	}
	if w.has(hasFn) {
		return w, refuseTwice
	}
	if w.state() == live {
		return w.in(arming) | hasFn, store
	}
	return w.in(cancelling) | hasFn, run
}

// armFinish leaves ARMING.
func armFinish(w word, _ bool) (word, verdict) {
	switch {
	case w.has(pending):
		return w.in(done), dispatch
	case w.has(asked) && w.has(claimed):
		return w.in(cancelled), late
	case w.has(asked):
		return w.in(cancelling), run
	}
	return w.in(armed), set
}

// over says that w has no I/O of this generation that is still to complete.
func over(w word, same bool) bool {
	return !same || w.state() == free || w.state() == done || w.has(claimed)
}

func start(w word, same bool) (word, verdict) {
	if over(w, same) || w.has(asked) {
		return w, no
	}
	return w | started, yes
}

func undo(w word, same bool) (word, verdict) {
	if over(w, same) {
		return w, no
	}
	return w &^ started, yes
}

func completeBegin(w word, same bool) (word, verdict) {
	switch {
	case over(w, same):
		return w, stale
	case w.state() == arming, w.state() == cancelling:
		return w | claimed, claim
	}
	return w.in(done), dispatch
}

// completeFinish is the second half, after the result was stored.
func completeFinish(w word, _ bool) (word, verdict) {
	if w.state() == arming || w.state() == cancelling {
		return w | pending, leave
	}
	return w.in(done), dispatch
}
