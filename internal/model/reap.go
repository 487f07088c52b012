package model

// Events: the reaper takes an I/O from the rings, makes its event, frees its slot, and
// gives its tag and its place back.

// reap takes any I/O that is over, or ends when there will be no other.
func (t *turn) reap() bool {
	more := false
	for n := range t.to.ios[:t.p.ios] {
		switch o := &t.to.ios[n]; {
		case o.is(taken | refused):
		case o.is(ended):
			o.facts |= taken
			t.a.h = o.h
			t.a.pc = t.p.rules.reaping[0]
			t.emit()
			more = true
		default:
			more = true
		}
	}
	return !more && t.ret()
}

// then goes on to the step after this one.
func (t *turn) then() bool {
	order := &t.p.rules.reaping
	for i, pc := range order[:len(order)-1] {
		if pc == t.pc {
			return t.goOn(order[i+1])
		}
	}
	return t.goOn(pcRelease)
}

func (t *turn) readBody() bool {
	o, n := t.to.published(t.a.h)
	t.a.w = t.load()
	slot := t.a.h.slot()
	switch {
	case t.to.datas[slot] != n+1 || t.to.results[slot] != o.result:
		t.breaks("S15: the event is made of another I/O's data or result")
	case t.a.w.has(asked) != o.is(accepted):
		t.breaks("S7: the event does not tell whether a cancel was accepted")
	case t.a.w.has(started) != o.is(atDevice):
		t.breaks("S6: the event does not tell whether the device had it")
	}
	return t.then()
}

func (t *turn) clear() bool {
	if !t.same(t.load()) {
		t.breaks("S10: the slot is cleared when it is another's")
	}
	t.to.fns[t.a.h.slot()] = 0
	return t.then()
}

func (t *turn) free() bool {
	w := t.load()
	if !t.same(w) || w.state() != done {
		t.breaks("S10: the slot is freed in %v", w)
	}
	*t.word() = t.p.rules.freed(w)
	t.io().facts |= freed
	return t.then()
}

func (t *turn) give() bool {
	bit := uint8(1) << t.a.h.slot()
	w := t.load()
	switch {
	case t.to.pool&bit != 0:
		t.breaks("S10: a tag is given back twice")
	case w.state() != free || t.same(w):
		t.breaks("S10: the tag is free and the word is %v", w)
	}
	t.to.pool |= bit
	return t.then()
}

func (t *turn) release() bool {
	t.to.reserved--
	t.to.ring--
	if t.in.io != 0 {
		return t.ret()
	}
	t.a.h, t.a.w = 0, 0
	return t.goOn(pcReap)
}
