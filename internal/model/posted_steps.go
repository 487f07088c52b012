package model

// The steps of the calls of 2013.
const (
	oldEnter uint8 = iota

	oldTakeTag
	oldShowKey
	oldSetUser
	oldPublish
	oldRun
	oldFail

	oldArmLoad
	oldArm
	oldCallNow
	oldCallNowEnds

	oldLookup
	oldAskLoad
	oldAsk
	oldCall
	oldCallEnds
	oldMarkCancelled

	oldEndLoad
	oldEnd
	oldSpin
	oldSendEvent
	oldFreeTag

	oldTakeLock
	oldGiveLock
	oldSeeArmed
	oldPCs
)

type oldWhat struct {
	name string
	do   func(*oldTurn) bool
}

var oldSteps = [oldPCs]oldWhat{
	oldTakeTag: {"io_submit takes the tag", (*oldTurn).takeTag},
	oldShowKey: {"io_submit tells the key", (*oldTurn).showKey},
	oldSetUser: {"io_submit sets the iocb's pointer", (*oldTurn).setUser},
	oldPublish: {"io_submit publishes", (*oldTurn).publish},
	oldRun:     {"io_submit gives it to the driver", (*oldTurn).run},
	oldFail:    {"io_submit fails, and frees the tag", (*oldTurn).fail},

	oldArmLoad:     {"set_cancel_fn loads", (*oldTurn).armLoad},
	oldArm:         {"set_cancel_fn swaps", (*oldTurn).arm},
	oldCallNow:     {"set_cancel_fn calls back at once", (*oldTurn).callNow},
	oldCallNowEnds: {"that callback ends", (*oldTurn).callNowEnds},

	oldLookup:        {"io_cancel looks up the kiocb", (*oldTurn).lookup},
	oldAskLoad:       {"kiocb_cancel loads", (*oldTurn).askLoad},
	oldAsk:           {"kiocb_cancel swaps", (*oldTurn).ask},
	oldCall:          {"kiocb_cancel calls back", (*oldTurn).call},
	oldCallEnds:      {"the callback ends", (*oldTurn).callEnds},
	oldMarkCancelled: {"kiocb_cancel stores", (*oldTurn).markCancelled},

	oldEndLoad:   {"aio_complete loads", (*oldTurn).endLoad},
	oldEnd:       {"aio_complete swaps", (*oldTurn).end},
	oldSpin:      {"aio_complete spins, and has what it had", (*oldTurn).spin},
	oldSendEvent: {"aio_complete sends the event", (*oldTurn).sendEvent},
	oldFreeTag:   {"aio_complete frees the tag", (*oldTurn).freeTag},

	oldTakeLock: {"locks", (*oldTurn).takeLock},
	oldGiveLock: {"unlocks", (*oldTurn).giveLock},
	oldSeeArmed: {"waits for the registration", (*oldTurn).seeArmed},
}

var oldEntry = [...]uint8{
	oldSubmit: oldTakeTag, oldFailingSubmit: oldTakeTag, oldRegister: oldArmLoad, oldCancel: oldLookup,
	oldComplete: oldEndLoad, oldLock: oldTakeLock, oldUnlock: oldGiveLock, oldAwait: oldSeeArmed,
}

// oldTurn takes one step.
type oldTurn struct {
	p      *Posted
	to     oldWorld
	a      *oldActor
	in     oldInstr
	o      *iocb // the line's
	broken string
}

// Moves appends what each actor can do.
func (p *Posted) Moves(s *oldWorld, moves []Move[oldWorld]) []Move[oldWorld] {
	for i, pl := range p.players {
		a := s.actors[i]
		if int(a.line) == len(pl.program) {
			continue
		}
		t := oldTurn{p: p, to: *s, in: pl.program[a.line]}
		t.a, t.o = &t.to.actors[i], &t.to.iocbs[t.in.io]
		pc := a.pc
		if pc == oldEnter {
			pc = oldEntry[t.in.op]
		}
		if oldSteps[pc].do(&t) {
			moves = append(moves, Move[oldWorld]{To: t.to, Actor: uint8(i), Step: pc, Broken: t.broken})
		}
	}
	return moves
}

// breaks notes that the step breaks a rule, if that one is watched.
func (t *oldTurn) breaks(rule oldRule, text string) {
	if t.p.watch == rule {
		t.broken = text
	}
}

func (t *oldTurn) goOn(pc uint8) bool { t.a.pc = pc; return true }

func (t *oldTurn) ret() bool {
	*t.a = oldActor{line: t.a.line + 1}
	return true
}

// swap is the cmpxchg of all loops: it leaves in now what was there.
func (t *oldTurn) swap(next cell) bool {
	t.a.old = t.a.now
	t.a.now = t.to.cell
	if t.a.old != t.a.now {
		return false
	}
	t.to.cell = next
	return true
}

// Submit.

func (t *oldTurn) takeTag() bool {
	if t.to.taken {
		return false
	}
	t.to.taken = true
	return t.goOn(oldShowKey)
}

func (t *oldTurn) showKey() bool {
	t.o.facts |= keyed
	return t.goOn(oldSetUser)
}

func (t *oldTurn) setUser() bool {
	t.to.user = t.in.io + 1
	return t.goOn(oldPublish)
}

func (t *oldTurn) publish() bool {
	t.to.cell = null
	t.o.facts |= shown
	if t.in.op == oldFailingSubmit {
		return t.goOn(oldFail)
	}
	return t.goOn(oldRun)
}

func (t *oldTurn) run() bool {
	t.o.facts |= withDriver
	return t.ret()
}

func (t *oldTurn) fail() bool {
	t.o.facts |= failed
	t.to.taken = false
	if t.to.cell == null {
		t.breaks(freeIsFree, "S10: the tag is free, and whoever has the key can still cancel the kiocb")
	}
	return t.ret()
}

// kiocb_set_cancel_fn.

func (t *oldTurn) armLoad() bool {
	if !t.o.is(withDriver) {
		return false
	}
	t.a.now = t.to.cell
	return t.armLoop()
}

func (t *oldTurn) armLoop() bool {
	if t.a.now == wasCancel {
		return t.goOn(oldCallNow)
	}
	return t.goOn(oldArm)
}

func (t *oldTurn) arm() bool {
	if !t.swap(function) {
		return t.armLoop()
	}
	t.o.facts |= armedOnce
	return t.ret()
}

func (t *oldTurn) callNow() bool {
	if t.o.is(oldOver) {
		t.breaks(notLate, "S3, S8: the callback is called, and the driver has freed what it uses")
	}
	t.o.facts |= inImmediate
	return t.goOn(oldCallNowEnds)
}

func (t *oldTurn) callNowEnds() bool {
	t.o.facts &^= inImmediate
	return t.ret()
}

// io_cancel.

func (t *oldTurn) lookup() bool {
	if !t.o.is(keyed) {
		return false
	}
	if t.to.user != t.in.io+1 {
		return t.ret()
	}
	return t.goOn(oldAskLoad)
}

func (t *oldTurn) askLoad() bool {
	t.a.now = t.to.cell
	return t.askLoop()
}

func (t *oldTurn) askLoop() bool {
	if t.a.now == inCancel || t.a.now == wasCancel {
		if !t.o.is(shown) {
			t.o.facts |= promised
		}
		return t.ret()
	}
	return t.goOn(oldAsk)
}

func (t *oldTurn) ask() bool {
	next := inCancel
	if t.p.Repaired && t.a.now == null {
		next = wasCancel
	}
	if !t.swap(next) {
		return t.askLoop()
	}
	if t.o.is(oldOver) {
		t.breaks(ownGeneration, "S5: asked to cancel an I/O that has completed, it has cancelled the one that has the slot now")
	}
	t.o.facts |= marked
	if t.a.old == null {
		return t.ret()
	}
	return t.goOn(oldCall)
}

func (t *oldTurn) call() bool {
	if t.p.locksInCallback() {
		if t.to.locked {
			return false
		}
		t.to.locked = true
	}
	t.o.facts |= inCall | wasCalled
	return t.goOn(oldCallEnds)
}

func (t *oldTurn) callEnds() bool {
	t.to.locked = false
	t.o.facts &^= inCall
	return t.goOn(oldMarkCancelled)
}

func (t *oldTurn) markCancelled() bool {
	t.to.cell = wasCancel
	return t.ret()
}

// aio_complete.

func (t *oldTurn) endLoad() bool {
	if !t.o.is(withDriver) {
		return false
	}
	t.a.now = t.to.cell
	return t.endLoop()
}

func (t *oldTurn) endLoop() bool {
	if t.a.now == inCancel {
		return t.goOn(oldSpin)
	}
	return t.goOn(oldEnd)
}

// spin is one round of the wait and the jump to the loop's condition, which ends
// the loop if the cell has again what it had before the last cmpxchg. Rounds that
// find nothing new are left out.
func (t *oldTurn) spin() bool {
	if t.to.cell == inCancel {
		return false
	}
	t.a.now = t.to.cell
	if t.a.old == t.a.now {
		t.breaks(claims, "S1: the completion goes on, and the kiocb was not claimed: a cancel still calls the driver back")
		return t.goOn(oldSendEvent)
	}
	return t.endLoop()
}

func (t *oldTurn) end() bool {
	if !t.swap(wasCancel) {
		return t.endLoop()
	}
	switch {
	case t.o.is(inImmediate):
		t.breaks(immediateHeld, "S3: completed, and so freed by its driver, while the callback runs")
	case t.o.is(inCall):
		t.breaks(heldOff, "S3: completed, and so freed by its driver, while the callback runs")
	}
	if t.o.is(marked) && t.o.is(armedOnce) && !t.o.is(wasCalled) {
		t.breaks(notLost, "S8: completed; the cancel was accepted, and the callback was never called")
	}
	if t.o.is(promised) && !t.o.is(marked) {
		t.breaks(noEmptyPromise, "S7: completed; a cancel was answered \"in progress\", and nobody could see it")
	}
	return t.goOn(oldSendEvent)
}

func (t *oldTurn) sendEvent() bool {
	t.o.facts |= oldOver
	return t.goOn(oldFreeTag)
}

func (t *oldTurn) freeTag() bool {
	t.to.taken = false
	return t.ret()
}

// The driver's lock, and an order of things.

func (t *oldTurn) takeLock() bool {
	if t.to.locked {
		return false
	}
	t.to.locked = true
	return t.ret()
}

func (t *oldTurn) giveLock() bool {
	t.to.locked = false
	return t.ret()
}

func (t *oldTurn) seeArmed() bool { return t.o.is(armedOnce) && t.ret() }
