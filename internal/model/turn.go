package model

import "fmt"

// The steps of the calls, in the order of their calls. Each is one access to one
// shared word or cell, or one that the contract makes indivisible.
const (
	pcEnter uint8 = iota // no step: the line has not begun

	pcReserve
	pcTake
	pcPage
	pcGiveBack
	pcUnreserve
	pcFill
	pcPublish
	pcHand
	pcSecondLook

	pcAskLoad
	pcAsk
	pcReadFn
	pcCall
	pcReturn
	pcFinishLoad
	pcFinish

	pcArmLoad
	pcArm
	pcStoreFn
	pcArmedLoad
	pcArmed

	pcStartLoad
	pcStart
	pcUndoLoad
	pcUndo

	pcEndLoad
	pcEnd
	pcResult
	pcStore
	pcLeaveLoad
	pcLeave

	pcPush
	pcRead
	pcClear
	pcFree
	pcGive

	pcHanded
	pcAsked
	pcCalled
	pcLook
	pcLookAgain
	pcClose
	pcVisit
	pcDrained
	pcReap
	pcRelease
	pcLock
	pcUnlock

	pcSkip
	numPCs
)

// what names a step and does it: it changes t.to and says whether it can be taken
// now.
type what struct {
	name string
	do   func(*turn) bool
}

var steps = [numPCs]what{
	pcReserve:    {"reserves a place", (*turn).reserve},
	pcTake:       {"takes a tag", (*turn).takeTag},
	pcPage:       {"gets the memory", (*turn).page},
	pcGiveBack:   {"no memory: gives the tag back", (*turn).giveBack},
	pcUnreserve:  {"gives the place back", (*turn).unreserve},
	pcFill:       {"fills the body", (*turn).fill},
	pcPublish:    {"publishes", (*turn).publish},
	pcHand:       {"hands it to the target", (*turn).hand},
	pcSecondLook: {"looks whether the context closed", (*turn).secondLook},

	pcAskLoad:    {"Cancel loads", (*turn).askLoad},
	pcAsk:        {"Cancel swaps", (*turn).ask},
	pcReadFn:     {"reads the callback", (*turn).readFn},
	pcCall:       {"the callback begins", (*turn).call},
	pcReturn:     {"the callback ends", (*turn).callEnds},
	pcFinishLoad: {"finish loads", (*turn).finishLoad},
	pcFinish:     {"finish swaps", (*turn).finish},

	pcArmLoad:   {"SetCancelFunc loads", (*turn).armLoad},
	pcArm:       {"SetCancelFunc swaps", (*turn).arm},
	pcStoreFn:   {"stores the callback", (*turn).storeFn},
	pcArmedLoad: {"armFinish loads", (*turn).armedLoad},
	pcArmed:     {"armFinish swaps", (*turn).armed},

	pcStartLoad: {"TryStart loads", (*turn).startLoad},
	pcStart:     {"TryStart swaps", (*turn).start},
	pcUndoLoad:  {"Requeue loads", (*turn).undoLoad},
	pcUndo:      {"Requeue swaps", (*turn).undo},

	pcEndLoad:   {"Complete loads", (*turn).endLoad},
	pcEnd:       {"Complete swaps", (*turn).end},
	pcResult:    {"stores its result", (*turn).storeResult},
	pcStore:     {"stores its result for another", (*turn).storeResult},
	pcLeaveLoad: {"completeFinish loads", (*turn).leaveLoad},
	pcLeave:     {"completeFinish swaps", (*turn).leave},

	pcPush:  {"pushes it into the ring", (*turn).push},
	pcRead:  {"reads word and body for the event", (*turn).readBody},
	pcClear: {"clears the callback", (*turn).clear},
	pcFree:  {"frees the slot", (*turn).free},
	pcGive:  {"gives the tag back", (*turn).give},

	pcHanded:    {"gets the I/O", (*turn).getsIt},
	pcAsked:     {"sees that it was cancelled", (*turn).seesAsked},
	pcCalled:    {"was kicked", (*turn).seesCalled},
	pcLook:      {"asks Cancelled", (*turn).look},
	pcLookAgain: {"asks Cancelled again", (*turn).lookAgain},
	pcClose:     {"closes the context", (*turn).close},
	pcVisit:     {"visits a slot", (*turn).visit},
	pcDrained:   {"sees that nothing is in flight", (*turn).isDrained},
	pcReap:      {"reaps", (*turn).reap},
	pcRelease:   {"releases a place", (*turn).release},
	pcLock:      {"locks", (*turn).lock},
	pcUnlock:    {"unlocks", (*turn).unlock},

	pcSkip: {"leaves it out", nil},
}

var entry = [...]uint8{
	opSubmit: pcReserve, opHanded: pcHanded, opRegister: pcArmLoad, opCancel: pcAskLoad, opCancelID: pcAskLoad,
	opStart: pcStartLoad, opUndo: pcUndoLoad, opComplete: pcEndLoad, opLook: pcLook, opAsked: pcAsked, opCalled: pcCalled,
	opClose: pcClose, opVisit: pcVisit, opDrained: pcDrained, opReap: pcReap, opLock: pcLock, opUnlock: pcUnlock,
}

// turn takes the steps of one state.
type turn struct {
	p      *Protocol
	from   *world
	moves  []Move[world]
	i      int    // the actor
	a      *actor // in to
	in     instr
	pc     uint8
	to     world // the state after the step
	broken string
}

// take appends the steps that actor i can take.
func (t *turn) take(i int) {
	program := t.p.players[i].program
	a := &t.from.actors[i]
	if int(a.line) == len(program) {
		return
	}
	t.i, t.in, t.pc = i, program[a.line], a.pc
	t.back()
	if t.pc == pcEnter {
		if t.in.maybe {
			t.pc = pcSkip
			t.ret()
			t.emit()
		}
		if !t.enter() {
			return
		}
		t.pc = entry[t.in.op]
	}
	if steps[t.pc].do(t) || t.broken != "" {
		t.emit()
	}
}

// back begins a step anew.
func (t *turn) back() {
	t.to = *t.from
	t.a = &t.to.actors[t.i]
	t.broken = ""
}

// emit appends the step to t.to, and begins anew for another.
func (t *turn) emit() {
	t.moves = append(t.moves, Move[world]{To: t.to, Actor: uint8(t.i), Step: t.pc, Broken: t.broken})
	t.back()
}

// enter sets the handle of the kiocb that a line is about. It says false while
// that is unknown; then the line waits.
func (t *turn) enter() bool {
	switch t.in.op {
	case opCancelID:
		t.a.h = t.in.id
	case opRegister, opCancel, opStart, opUndo, opComplete, opLook:
		o := &t.to.ios[t.in.io]
		if o.is(refused) {
			t.pc = pcSkip
			t.ret()
			t.emit()
			return false
		}
		t.a.h = o.h
		return o.h != 0
	}
	return true
}

// breaks notes that the step breaks a rule; the first one counts.
func (t *turn) breaks(format string, args ...any) {
	if t.broken == "" {
		t.broken = fmt.Sprintf(format, args...)
	}
}

// ret ends the line.
func (t *turn) ret() bool {
	t.a.line++
	t.a.pc, t.a.w, t.a.h, t.a.x = pcEnter, 0, 0, 0
	return true
}

func (t *turn) goOn(pc uint8) bool { t.a.pc = pc; return true }

// word is the cancel word of the kiocb that the actor is at.
func (t *turn) word() *word { return &t.to.words[t.a.h.slot()] }

func (t *turn) same(w word) bool { return w.gen() == t.a.h.gen() }

// io is what is true of the I/O that the actor is at.
func (t *turn) io() *io {
	o, _ := t.to.published(t.a.h)
	return o
}

// Tell describes a step.
func (p *Protocol) Tell(from *world, m *Move[world]) string {
	a, b := &from.actors[m.Actor], &m.To.actors[m.Actor]
	s := p.players[m.Actor].name + ": " + steps[m.Step].name
	h := b.h
	if h == 0 {
		h = a.h
	}
	if in := p.players[m.Actor].program[a.line]; h == 0 && in.op != opVisit && in.op != opReap {
		h = from.ios[in.io].h
	}
	line := fmt.Sprintf("%-52s", s)
	for i := range p.slots {
		if from.words[i] != m.To.words[i] {
			line += fmt.Sprintf(" word %d: %v -> %v", i, from.words[i], m.To.words[i])
		} else if h != 0 && h.slot() == i {
			line += fmt.Sprintf(" word %d: %v", i, from.words[i])
		}
	}
	return line
}
