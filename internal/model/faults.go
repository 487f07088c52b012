package model

import (
	"fmt"
	"slices"
)

// A Fault is our protocol with one thing changed for the worse. The mutants of the
// real code (package mutant) have the same names where they are the same change.
type Fault struct {
	Name  string
	where int // the configuration that shows it
	apply func(p *Protocol)
}

// The places of the configurations in Configurations.
const (
	oneSlot = iota
	misuse
	lateGeneration
	nextGeneration
	callbackCompletes
	callbackLocks
	failingSubmit
	kickedTeardown
	lookedTeardown
)

// Faults are all there are.
func Faults() []Fault {
	return []Fault{
		{"swap-is-a-store", misuse, func(p *Protocol) { p.rules.blindSwap = true }},
		{"generation-stays", lateGeneration, func(p *Protocol) {
			p.rules.freed = func(w word) word { return wordOf(w.gen(), free) }
		}},

		{"cancel-of-any-generation", lateGeneration, func(p *Protocol) {
			p.rules.ask = func(w word, _ bool) (word, verdict) { return ask(w, true) }
		}},
		{"cancel-of-live-is-cancelling", oneSlot, changed(ask0, func(w word, same bool) (word, verdict) {
			if same && w.state() == live {
				return w.in(cancelling) | asked, run
			}
			return ask(w, same)
		})},
		{"cancel-of-armed-calls-nothing", oneSlot, changed(ask0, func(w word, same bool) (word, verdict) {
			if same && w.state() == armed && !w.has(claimed) {
				return w.in(cancelled) | asked, mark
			}
			return ask(w, same)
		})},
		{"cancel-after-claim", misuse, changed(ask0, func(w word, same bool) (word, verdict) {
			next, v := ask(w&^claimed, same)
			return next | w&claimed, v
		})},
		{"cancel-of-done-is-accepted", oneSlot, changed(ask0, func(w word, same bool) (word, verdict) {
			next, v := ask(w, same)
			if v == tooLate {
				v = already
			}
			return next, v
		})},
		{"cancel-of-free", nextGeneration, changed(ask0, func(w word, same bool) (word, verdict) {
			if same && w.state() == free {
				return w | asked, mark
			}
			return ask(w, same)
		})},
		{"cancel-of-arming-is-cancelled", oneSlot, changed(ask0, func(w word, same bool) (word, verdict) {
			next, v := ask(w, same)
			if v == mark && w.state() == arming {
				next = next.in(cancelled)
			}
			return next, v
		})},

		{"finish-forgets-the-result", callbackLocks, func(p *Protocol) {
			p.rules.finish = func(w word, _ bool) (word, verdict) { return w.in(cancelled), leave }
		}},
		{"finish-always-delivers", misuse, func(p *Protocol) {
			p.rules.finish = func(w word, _ bool) (word, verdict) {
				next, _ := finish(w, true)
				return next, dispatch
			}
		}},

		{"register-twice", misuse, func(p *Protocol) {
			p.rules.armBegin = func(w word, same bool) (word, verdict) {
				if same && w.has(hasFn) && w.state() == armed {
					return w.in(arming), store
				}
				return armBegin(w, same)
			}
		}},
		{"register-while-the-callback-runs", misuse, func(p *Protocol) {
			p.rules.armBegin = func(w word, same bool) (word, verdict) { return armBegin(w&^hasFn, same) }
		}},
		{"register-when-done", misuse, func(p *Protocol) {
			p.rules.armBegin = func(w word, same bool) (word, verdict) {
				if same && w.state() == done && !w.has(hasFn) {
					return w.in(cancelling) | hasFn, run
				}
				return armBegin(w, same)
			}
		}},
		{"register-of-any-generation", lateGeneration, func(p *Protocol) {
			p.rules.armBegin = func(w word, _ bool) (word, verdict) { return armBegin(w, true) }
		}},
		{"register-loses-an-earlier-cancel", oneSlot, func(p *Protocol) {
			p.rules.armBegin = func(w word, same bool) (word, verdict) {
				next, v := armBegin(w, same)
				if v == run {
					next, v = w|hasFn, set
				}
				return next, v
			}
		}},
		{"immediate-call-in-cancelled", misuse, func(p *Protocol) {
			p.rules.armBegin = func(w word, same bool) (word, verdict) {
				next, v := armBegin(w, same)
				if v == run {
					next = w | hasFn
				}
				return next, v
			}
		}},
		{"register-without-arming", misuse, func(p *Protocol) {
			p.rules.armBegin = func(w word, same bool) (word, verdict) {
				next, v := armBegin(w, same)
				if v == store {
					next = next.in(armed)
				}
				return next, v
			}
		}},
		{"arming-loses-a-cancel", oneSlot, func(p *Protocol) {
			p.rules.armFinish = func(w word, _ bool) (word, verdict) {
				if w.has(asked) && !w.has(claimed) {
					return w.in(armed), set
				}
				return armFinish(w, true)
			}
		}},
		{"arming-loses-a-result", callbackLocks, func(p *Protocol) {
			p.rules.armFinish = func(w word, _ bool) (word, verdict) { return armFinish(w&^pending, true) }
		}},
		{"arming-calls-after-a-completion", misuse, func(p *Protocol) {
			p.rules.armFinish = func(w word, _ bool) (word, verdict) {
				if w.has(asked) && !w.has(pending) {
					return w.in(cancelling), run
				}
				return armFinish(w, true)
			}
		}},

		{"start-after-a-cancel", oneSlot, func(p *Protocol) {
			p.rules.start = func(w word, same bool) (word, verdict) {
				if over(w, same) {
					return w, no
				}
				return w | started, yes
			}
		}},
		{"start-of-any-generation", lateGeneration, func(p *Protocol) {
			p.rules.start = func(w word, _ bool) (word, verdict) { return start(w, true) }
		}},
		{"requeue-of-any-generation", lateGeneration, func(p *Protocol) {
			p.rules.undo = func(w word, _ bool) (word, verdict) { return undo(w, true) }
		}},
		{"requeue-after-completion", misuse, func(p *Protocol) {
			p.rules.undo = func(w word, same bool) (word, verdict) {
				if over(w&^claimed, same) {
					return w, no
				}
				return w &^ started, yes
			}
		}},
		{"requeue-forgets-the-cancel", oneSlot, func(p *Protocol) {
			p.rules.undo = func(w word, same bool) (word, verdict) {
				if over(w, same) {
					return w, no
				}
				return w &^ (started | asked), yes
			}
		}},

		{"complete-of-any-generation", lateGeneration, func(p *Protocol) {
			p.rules.completeBegin = func(w word, _ bool) (word, verdict) { return completeBegin(w, true) }
		}},
		{"complete-when-done", misuse, func(p *Protocol) {
			p.rules.completeBegin = func(w word, same bool) (word, verdict) {
				if same && w.state() == done && !w.has(claimed) {
					return w, dispatch
				}
				return completeBegin(w, same)
			}
		}},
		{"complete-twice", misuse, func(p *Protocol) {
			p.rules.completeBegin = func(w word, same bool) (word, verdict) {
				next, v := completeBegin(w&^claimed, same)
				return next | w&claimed, v
			}
		}},
		{"complete-while-arming", misuse, completesIn(arming)},
		{"complete-while-the-callback-runs", misuse, completesIn(cancelling)},
		{"pending-before-the-result", misuse, func(p *Protocol) {
			p.rules.completeBegin = func(w word, same bool) (word, verdict) {
				next, v := completeBegin(w, same)
				if v == claim {
					next |= pending
				}
				return next, v
			}
		}},
		{"result-left-to-nobody", callbackLocks, func(p *Protocol) {
			p.rules.completeFinish = func(w word, _ bool) (word, verdict) { return w | pending, leave }
		}},
		{"result-not-pending", callbackLocks, func(p *Protocol) {
			p.rules.completeFinish = func(w word, _ bool) (word, verdict) {
				if w.state() == arming || w.state() == cancelling {
					return w, leave
				}
				return completeFinish(w, true)
			}
		}},

		{"tag-before-the-word", oneSlot, func(p *Protocol) {
			p.rules.reaping = [4]uint8{pcRead, pcClear, pcGive, pcFree}
		}},
		{"event-after-the-slot", lateGeneration, func(p *Protocol) {
			p.rules.reaping = [4]uint8{pcClear, pcFree, pcGive, pcRead}
		}},
		{"clear-after-the-word", lateGeneration, func(p *Protocol) {
			p.rules.reaping = [4]uint8{pcRead, pcFree, pcGive, pcClear}
		}},
		{"failed-submit-keeps-the-tag", failingSubmit, func(p *Protocol) { p.rules.keepTag = true }},
		{"failed-submit-keeps-the-place", failingSubmit, func(p *Protocol) { p.rules.keepPlace = true }},

		{"submit-does-not-look-again", kickedTeardown, func(p *Protocol) { p.rules.noSecondLook = true }},
		{"walk-before-close", kickedTeardown, func(p *Protocol) {
			c := p.players[0].program
			p.players[0].program = append(slices.Clone(c[1:3]), c[0], c[3])
		}},
		{"walk-leaves-out-the-last", kickedTeardown, func(p *Protocol) {
			p.players[0].program = slices.Delete(slices.Clone(p.players[0].program), 2, 3)
		}},
	}
}

// ask0 picks the decision of Cancel.
func ask0(r *rules) *decision { return &r.ask }

// changed replaces one decision.
func changed(which func(*rules) *decision, by decision) func(*Protocol) {
	return func(p *Protocol) { *which(&p.rules) = by }
}

// completesIn has Complete treat a state as any other.
func completesIn(state word) func(p *Protocol) {
	return func(p *Protocol) {
		p.rules.completeBegin = func(w word, same bool) (word, verdict) {
			if !over(w, same) && w.state() == state {
				return w.in(done), dispatch
			}
			return completeBegin(w, same)
		}
	}
}

// find runs the configuration that shows f.
func (f Fault) find(bound int) (*Protocol, Result, error) {
	p := Configurations()[f.where]
	f.apply(p)
	p.rules.anyWord = true // it is for the contract's rules to find it
	r, err := Check[world](p, bound)
	return p, r, err
}

// Caught says by which rule the model finds the fault of that name, and an error
// if it does not or there is none.
func Caught(name string) (string, error) {
	for _, f := range Faults() {
		if f.Name != name {
			continue
		}
		_, r, err := f.find(faultBound)
		switch {
		case err != nil:
			return "", err
		case r.Finding == nil:
			return "", fmt.Errorf("model: %s is not found", name)
		}
		return r.Finding.Reason, nil
	}
	return "", fmt.Errorf("model: no fault %s", name)
}

// faultBound is how many states are looked at for a fault: a fault is not deep.
const faultBound = 4 << 20
