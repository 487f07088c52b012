package model

// An Op is one of the protocol's decisions about a word, each one loop of load and
// compare-and-swap in package aio.
type Op uint8

// The decisions.
const (
	OpCancel         Op = iota // cancelAsk
	OpFinish                   // cancelFinish
	OpRegister                 // armBegin
	OpRegistered               // armFinish
	OpStart                    // startAsk
	OpRequeue                  // startUndo
	OpComplete                 // completeBegin
	OpCompleteFinish           // completeFinish

	NumOps = iota // how many decisions there are
)

// Decide says what the model does with a word: next is its new low byte, state and
// flags, and answer what the caller gets or does. same says whether the word is of
// the caller's generation.
func Decide(op Op, low uint8, same bool) (next uint8, answer string) {
	r := ours()
	decisions := [NumOps]decision{
		r.ask, r.finish, r.armBegin, r.armFinish, r.start, r.undo, r.completeBegin, r.completeFinish,
	}
	w, v := decisions[op](word(low), same)
	return uint8(w & lowMask), v.String()
}

// Words are the low bytes that a word can have when the decision is made.
func Words(op Op) (all []uint8) {
	for w := range lowMask + 1 {
		can := w.consistent()
		switch op {
		case OpFinish:
			can = can && w.state() == cancelling
		case OpRegistered:
			can = can && w.state() == arming
		case OpCompleteFinish:
			can = can && w.has(claimed) && !w.has(pending) && w.state() != done
		}
		if can {
			all = append(all, uint8(w))
		}
	}
	return all
}
