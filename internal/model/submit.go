package model

// Submit.

func (t *turn) reserve() bool {
	o := &t.to.ios[t.in.io]
	switch {
	case t.to.flags&closed != 0:
		o.facts |= refused
		return t.ret()
	case int(t.to.reserved) == t.p.places():
		return false // the caller tries again when there is room
	}
	t.to.reserved++
	return t.goOn(pcTake)
}

// takeTag takes any tag that is free.
func (t *turn) takeTag() bool {
	pool := t.to.pool
	for slot := range t.p.slots {
		if pool>>slot&1 == 0 {
			continue
		}
		t.to.pool &^= 1 << slot
		t.a.h = handleOf(slot, 0)
		t.a.pc = pcPage
		if w := t.to.words[slot]; w&stateMask != free {
			t.breaks("S10: a tag is taken and its word is %v", w)
		}
		t.emit()
	}
	return false
}

func (t *turn) page() bool {
	if t.p.noPages {
		t.a.pc = pcUnreserve
		if !t.p.rules.keepTag {
			t.a.pc = pcGiveBack
		}
		t.emit()
	}
	return t.goOn(pcFill)
}

func (t *turn) giveBack() bool {
	t.to.pool |= 1 << t.a.h.slot()
	return t.goOn(pcUnreserve)
}

func (t *turn) unreserve() bool {
	if !t.p.rules.keepPlace {
		t.to.reserved--
	}
	t.to.ios[t.in.io].facts |= refused
	return t.ret()
}

func (t *turn) fill() bool {
	t.to.datas[t.a.h.slot()] = t.in.io + 1
	return t.goOn(pcPublish)
}

func (t *turn) publish() bool {
	w := t.word()
	switch {
	case w.state() != free:
		t.breaks("S10: published over %v", *w)
	case t.to.flags&drained != 0:
		t.breaks("S12: published after the teardown")
	}
	t.a.h = handleOf(t.a.h.slot(), w.gen())
	if o, _ := t.to.published(t.a.h); o != nil {
		t.breaks("S10: published as %v, which there was before", t.a.h)
	}
	*w = w.in(live)
	if *w != wordOf(w.gen(), live) {
		t.breaks("S9: a fresh I/O has the word %v", *w)
	}
	t.to.ios[t.in.io].h = t.a.h
	return t.goOn(pcHand)
}

func (t *turn) hand() bool {
	t.to.ios[t.in.io].facts |= handed
	if t.p.rules.noSecondLook {
		return t.ret()
	}
	return t.goOn(pcSecondLook)
}

func (t *turn) secondLook() bool {
	if t.to.flags&closed != 0 {
		return t.goOn(pcAskLoad)
	}
	return t.ret()
}
