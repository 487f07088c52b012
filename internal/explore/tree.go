//go:build interleave

package explore

import (
	"fmt"
	"math/bits"
)

// MaxActors is the most actors that a scenario can have.
const MaxActors = 8

// actorSet is a set of actors, a bit each.
type actorSet uint8

func (s actorSet) has(i int) bool { return s>>i&1 != 0 }
func (s actorSet) first() int     { return bits.TrailingZeros8(uint8(s)) }

type stepKind uint8

const (
	stepNone  stepKind = iota // there is no such actor
	stepRead                  // only reads the word
	stepWrite                 // may write the word
	stepWait                  // writes the word, when it is ready
	stepCAS                   // writes the word, unless it has changed
	stepYield                 // waits until another has written what it saw; not a step
	stepDone                  // the actor has ended
)

var stepNames = [...]string{"none", "read", "write", "wait", "cas", "yield", "done"}

// nextStep is what an actor would do next. Words are numbered in the order in
// which a run mentions them: runs with the same prefix agree on the numbers,
// which they do not on addresses.
type nextStep struct {
	kind  stepKind
	word  int32
	woken int32 // the step, by its place in the schedule, that ended a Yield before this one; -1: none
}

type steps [MaxActors]nextStep

// independent says that the order of a and b makes no difference.
func independent(a, b nextStep) bool {
	return a.word != b.word || a.kind == stepRead && b.kind == stepRead
}

// node is one point of the current schedule.
type node struct {
	at      steps
	enabled actorSet
	sleep   actorSet // not to be explored from here: the outcome would be a repeat
	todo    actorSet // to be explored from here, tried or not; see races
	tried   actorSet
	pick    int8
	raced   bool  // the races of pick are in the todo sets before it
	clock   clock // of pick; see races
}

// tree is the depth-first walk: the path to where it is, with what is left to
// try beside it.
type tree struct {
	path   []node
	reduce Reduction
	most   int // switches of a schedule; what has more is cut short. Not with Races
}

// choose repeats the path, and then goes into new ground: the actor that took
// the last step goes on while it can, so that the schedules tried first are those
// with few switches.
func (t *tree) choose(depth int, at *steps, enabled actorSet) (int, bool, error) {
	if depth < len(t.path) {
		n := &t.path[depth]
		if n.at != *at || n.enabled != enabled {
			return 0, false, fmt.Errorf(
				"explore: not deterministic: step %d of schedule %s was %v, and now is %v", depth, t.schedule(), n.at, *at)
		}
		t.races(depth)
		return int(n.pick), true, nil
	}
	n := node{at: *at, enabled: enabled, todo: enabled}
	last := -1
	if depth > 0 {
		p := &t.path[depth-1]
		last = int(p.pick)
		if t.reduce != None {
			n.sleep = p.stillAsleep()
		}
	}
	left := enabled &^ n.sleep
	if left == 0 {
		return 0, false, nil
	}
	if last >= 0 && t.most != anySwitches && sizeOf(t.schedule()).switches >= t.most {
		if left &= 1 << last; left == 0 {
			return 0, false, nil
		}
		n.todo = left
	}
	if last < 0 || !left.has(last) {
		last = left.first()
	}
	n.pick = int8(last)
	if t.reduce == Races {
		n.todo = 1 << last
	}
	t.path = append(t.path, n)
	t.races(depth)
	return last, true, nil
}

// stillAsleep is the sleep set after n's pick: of those that slept or were tried
// before it, the ones whose step is independent of the pick's.
func (n *node) stillAsleep() actorSet {
	var s actorSet
	for i := range MaxActors {
		if (n.sleep | n.tried).has(i) && independent(n.at[i], n.at[n.pick]) {
			s |= 1 << i
		}
	}
	return s
}

// next moves to the next schedule, and says false if there is none.
func (t *tree) next() bool {
	for len(t.path) > 0 {
		n := &t.path[len(t.path)-1]
		n.tried |= 1 << n.pick
		if left := n.todo &^ n.sleep &^ n.tried; left != 0 {
			n.pick, n.raced = int8(left.first()), false
			return true
		}
		t.path = t.path[:len(t.path)-1]
	}
	return false
}

// schedule is the current path, a digit a step.
func (t *tree) schedule() string {
	b := make([]byte, len(t.path))
	for i := range t.path {
		b[i] = '0' + byte(t.path[i].pick)
	}
	return string(b)
}
