package model

import (
	"fmt"
	"slices"
	"strings"
)

// The protocol of 2013, in one slot. A kiocb has one cell, ki_cancel, which is
// NULL, a callback, CANCELLING or CANCELLED; the last also stands for completed
// and for free. A canceller finds the kiocb by its key and compares a pointer to
// the caller's iocb. The model has our words for its steps.
type cell uint8

const (
	null      cell = iota
	function       // a driver's callback; the same one in every registration
	inCancel       // CANCELLING
	wasCancel      // CANCELLED

	cellValues = iota
)

var cellNames = [cellValues]string{"NULL", "callback", "CANCELLING", "CANCELLED"}

func (c cell) String() string { return cellNames[c] }

// oldWorld is a state of it.
type oldWorld struct {
	cell   cell
	user   uint8 // 1 + the iocb whose pointer the kiocb has
	taken  bool  // the tag
	locked bool  // the driver's lock
	iocbs  [2]iocb
	actors [5]oldActor
}

type oldActor struct {
	line, pc uint8
	old, now cell // of its loop
}

// iocb is what is true of an I/O.
type iocb struct{ facts oldFacts }

type oldFacts uint16

const (
	keyed       oldFacts = 1 << iota // its caller can name it
	shown                            // published: cancellable
	withDriver                       // the driver has it
	armedOnce                        // a registration was taken
	marked                           // a cancel changed its kiocb
	promised                         // a cancel of it was answered "in progress" before it was published
	wasCalled                        // its callback was called by a canceller
	inCall                           // its callback runs, called by a canceller
	inImmediate                      // its callback runs, called by a registration
	oldOver                          // completed, and its event sent
	failed                           // its submit failed
)

func (o *iocb) is(f oldFacts) bool { return o.facts&f != 0 }

// oldOp is what a line of an old program calls.
type oldOp uint8

const (
	oldSubmit oldOp = iota
	oldFailingSubmit
	oldRegister
	oldCancel
	oldComplete
	oldLock
	oldUnlock
	oldAwait // waits until a callback is registered
)

type oldInstr struct {
	op oldOp
	io uint8
}

type oldPlayer struct {
	name    string
	program []oldInstr
}

// oldRule is one rule that a configuration watches; the others are let pass, or a
// defect with a short trace would hide those with longer ones.
type oldRule uint8

const (
	anEnd          oldRule = iota // nobody waits for ever
	ownGeneration                 // S5: a cancel changes only the I/O that was asked for
	notLost                       // S8: what was cancelled and has a callback is called
	heldOff                       // S3: no completion while a canceller runs the callback
	immediateHeld                 // S3: nor while a registration does
	notLate                       // S3: no callback of a completed I/O
	freeIsFree                    // S10: a tag is free only if its kiocb is not cancellable
	claims                        // S1: a completion claims its kiocb
	noEmptyPromise                // S7: an answer "in progress" is true
)

// Posted is a configuration of the protocol of 2013.
type Posted struct {
	Defect   string // its letter
	What     string
	Repaired bool // kiocb_cancel installs what it has worked out
	begun    bool // iocb 0 is with its driver already
	watch    oldRule
	players  []oldPlayer
	must     string // is in the trace: it is this defect and no other
}

var _ Model[oldWorld] = (*Posted)(nil)

// PostedDefects are the defects that a model can show, each with the fewest actors
// that it takes. In the repaired protocol the first is gone.
func PostedDefects(repaired bool) []*Posted {
	on := func(name string, program ...oldInstr) oldPlayer { return oldPlayer{name, program} }
	first, next := uint8(0), uint8(1)
	registers := oldInstr{oldRegister, first}
	all := []*Posted{
		{
			Defect: "a", What: "a kiocb without a callback stays CANCELLING, and its completion spins for ever",
			watch: anEnd, begun: true, must: "kiocb_cancel swaps",
			players: []oldPlayer{
				on("canceller", oldInstr{oldCancel, first}),
				on("driver", oldInstr{oldComplete, first}),
			},
		},
		{
			Defect: "d", What: "a cancel of a completed I/O cancels the next one in its slot",
			watch: ownGeneration, begun: true, must: "kiocb_cancel swaps",
			players: []oldPlayer{
				on("canceller", oldInstr{oldCancel, first}),
				on("driver", oldInstr{oldComplete, first}),
				on("submitter", oldInstr{oldSubmit, next}),
			},
		},
		{
			Defect: "e", What: "a registration overwrites CANCELLING, and the cancel is lost",
			watch: notLost, begun: true, must: "CANCELLING -> callback",
			players: []oldPlayer{
				on("canceller", oldInstr{oldCancel, first}),
				on("driver", registers, oldInstr{oldComplete, first}),
			},
		},
		{
			Defect: "f", What: "a registration calls back at once, and the completion is not held off",
			watch: immediateHeld, begun: true, must: "set_cancel_fn calls back at once",
			players: []oldPlayer{
				on("canceller", oldInstr{oldCancel, first}),
				on("registrar", registers),
				on("registrar 2", registers),
				on("driver", oldInstr{oldComplete, first}),
			},
		},
		{
			Defect: "g", What: "a late registration calls back on a completed kiocb",
			watch: notLate, begun: true, must: "set_cancel_fn calls back at once",
			players: []oldPlayer{
				on("registrar", registers),
				on("driver", oldInstr{oldComplete, first}),
			},
		},
		{
			Defect: "h", What: "a submit that fails after it published frees a kiocb that is cancellable",
			watch: freeIsFree, must: "fails",
			players: []oldPlayer{
				on("submitter", oldInstr{oldFailingSubmit, first}),
				on("canceller", oldInstr{oldCancel, first}),
			},
		},
		{
			Defect: "i", What: "a completion leaves its loop without having claimed the kiocb",
			watch: claims, begun: true, must: "has what it had",
			players: []oldPlayer{
				on("canceller", oldInstr{oldCancel, first}),
				on("registrar", registers),
				on("registrar 2", registers),
				on("driver", oldInstr{oldComplete, first}),
			},
		},
		{
			Defect: "k", What: "a cancel just before the kiocb is published is accepted, and lost",
			watch: noEmptyPromise, must: "publishes",
			players: []oldPlayer{
				on("submitter", oldInstr{oldSubmit, first}),
				on("canceller", oldInstr{oldCancel, first}),
				on("driver", oldInstr{oldComplete, first}),
			},
		},
		{
			Defect: "l", What: "the completion spins for a callback that wants the completer's lock",
			watch: anEnd, begun: true, must: "locks",
			players: []oldPlayer{
				on("driver", registers, oldInstr{op: oldLock}, oldInstr{oldComplete, first}, oldInstr{op: oldUnlock}),
				on("canceller", oldInstr{oldAwait, first}, oldInstr{oldCancel, first}),
			},
		},
	}
	for _, m := range all {
		m.Repaired = repaired
		if repaired && m.Defect == "e" {
			// NULL to CANCELLING is repaired; a callback to CANCELLING is not.
			m.watch = heldOff
			m.players = []oldPlayer{
				on("registrar", registers, registers),
				on("canceller", oldInstr{oldCancel, first}),
				on("driver", oldInstr{oldComplete, first}),
			}
		}
	}
	return all
}

// locksInCallback says whether the driver's callback takes its lock.
func (p *Posted) locksInCallback() bool {
	return slices.ContainsFunc(p.players, func(pl oldPlayer) bool {
		return slices.ContainsFunc(pl.program, func(in oldInstr) bool { return in.op == oldLock })
	})
}

// Start is a fresh slot, or one whose first I/O is with its driver.
func (p *Posted) Start() oldWorld {
	s := oldWorld{cell: wasCancel}
	if p.begun {
		s = oldWorld{cell: null, user: 1, taken: true}
		s.iocbs[0].facts = keyed | shown | withDriver
	}
	return s
}

// Lacks says who waits, where nobody may.
func (p *Posted) Lacks(s *oldWorld) string {
	var waits []string
	for i, pl := range p.players {
		a := &s.actors[i]
		switch {
		case int(a.line) == len(pl.program):
		case a.pc == oldSpin:
			waits = append(waits, "the "+pl.name+"'s completion spins until CANCELLING is over")
		case a.pc == oldCall:
			waits = append(waits, "the "+pl.name+"'s callback waits for the lock")
		default:
			waits = append(waits, "the "+pl.name+" waits")
		}
	}
	if p.watch != anEnd {
		return ""
	}
	return strings.Join(waits, ", ")
}

// Tell describes a step.
func (p *Posted) Tell(from *oldWorld, m *Move[oldWorld]) string {
	a := &from.actors[m.Actor]
	io := p.players[m.Actor].program[a.line].io
	s := fmt.Sprintf("%s: %s", p.players[m.Actor].name, oldSteps[m.Step].name)
	s = fmt.Sprintf("%-52s iocb %d  ki_cancel: %v", s, io, from.cell)
	if from.cell != m.To.cell {
		s += fmt.Sprintf(" -> %v", m.To.cell)
	}
	return s
}
