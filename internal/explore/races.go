//go:build interleave

package explore

// clock counts, for each actor, how many of its steps happen before a step or are
// that step: vector time.
type clock [MaxActors]int16

func (c *clock) join(d *clock) {
	for i := range c {
		c[i] = max(c[i], d[i])
	}
}

// races finds what the step at depth could have been done before, and sees to it
// that the tree tries that: dynamic partial-order reduction with source sets
// (Abdulla, Aronis, Jonsson, Sagonas: Source Sets, JACM 2017).
//
// A step races with an earlier one of another actor if the two are dependent and
// no chain of dependent steps leads from one to the other in between. Then there
// is a schedule in which the later comes first. To get to it, those steps in
// between that do not need the earlier one are to be done before it, and the tree
// must try, where the earlier step was chosen, an actor that can begin with them.
//
// A step that waits, and one that follows a Yield, is made possible by an earlier
// one: that pair cannot be turned round, but what lies before it may. So a chain
// by way of such a pair does not count, and where nobody is known to be able to
// begin, everybody is tried.
func (t *tree) races(depth int) {
	n := &t.path[depth]
	if t.reduce != Races || n.raced {
		return
	}
	n.raced = true
	p := int(n.pick)
	mine := n.at[p]
	n.clock = clock{}
	for i := depth - 1; i >= 0; i-- {
		if int(t.path[i].pick) == p {
			n.clock = t.path[i].clock
			break
		}
	}
	if mine.woken >= 0 {
		waker := &t.path[mine.woken]
		n.clock.join(&waker.clock)
		waker.todo |= waker.enabled
	}
	covered := n.clock // what a chain leads to that does not begin with a race
	for i := depth - 1; i >= 0; i-- {
		e := &t.path[i]
		q := int(e.pick)
		if q == p || independent(e.at[q], mine) {
			continue
		}
		if e.clock[q] > covered[q] {
			t.turn(i, depth)
		}
		if mine.kind != stepWait && mine.kind != stepCAS {
			covered.join(&e.clock)
		}
		n.clock.join(&e.clock)
	}
	n.clock[p]++
}

// ended does the same for those that are left waiting: somebody else took what they
// wait for, and might have come after them.
func (t *tree) ended(at *steps) {
	for p := range MaxActors {
		if at[p].kind == stepWait || at[p].kind == stepCAS {
			t.path = append(t.path, node{at: *at, pick: int8(p)})
			t.races(len(t.path) - 1)
			t.path = t.path[:len(t.path)-1]
		}
	}
}

// turn has the tree try the step at depth, whose clock knows of what lies in
// between, before the one at i.
func (t *tree) turn(i, depth int) {
	e := &t.path[i]
	q := e.pick
	var first, seen actorSet // of those that take steps which do not need e
	var steps [MaxActors]int // and the first such step of each
	for k := i + 1; k <= depth; k++ {
		n := &t.path[k]
		if k < depth && n.clock[q] >= e.clock[q] {
			continue // needs e
		}
		if a := int(n.pick); !seen.has(a) {
			seen |= 1 << a
			steps[a] = k
			needs := false // one of the others' first steps, and so of their steps
			for b := range MaxActors {
				if b != a && seen.has(b) {
					needs = needs || n.clock[b] >= t.path[steps[b]].clock[b]
				}
			}
			if !needs {
				first |= 1 << a
			}
		}
	}
	switch first &= e.enabled; {
	case first == 0:
		e.todo |= e.enabled
	case first&(e.todo|e.sleep) == 0:
		e.todo |= 1 << first.first()
	}
}
