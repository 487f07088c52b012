//go:build interleave

package explore

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/internal/step"
)

// anyProgram draws a program whose full exploration is short.
func anyProgram(t *rapid.T) program {
	most := rapid.SampledFrom([][]int{{5, 5}, {3, 3, 3}, {2, 2, 2, 1}}).Draw(t, "shape")
	p := make(program, len(most))
	for a, n := range most {
		p[a] = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) op {
			return op{rapid.Bool().Draw(t, "write"), rapid.IntRange(0, 2).Draw(t, "word")}
		}), 0, n).Draw(t, fmt.Sprint("actor", a))
	}
	return p
}

func TestReductionLosesNoState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProgram(t)
		var states, finals [3]map[string]bool
		for _, m := range []Reduction{None, States, Races} {
			states[m], finals[m] = map[string]bool{}, map[string]bool{}
			r := explore(t, Config{Reduction: m}, p.scenario(nil,
				func(s string) { states[m][s] = true }, func(s string) { finals[m][s] = true }))
			require.True(t, r.Exhausted)
		}
		require.Equal(t, sorted(finals[None]), sorted(finals[States]), "final states")
		require.Equal(t, sorted(finals[None]), sorted(finals[Races]), "final states")
		require.Equal(t, sorted(states[None]), sorted(states[States]), "states on the way")
	})
}

// normal is the one schedule that stands for all that differ from it in the order
// of independent ops only: at each place the lowest actor whose next op depends
// on none that comes before it.
func (p program) normal(schedule []int) string {
	type ev struct{ a, i int }
	var left []ev
	next := make([]int, len(p))
	for _, a := range schedule {
		left = append(left, ev{a, next[a]})
		next[a]++
	}
	s := ""
	for len(left) > 0 {
		best := -1
		for k, e := range left {
			free := true
			for _, before := range left[:k] {
				if before.a == e.a || !p[e.a][e.i].independent(p[before.a][before.i]) {
					free = false
				}
			}
			if free && (best < 0 || e.a < left[best].a) {
				best = k
			}
		}
		s += fmt.Sprint(left[best].a)
		left = append(left[:best:best], left[best+1:]...)
	}
	return s
}

func TestReductionRunsEachClassOfSchedulesOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProgram(t)
		var classes [3]map[string]bool
		var counts [3]int
		for _, m := range []Reduction{None, States, Races} {
			classes[m] = map[string]bool{}
			var schedule []int
			r := explore(t, Config{Reduction: m}, func(tr *Trial) {
				schedule = schedule[:0]
				p.scenario(func(a, _ int) { schedule = append(schedule, a) }, nil,
					func(string) { classes[m][p.normal(schedule)] = true })(tr)
			})
			counts[m] = r.Schedules
		}
		for _, m := range []Reduction{States, Races} {
			require.Equal(t, sorted(classes[None]), sorted(classes[m]))
			require.Len(t, classes[None], counts[m], "a class was run twice")
		}
	})
}

// A statement of a program with branches and waits.
type stmt struct {
	kind string // see the scenario
	word int
}

// waiting draws a program whose actors take a lock, send, receive, spin, and do
// different things for different values read. Some of its schedules get stuck.
func waiting(t *rapid.T) [][]stmt {
	most := rapid.SampledFrom([][]int{{3, 3}, {2, 2, 2}, {2, 2, 1, 1}}).Draw(t, "shape")
	p := make([][]stmt, len(most))
	for a, n := range most {
		p[a] = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stmt {
			kind := rapid.SampledFrom([]string{"read", "write", "branch", "locked", "add", "take", "send", "recv", "spin", "spin2"}).Draw(t, "kind")
			return stmt{kind, rapid.IntRange(0, 1).Draw(t, "word")}
		}), 1, n).Draw(t, fmt.Sprint("actor", a))
	}
	return p
}

// outcomes are the ends that p can come to, stuck ones included.
func outcomes(t *rapid.T, m Reduction, p [][]stmt) (seen map[string]bool, r Result) {
	seen = map[string]bool{}
	r = explore(t, Config{Reduction: m, MaxSchedules: 20_000}, func(tr *Trial) {
		var x [2]int
		var y [2]atomic.Int64
		var mu [2]sync.Mutex
		ch := [2]chan struct{}{make(chan struct{}, 9), make(chan struct{}, 9)}
		got := make([]int, len(p))
		ended := make([]bool, len(p))
		read := func(a, w int) int { step.Read(&x[w]); got[a] = got[a]*7 + x[w]; return x[w] }
		write := func(a, w int) { step.Write(&x[w]); x[w] = a + 1 }
		for a, stmts := range p {
			tr.Actor("", func() {
				for _, s := range stmts {
					w := s.word
					switch s.kind {
					case "read":
						read(a, w)
					case "write":
						write(a, w)
					case "branch":
						if read(a, w) != 0 {
							write(a, 1-w)
						}
					case "locked":
						step.Lock(&mu[w])
						read(a, w)
						write(a, w)
						step.Unlock(&mu[w])
					case "add": // x += 2, if that leaves it below 9
						for {
							step.Read(&y[w])
							v := y[w].Load()
							if v >= 9 {
								break
							}
							step.CAS(&y[w], v)
							if y[w].CompareAndSwap(v, v+2) {
								got[a] = got[a]*7 + int(v)
								break
							}
						}
					case "take":
						step.Write(&y[w])
						got[a] = got[a]*7 + int(y[w].Swap(int64(a)))
					case "send":
						step.Write(ch[w])
						ch[w] <- struct{}{}
					case "recv":
						step.Recv(ch[w])
						got[a] = got[a]*7 + len(ch[w])
					case "spin":
						for read(a, w) == 0 {
							step.Yield()
						}
					case "spin2":
						for read(a, 0) == 0 && read(a, 1) == 0 {
							step.Yield()
						}
					}
				}
				ended[a] = true
			})
		}
		tr.stuckIsFine = true
		tr.Final(func() { seen[fmt.Sprint(x, got, ended, y[0].Load(), y[1].Load(), len(ch[0]), len(ch[1]))] = true })
	})
	return seen, r
}

func TestReductionKeepsOutcomesOfBranchesAndWaits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := waiting(t)
		full, r := outcomes(t, None, p)
		if !r.Exhausted {
			t.Skip("too long")
		}
		for _, m := range []Reduction{States, Races} {
			some, rr := outcomes(t, m, p)
			require.True(t, rr.Exhausted)
			require.LessOrEqual(t, rr.Schedules, r.Schedules)
			require.Equal(t, sorted(full), sorted(some), "reduction %d", m)
		}
	})
}
