package model

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// toy is a model made of functions; its state is a few small numbers.
type toy struct {
	moves func(s [3]uint8) [][3]uint8
	lacks func(s [3]uint8) string
	bad   func(s [3]uint8) string
}

func (toy) Start() [3]uint8 { return [3]uint8{} }

func (m toy) Moves(s *[3]uint8, moves []Move[[3]uint8]) []Move[[3]uint8] {
	for i, to := range m.moves(*s) {
		mv := Move[[3]uint8]{To: to, Step: uint8(i)}
		if m.bad != nil {
			mv.Broken = m.bad(to)
		}
		moves = append(moves, mv)
	}
	return moves
}

func (m toy) Lacks(s *[3]uint8) string {
	if m.lacks == nil {
		return ""
	}
	return m.lacks(*s)
}

func (toy) Tell(from *[3]uint8, m *Move[[3]uint8]) string {
	return string([]byte{'0' + from[0], '0' + from[1], '0' + from[2]})
}

// counters has n counters that each go from 0 to top, one step at a time.
func counters(n int, top uint8) toy {
	return toy{moves: func(s [3]uint8) (to [][3]uint8) {
		for i := range n {
			if s[i] < top {
				next := s
				next[i]++
				to = append(to, next)
			}
		}
		return to
	}}
}

// The states of counters are the points of a grid, and the steps its edges.
func TestCheckCountsAGrid(t *testing.T) {
	for _, c := range []struct {
		n                          int
		top                        uint8
		states, transitions, depth int
	}{
		{1, 0, 1, 0, 0},
		{1, 5, 6, 5, 5},
		{2, 3, 16, 24, 6},
		{3, 4, 125, 300, 12},
		{3, 49, 125_000, 367_500, 147}, // more than one chunk, and many tables
	} {
		r, err := Check(counters(c.n, c.top), 1<<20)
		require.NoError(t, err)
		require.Nil(t, r.Finding)
		require.Equal(t, []int{c.states, c.transitions, c.depth, 1}, []int{r.States, r.Transitions, r.Depth, r.Ends})
		taken := 0
		for _, n := range r.Taken {
			taken += n
		}
		require.Equal(t, c.transitions, taken)
	}
}

func TestCheckFindsTheShortestWay(t *testing.T) {
	m := counters(3, 5)
	m.bad = func(s [3]uint8) string {
		if s == [3]uint8{2, 0, 1} || s == [3]uint8{5, 5, 5} {
			return "that one"
		}
		return ""
	}
	r, err := Check(m, 1<<20)
	require.NoError(t, err)
	require.Equal(t, "that one", r.Finding.Reason)
	require.Len(t, r.Finding.Steps, 3)
	require.Equal(t, "  1  000", r.Finding.Steps[0])
}

// Two locks taken in opposite orders: the one deadlock of the textbook.
func TestCheckFindsADeadlock(t *testing.T) {
	const a, b = 0, 1 // s[0], s[1]: how many locks each actor has taken; both let go of both at once
	order := [2][2]int{{a, b}, {b, a}}
	holder := func(s [3]uint8, lock int) int {
		for i := range 2 {
			if s[i] < 3 && slices.Contains(order[i][:s[i]], lock) {
				return i
			}
		}
		return -1
	}
	m := toy{
		moves: func(s [3]uint8) (to [][3]uint8) {
			for i := range 2 {
				if s[i] == 2 || s[i] < 2 && holder(s, order[i][s[i]]) < 0 {
					next := s
					next[i]++
					to = append(to, next)
				}
			}
			return to
		},
		lacks: func(s [3]uint8) string {
			if s[0] != 3 || s[1] != 3 {
				return "a lock"
			}
			return ""
		},
	}
	r, err := Check(m, 100)
	require.NoError(t, err)
	require.Equal(t, "stuck: nobody can move: a lock", r.Finding.Reason)
	require.Equal(t, []string{"  1  000", "  2  100"}, r.Finding.Steps)
}

// A circle with a way out, and one without: everybody can move, for ever.
func TestCheckFindsACircleWithoutEnd(t *testing.T) {
	circle := func(from uint8) toy {
		return toy{moves: func(s [3]uint8) [][3]uint8 {
			switch next := s; {
			case s[0] == 9:
				return nil
			case s[0] < 4:
				next[0]++
				return [][3]uint8{next, {9}}
			default:
				next[0] = from
				return [][3]uint8{next}
			}
		}}
	}
	r, err := Check(circle(2), 100)
	require.NoError(t, err)
	require.Nil(t, r.Finding)
	require.Equal(t, 6, r.States)

	r, err = Check(circle(4), 100)
	require.NoError(t, err)
	require.Equal(t, "no end: whatever is done from here, the end is never reached", r.Finding.Reason)
	require.Len(t, r.Finding.Steps, 4, "to where the circle begins")
}

func TestCheckStopsAtItsBound(t *testing.T) {
	_, err := Check(counters(3, 49), 1000)
	require.ErrorIs(t, err, ErrTooMany)
}

// The order of the search, and with it every figure and trace, is the same each
// time, though the hash is not.
func TestCheckIsDeterministic(t *testing.T) {
	run := func() Result {
		p := Configurations()[callbackLocks]
		r, err := Check[world](p, 1<<22)
		require.NoError(t, err)
		r.Elapsed = 0
		return r
	}
	require.Equal(t, run(), run())
	f := Faults()[0]
	_, a, _ := f.find(faultBound)
	_, b, _ := f.find(faultBound)
	require.Equal(t, a.Finding, b.Finding)
}
