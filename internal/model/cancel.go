package model

// load returns the word of the kiocb that the actor is at.
func (t *turn) load() word { return *t.word() }

// swap is the compare-and-swap of the word that was loaded. If it fails the actor
// goes back to the step before.
func (t *turn) swap(next word, retry uint8) bool {
	now := t.word()
	if *now != t.a.w && !t.p.rules.blindSwap {
		t.a.w = 0
		t.a.pc = retry
		return false
	}
	switch {
	case !t.same(*now):
		t.breaks("S5: a handle of %v changes generation %d", t.a.h, now.gen())
	case now.state() == cancelling && next.state() != cancelling && t.pc != pcFinish:
		t.breaks("S4: CANCELLING is left by somebody else than who runs the callback")
	case now.state() == arming && next.state() != arming && t.pc != pcArmed:
		t.breaks("S4: ARMING is left by somebody else than who registers")
	case next.has(asked) != now.has(asked) && t.pc != pcAsk:
		t.breaks("S9: a step that is not a cancel changes whether the I/O was cancelled")
	case next.state() == cancelling && now.state() != cancelling && now.has(claimed):
		t.breaks("S3: a callback is to run after the completion was taken")
	case !next.consistent() && !t.p.rules.anyWord:
		t.breaks("the word becomes %v", next)
	}
	*now = next
	t.a.w = 0
	return true
}

// Cancel.

func (t *turn) askLoad() bool {
	w := t.load()
	switch _, v := t.p.rules.ask(w, t.same(w)); v {
	case notFound:
		if o := t.io(); o != nil && !o.is(freed) {
			t.breaks("S7: not found, and %v is there", t.a.h)
		}
		return t.ret()
	case tooLate:
		if o := t.io(); o == nil || o.result == 0 {
			t.breaks("S7: too late, and nobody completed %v", t.a.h)
		}
		return t.ret()
	case already:
		t.isAccepted()
		return t.ret()
	}
	t.a.w = w
	return t.goOn(pcAsk)
}

func (t *turn) ask() bool {
	next, v := t.p.rules.ask(t.a.w, t.same(t.a.w))
	if !t.swap(next, pcAskLoad) {
		return true
	}
	if o := t.io(); o != nil && t.broken == "" {
		if o.result != 0 {
			t.breaks("S7: accepted, after the completion was taken")
		}
		o.facts |= accepted
	}
	t.isAccepted()
	if v == run {
		return t.goOn(pcReadFn)
	}
	return t.ret()
}

// isAccepted checks the answer.
func (t *turn) isAccepted() {
	if o := t.io(); o == nil || !o.is(accepted) {
		t.breaks("S7: accepted, and %v is not marked", t.a.h)
	}
}

func (t *turn) readFn() bool {
	t.a.x = uint8(t.to.fns[t.a.h.slot()])
	return t.goOn(pcCall)
}

// The callback of the kiocb that the actor is at, which is in CANCELLING.

func (t *turn) call() bool {
	f := callback(t.a.x)
	if f == 0 {
		t.breaks("S8: there is no callback to call")
		return true
	}
	does := t.p.does(f)
	if does == locks {
		if t.to.flags&locked != 0 {
			return false
		}
		t.to.flags |= locked
	}
	o, n := t.to.published(t.a.h)
	switch {
	case o == nil || f.io() != n:
		t.breaks("S2: the callback of another I/O is called")
	case int(o.by) != f.actor()+1:
		t.breaks("S2: a callback is called whose registration was refused")
	case !o.is(accepted):
		t.breaks("S2: the callback is called and nobody cancelled")
	case o.is(running):
		t.breaks("S4: two callbacks at once")
	case o.is(called):
		t.breaks("S2: the callback is called twice")
	case o.is(ended) || o.is(freed):
		t.breaks("S3: the callback is called after the delivery")
	case t.to.flags&drained != 0:
		t.breaks("S12: a callback is called after the teardown")
	default:
		o.facts |= called | running
	}
	if does == completes {
		t.a.x |= inside
		return t.goOn(pcEndLoad)
	}
	return t.goOn(pcReturn)
}

// does is what a callback does.
func (p *Protocol) does(f callback) uint8 {
	for _, in := range p.players[f.actor()].program {
		if in.op == opRegister && in.io == f.io() {
			return in.does
		}
	}
	return doesNothing
}

func (t *turn) callEnds() bool {
	if t.p.does(callback(t.a.x&^inside)) == locks {
		t.to.flags &^= locked
	}
	o := t.io()
	if o.is(ended) || o.is(freed) {
		t.breaks("S3: the I/O is delivered while its callback runs")
	}
	o.facts &^= running
	t.a.x = 0
	return t.goOn(pcFinishLoad)
}

func (t *turn) finishLoad() bool {
	t.a.w = t.load()
	return t.goOn(pcFinish)
}

func (t *turn) finish() bool {
	next, v := t.p.rules.finish(t.a.w, true)
	if !t.swap(next, pcFinishLoad) {
		return true
	}
	if v == dispatch {
		return t.deliver(next)
	}
	return t.ret()
}

// Shutdown and Close.

func (t *turn) close() bool {
	t.to.flags |= closed
	return t.ret()
}

func (t *turn) visit() bool {
	w := t.to.words[t.in.io]
	if w.state() == free {
		return t.ret()
	}
	t.a.h = handleOf(int(t.in.io), w.gen())
	return t.goOn(pcAskLoad)
}

func (t *turn) isDrained() bool {
	if t.to.reserved != t.to.ring {
		return false
	}
	t.to.flags |= drained
	return t.ret()
}

// What a target sees.

func (t *turn) getsIt() bool {
	o := &t.to.ios[t.in.io]
	if o.is(refused) {
		t.ret()
		t.a.line = uint8(len(t.p.players[t.i].program))
		return true
	}
	return o.is(handed) && t.ret()
}

// isCancelled is Cancelled's answer.
func (t *turn) isCancelled() bool {
	w := t.load()
	is := t.same(w) && w.has(asked)
	if is && !t.io().is(accepted) {
		t.breaks("S9: cancelled, and nobody cancelled it")
	}
	return is
}

func (t *turn) look() bool {
	if !t.isCancelled() {
		return t.ret()
	}
	return t.goOn(pcLookAgain)
}

func (t *turn) lookAgain() bool {
	if !t.isCancelled() && !t.io().is(freed) {
		t.breaks("S9: cancelled, and then not")
	}
	return t.ret()
}

func (t *turn) seesAsked() bool {
	w := t.to.words[t.to.ios[t.in.io].h.slot()]
	return w.gen() == t.to.ios[t.in.io].h.gen() && w.has(asked) && t.ret()
}

func (t *turn) seesCalled() bool { return t.to.ios[t.in.io].is(called) && t.ret() }

func (t *turn) lock() bool {
	if t.to.flags&locked != 0 {
		return false
	}
	t.to.flags |= locked
	return t.ret()
}

func (t *turn) unlock() bool {
	t.to.flags &^= locked
	return t.ret()
}
