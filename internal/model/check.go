package model

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Model is a machine whose states are values of S, small and without pointers.
type Model[S comparable] interface {
	// Start is the state before the first step.
	Start() S
	// Moves appends to moves every step that can be taken in s.
	Moves(s *S, moves []Move[S]) []Move[S]
	// Lacks says what keeps s, in which nobody can move, from being an end as
	// it should be; "" for one that is.
	Lacks(s *S) string
	// Tell describes a step for a reader, on one line.
	Tell(from *S, m *Move[S]) string
}

// A Move is one step that can be taken in a state.
type Move[S comparable] struct {
	To     S
	Actor  uint8
	Step   uint8
	Broken string // what is wrong with taking this step; "" nothing
}

// numSteps is more than any model's kinds of steps.
const numSteps = 64

// Result is what a search did.
type Result struct {
	States      int
	Transitions int
	Depth       int           // steps to the farthest state
	Ends        int           // states in which all is done
	Taken       [numSteps]int // how often each step was taken
	Elapsed     time.Duration
	Finding     *Finding // nil: all rules hold
}

// String says how far it went.
func (r Result) String() string {
	return fmt.Sprintf("%9d states %9d transitions  depth %3d  %5d ends  %6.2f s",
		r.States, r.Transitions, r.Depth, r.Ends, r.Elapsed.Seconds())
}

// A Finding is a way to break a rule, and no other is shorter.
type Finding struct {
	Reason string
	Steps  []string // one line a step
}

func (f *Finding) String() string {
	return strings.Join(f.Steps, "\n") + "\n" + f.Reason
}

// ErrTooMany is Check's error when there are more states than it may visit.
var ErrTooMany = errors.New("model: more states than the bound")

// Check visits every state of m, at most bound, and stops at the first finding.
func Check[S comparable](m Model[S], bound int) (r Result, err error) {
	began := time.Now()
	defer func() { r.Elapsed = time.Since(began) }()
	g := newGraph[S]()
	start := m.Start()
	g.add(&start, none)
	var moves []Move[S]
	level := 1 // the first state of the next depth
	for i := 0; i < g.size(); i++ {
		if i == level {
			r.Depth++
			level = g.size()
		}
		r.States = g.size()
		s := g.at(i)
		moves = m.Moves(s, moves[:0])
		for k := range moves {
			mv := &moves[k]
			if mv.Broken != "" {
				r.Finding = tell(m, g, i, mv, mv.Broken)
				return r, nil
			}
			r.Taken[mv.Step]++
			g.link(g.add(&mv.To, uint32(i)))
		}
		r.Transitions += len(moves)
		if len(moves) == 0 {
			if lacks := m.Lacks(s); lacks != "" {
				r.Finding = tell(m, g, i, nil, "stuck: nobody can move: "+lacks)
				return r, nil
			}
			g.ends = append(g.ends, uint32(i))
		}
		g.seal()
		if g.size() > bound {
			return r, fmt.Errorf("%w: %d after %d steps", ErrTooMany, bound, r.Depth)
		}
	}
	r.Ends = len(g.ends)
	if i, ok := g.cannotEnd(); ok {
		r.Finding = tell(m, g, i, nil, "no end: whatever is done from here, the end is never reached")
	}
	return r, nil
}

// tell is the finding that state i is bad, or that mv, taken there, is.
func tell[S comparable](m Model[S], g *graph[S], i int, mv *Move[S], reason string) *Finding {
	var path []int
	for j := i; ; j = int(g.parents[j]) {
		path = append(path, j)
		if j == 0 {
			break
		}
	}
	f := &Finding{Reason: reason}
	line := func(from *S, mv *Move[S]) {
		f.Steps = append(f.Steps, fmt.Sprintf("%3d  %s", len(f.Steps)+1, m.Tell(from, mv)))
	}
	for k := len(path) - 1; k > 0; k-- {
		from, to := g.at(path[k]), g.at(path[k-1])
		moves := m.Moves(from, nil)
		for n := range moves {
			if moves[n].To == *to {
				line(from, &moves[n])
				break
			}
		}
	}
	if mv != nil {
		line(g.at(i), mv)
	}
	return f
}
