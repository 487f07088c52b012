//go:build interleave

package explore

import (
	"fmt"
	"iter"
	"runtime/debug"
)

// Trial is one run of a scenario under one schedule. It is also what testify's
// require and assert take for a test: an assertion that fails is a finding.
type Trial struct {
	actors     []*actor
	invariants []func()
	finals     []func()

	words    []any // by number; see nextStep
	versions []int // of each word: how many steps may have written it

	cur         *actor // runs; nil: the setup, the explorer or a check does
	failure     string
	taken       int  // steps so far
	failingCAS  bool // run what is known to fail, too
	stuckIsFine bool // for this package's tests
	known       int  // this many steps were taken by an earlier run, and checked
	abandoned   bool
	trace       *trace // nil: do not trace
}

// actor is one of the functions that run interleaved, as a coroutine.
type actor struct {
	name string
	f    func()

	resume func() (struct{}, bool)
	stop   func()
	park   func(struct{}) bool

	at    nextStep
	woken int32       // for at
	ready func() bool // for stepWait
	round []sight     // what it has touched since its last Yield
}

// sight is the version of a word that an actor saw last.
type sight struct {
	word    int32
	version int
}

// saw notes that a has just seen word, as it is now.
func (a *actor) saw(word int32, version int) {
	for i := range a.round {
		if a.round[i].word == word {
			a.round[i].version = version
			return
		}
	}
	a.round = append(a.round, sight{word, version})
}

// Actor adds an actor. They are numbered in the order of their addition.
func (tr *Trial) Actor(name string, f func()) {
	tr.actors = append(tr.actors, &actor{name: name, f: f, woken: -1})
}

// Invariant adds a check that is made before the first step and after each. It
// sees the actors between two steps.
func (tr *Trial) Invariant(f func()) { tr.invariants = append(tr.invariants, f) }

// Final adds a check that is made when all actors have ended.
func (tr *Trial) Final(f func()) { tr.finals = append(tr.finals, f) }

// Name gives the word p, the pointer that is passed to its marks, a name in the
// trace.
func (tr *Trial) Name(p any, name string) {
	if tr.trace != nil {
		tr.trace.names[p] = name
	}
}

// Notef puts a line into the trace: what an actor got, what a check saw.
func (tr *Trial) Notef(format string, args ...any) {
	if tr.trace != nil {
		tr.trace.note(fmt.Sprintf(format, args...))
	}
}

// Failf makes the schedule a finding and ends the actor or check that calls it.
func (tr *Trial) Failf(format string, args ...any) {
	tr.Errorf(format, args...)
	tr.FailNow()
}

// Errorf makes the schedule a finding. The first one counts.
func (tr *Trial) Errorf(format string, args ...any) {
	if tr.failure == "" {
		tr.failure = fmt.Sprintf(format, args...)
		if tr.cur != nil {
			tr.failure = tr.cur.name + ": " + tr.failure
		}
	}
}

// FailNow ends the actor or check that calls it.
func (tr *Trial) FailNow() { panic(givenUp{}) }

// givenUp unwinds an actor that is not to go on.
type givenUp struct{}

func (tr *Trial) failed() bool { return tr.failure != "" }

// guard runs f and makes its panic a finding.
func (tr *Trial) guard(f func()) {
	defer func() {
		switch r := recover().(type) {
		case nil, givenUp:
		default:
			tr.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	f()
}

// launch brings each actor to its first mark.
func (tr *Trial) launch() error {
	if n := len(tr.actors); n == 0 || n > MaxActors {
		return fmt.Errorf("explore: a scenario with %d actors: want 1 to %d", n, MaxActors)
	}
	for _, a := range tr.actors {
		a.resume, a.stop = iter.Pull(func(yield func(struct{}) bool) {
			a.park = yield
			tr.guard(a.f)
			a.at = nextStep{kind: stepDone}
		})
		tr.run1(a)
	}
	tr.wakeYielders()
	return nil
}

// run1 lets a run up to its next mark.
func (tr *Trial) run1(a *actor) {
	tr.cur = a
	a.resume()
	tr.cur = nil
}

// look returns what each actor would do next and which ones can.
func (tr *Trial) look() (at steps, enabled actorSet) {
	for i, a := range tr.actors {
		at[i] = a.at
		switch a.at.kind {
		case stepRead, stepWrite:
			enabled |= 1 << i
		case stepWait:
			if a.ready() {
				enabled |= 1 << i
			}
		case stepCAS:
			if tr.failingCAS || a.ready() {
				enabled |= 1 << i
			}
		}
	}
	return at, enabled
}

// take has actor i take its step.
func (tr *Trial) take(i int) {
	a := tr.actors[i]
	if a.at.kind != stepRead {
		tr.versions[a.at.word]++
	}
	a.saw(a.at.word, tr.versions[a.at.word])
	tr.taken++
	a.woken = -1
	if tr.trace != nil {
		tr.trace.step(tr, i)
	}
	tr.run1(a)
	tr.wakeYielders()
}

// wakeYielders lets those go on that stand in Yield and have something to see: a
// word that they touched in the round that ended there, and that another actor
// has written since they did. To look only at what was written since the Yield
// would be wrong: the round may have read a word before that. To wake for any
// write would be right, but adds a fruitless round for each.
func (tr *Trial) wakeYielders() {
	for _, a := range tr.actors {
		if a.at.kind == stepYield && tr.somethingNew(a) {
			a.round = a.round[:0]
			a.woken = int32(tr.taken - 1)
			tr.run1(a)
		}
	}
}

func (tr *Trial) somethingNew(a *actor) bool {
	for _, s := range a.round {
		if tr.versions[s.word] != s.version {
			return true
		}
	}
	return false
}

// startsOver says whether an actor has been left before a CAS that fails.
func (tr *Trial) startsOver() bool {
	for _, a := range tr.actors {
		if a.at.kind == stepCAS {
			return true
		}
	}
	return false
}

func (tr *Trial) checkInvariants() {
	for _, f := range tr.invariants {
		if !tr.failed() {
			tr.guard(f)
		}
	}
}

// finish is called when nobody can take a step: all have ended, or those that are
// left wait for each other.
func (tr *Trial) finish() {
	for _, a := range tr.actors {
		if tr.stuckIsFine {
			break
		}
		switch a.at.kind {
		case stepYield:
			tr.Errorf("stuck: %s waits for another actor to write what it has read, and nobody will", a.name)
		case stepWait:
			tr.Errorf("stuck: %s waits to receive or to lock, and nobody will let it", a.name)
		}
	}
	for _, f := range tr.finals {
		if !tr.failed() {
			tr.guard(f)
		}
	}
}

// abandon unwinds the actors that have not ended.
func (tr *Trial) abandon() {
	tr.abandoned = true
	for _, a := range tr.actors {
		if a.stop != nil {
			a.stop()
		}
	}
}
