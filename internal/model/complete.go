package model

// SetCancelFunc.

func (t *turn) armLoad() bool {
	w := t.load()
	switch _, v := t.p.rules.armBegin(w, t.same(w)); v {
	case refuseLate:
		if o := t.io(); o.result == 0 {
			t.breaks("S8: refused as late, and nobody completed it")
		}
		return t.ret()
	case refuseTwice:
		if o := t.io(); o.by == 0 && o.result == 0 {
			t.breaks("S8: refused as the second, and there is no first")
		}
		return t.ret()
	}
	t.a.w = w
	return t.goOn(pcArm)
}

func (t *turn) arm() bool {
	next, v := t.p.rules.armBegin(t.a.w, t.same(t.a.w))
	if !t.swap(next, pcArmLoad) {
		return true
	}
	o := t.io()
	if o.by != 0 {
		t.breaks("S8: a second registration is taken")
	}
	o.by = uint8(t.i) + 1
	switch v {
	case run:
		t.a.x = uint8(callbackOf(t.in.io, t.i))
		return t.goOn(pcCall)
	case store:
		return t.goOn(pcStoreFn)
	}
	return t.ret()
}

func (t *turn) storeFn() bool {
	if w := t.load(); !t.same(w) {
		t.breaks("S5: the callback of %v is stored for generation %d", t.a.h, w.gen())
	}
	t.to.fns[t.a.h.slot()] = callbackOf(t.in.io, t.i)
	return t.goOn(pcArmedLoad)
}

func (t *turn) armedLoad() bool {
	t.a.w = t.load()
	return t.goOn(pcArmed)
}

func (t *turn) armed() bool {
	next, v := t.p.rules.armFinish(t.a.w, true)
	if !t.swap(next, pcArmedLoad) {
		return true
	}
	switch v {
	case run:
		t.a.x = uint8(callbackOf(t.in.io, t.i))
		return t.goOn(pcCall)
	case dispatch:
		t.io().by = 0
		return t.deliver(next)
	case late:
		t.io().by = 0
	}
	return t.ret()
}

// TryStart and Requeue.

func (t *turn) startLoad() bool {
	w := t.load()
	if _, v := t.p.rules.start(w, t.same(w)); v == no {
		if o := t.io(); !o.is(accepted) && o.result == 0 {
			t.breaks("S6: not to be started, and it is neither cancelled nor completed")
		}
		return t.ret()
	}
	t.a.w = w
	return t.goOn(pcStart)
}

func (t *turn) start() bool {
	next, _ := t.p.rules.start(t.a.w, t.same(t.a.w))
	if !t.swap(next, pcStartLoad) {
		return true
	}
	o := t.io()
	switch {
	case o.is(accepted):
		t.breaks("S6: started after a cancel was accepted")
	case o.result != 0:
		t.breaks("S6: started after it was completed")
	}
	o.facts |= atDevice
	return t.ret()
}

func (t *turn) undoLoad() bool {
	w := t.load()
	if _, v := t.p.rules.undo(w, t.same(w)); v == no {
		return t.ret()
	}
	t.a.w = w
	return t.goOn(pcUndo)
}

func (t *turn) undo() bool {
	next, _ := t.p.rules.undo(t.a.w, t.same(t.a.w))
	if !t.swap(next, pcUndoLoad) {
		return true
	}
	o := t.io()
	if o.result != 0 {
		t.breaks("S15: taken back after the completion was taken")
	}
	o.facts &^= atDevice
	return t.ret()
}

// Complete.

// leaves ends a Complete that does not deliver; in a callback that goes on.
func (t *turn) leaves() bool {
	if t.a.x&inside == 0 {
		return t.ret()
	}
	return t.goOn(pcReturn)
}

func (t *turn) endLoad() bool {
	w := t.load()
	if _, v := t.p.rules.completeBegin(w, t.same(w)); v == stale {
		if t.io().result == 0 {
			t.breaks("S1: refused as stale, and nobody completed it")
		}
		return t.leaves()
	}
	t.a.w = w
	return t.goOn(pcEnd)
}

func (t *turn) end() bool {
	next, v := t.p.rules.completeBegin(t.a.w, t.same(t.a.w))
	if !t.swap(next, pcEndLoad) {
		return true
	}
	o := t.io()
	if o.result != 0 {
		t.breaks("S1: two completions are taken")
	}
	o.result = resultOf(t.i, o.is(atDevice) && t.a.x&inside == 0)
	if v == claim {
		return t.goOn(pcStore)
	}
	t.a.w = next
	return t.goOn(pcResult)
}

// storeResult writes the result, before a delivery or before another's.
func (t *turn) storeResult() bool {
	o := t.io()
	if !t.same(t.load()) {
		t.breaks("S5: the result of %v is stored in another I/O", t.a.h)
	}
	t.to.results[t.a.h.slot()] = resultOf(t.i, o.result&1 != 0)
	if t.pc == pcResult {
		return t.deliver(t.a.w)
	}
	return t.goOn(pcLeaveLoad)
}

func (t *turn) leaveLoad() bool {
	t.a.w = t.load()
	return t.goOn(pcLeave)
}

func (t *turn) leave() bool {
	next, v := t.p.rules.completeFinish(t.a.w, true)
	if !t.swap(next, pcLeaveLoad) {
		return true
	}
	if v == dispatch {
		return t.deliver(next)
	}
	return t.leaves()
}

// deliver is what is done with an I/O whose word the actor has moved to DONE.
func (t *turn) deliver(word) bool {
	if t.a.x&inside != 0 {
		t.breaks("S3: delivered from inside the callback")
	}
	return t.goOn(pcPush)
}

func (t *turn) push() bool {
	o := t.io()
	t.to.ring++
	switch {
	case o.is(ended):
		t.breaks("S1: a second event")
	case o.result == 0:
		t.breaks("S1: an event, and nobody completed it")
	case o.is(running):
		t.breaks("S3: delivered while the callback runs")
	case o.is(accepted) && o.by != 0 && !o.is(called):
		t.breaks("S8: a cancel was accepted, and the callback was never called")
	case int(t.to.ring) > t.p.places():
		t.breaks("S13: the ring overflows")
	case t.to.flags&drained != 0:
		t.breaks("S12: an event after the teardown")
	}
	o.facts |= ended
	return t.ret()
}
