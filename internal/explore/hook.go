//go:build interleave

package explore

import "blksim/internal/step"

var _ step.Hook = (*Trial)(nil)

// Read is step.Read's.
func (tr *Trial) Read(p any) { tr.mark(stepRead, p) }

// Write is step.Write's.
func (tr *Trial) Write(p any) { tr.mark(stepWrite, p) }

// CAS is step.CAS's.
func (tr *Trial) CAS(p any, succeeds func() bool) {
	if tr.cur != nil {
		tr.cur.ready = succeeds
	}
	tr.mark(stepCAS, p)
}

// Yield is step.Yield's.
func (tr *Trial) Yield() { tr.mark(stepYield, nil) }

// Wait is step.Recv's.
func (tr *Trial) Wait(p any, ready func() bool) {
	if tr.cur != nil {
		tr.cur.ready = ready
	}
	tr.mark(stepWait, p)
}

// mark parks the actor that runs until its step is chosen. Outside the actors, in
// a setup or a check, and in an actor's deferred calls while it is unwound, the
// marks do nothing.
func (tr *Trial) mark(kind stepKind, p any) {
	a := tr.cur
	if a == nil || tr.abandoned {
		return
	}
	a.at = nextStep{kind: kind, word: -1, woken: a.woken}
	if kind != stepYield {
		a.at.word = tr.number(p)
	}
	if tr.trace != nil {
		tr.trace.parked(tr, a, p)
	}
	if !a.park(struct{}{}) {
		panic(givenUp{})
	}
}

// number returns the number of the word p. There are few: a search is faster than
// a map.
func (tr *Trial) number(p any) int32 {
	for i, w := range tr.words {
		if w == p {
			return int32(i)
		}
	}
	tr.words, tr.versions = append(tr.words, p), append(tr.versions, 0)
	return int32(len(tr.words) - 1)
}
