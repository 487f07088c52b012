//go:build interleave

package explore

import (
	"fmt"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/step"
)

// An op of a small program: register = word, or word = 10*register + constant.
type op struct {
	write bool
	word  int
}

func (o op) independent(p op) bool { return o.word != p.word || !o.write && !p.write }

// program is the ops of each actor.
type program [][]op

func reads(words ...int) (ops []op) {
	for _, w := range words {
		ops = append(ops, op{false, w})
	}
	return ops
}

func writes(words ...int) (ops []op) {
	for _, w := range words {
		ops = append(ops, op{true, w})
	}
	return ops
}

// scenario runs p. step, if set, is told of each op as it is done; state, if set,
// of each state; final of the last.
func (p program) scenario(done func(actor, i int), state, final func(string)) Scenario {
	return func(tr *Trial) {
		words := make([]int, 4)
		registers := make([]int, len(p))
		at := make([]int, len(p))
		for a, ops := range p {
			tr.Actor(fmt.Sprint("actor", a), func() {
				for i, o := range ops {
					if o.write {
						step.Write(&words[o.word])
						words[o.word] = registers[a]*10 + a + 1
					} else {
						step.Read(&words[o.word])
						registers[a] = registers[a]*10 + words[o.word]
					}
					at[a]++
					if done != nil {
						done(a, i)
					}
				}
			})
		}
		now := func() string { return fmt.Sprint(words, registers, at) }
		if state != nil {
			tr.Invariant(func() { state(now()) })
		}
		if final != nil {
			tr.Final(func() { final(now()) })
		}
	}
}

func explore(t require.TestingT, c Config, s Scenario) Result {
	r, err := Explore(c, s)
	require.NoError(t, err)
	require.Nil(t, r.Finding)
	return r
}

func TestFullCountIsTheMultinomial(t *testing.T) {
	for _, c := range []struct {
		p    program
		want int
	}{
		{program{writes(0)}, 1},
		{program{writes(0), writes(1)}, 2},
		{program{writes(0, 0), writes(0, 0)}, 6},
		{program{writes(0, 1, 2), reads(0, 1, 2)}, 20},
		{program{writes(0, 0, 0, 0), writes(0, 0, 0, 0)}, 70},
		{program{writes(0, 0), writes(0, 0), reads(0, 0)}, 90},
		{program{reads(0, 0, 0), writes(0, 0, 0), writes(0, 0, 0)}, 1680},
		{program{reads(0, 0), writes(0, 0), writes(0, 0), reads(1, 1)}, 2520},
	} {
		r := explore(t, Config{Reduction: None}, c.p.scenario(nil, nil, nil))
		require.True(t, r.Exhausted)
		require.Equal(t, c.want, r.Schedules, "%v", c.p)
		require.Zero(t, r.Repeats)
		n, err := Estimate(c.p.scenario(nil, nil, nil), 300)
		require.NoError(t, err)
		require.InEpsilon(t, c.want, n, 0.3, "the estimate for %v", c.p)
	}
}

func TestReducedCountOfKnownPrograms(t *testing.T) {
	for _, c := range []struct {
		what string
		p    program
		want int
	}{
		{"all dependent: nothing is left out", program{writes(0, 0), writes(0, 0)}, 6},
		{"words of their own", program{writes(0, 0, 0), writes(1, 1, 1), writes(2, 2, 2)}, 1},
		{"only reads", program{reads(0, 1, 0), reads(1, 0, 1)}, 1},
		{"one write among reads of another word's", program{{{true, 0}, {false, 1}}, {{true, 1}, {false, 0}}}, 3},
		{"n readers of one write", program{writes(0), reads(0), reads(0), reads(0)}, 8},
	} {
		for _, m := range []Reduction{Races, States} {
			r := explore(t, Config{Reduction: m}, c.p.scenario(nil, nil, nil))
			require.True(t, r.Exhausted)
			require.Equal(t, c.want, r.Schedules, c.what)
		}
	}
}

func TestSchedulesAreTheSameEachTime(t *testing.T) {
	p := program{reads(0, 1), writes(0, 1), writes(1, 0)}
	var seen [2][]string
	for i := range seen {
		var one strings.Builder
		explore(t, Config{}, p.scenario(func(a, _ int) { fmt.Fprint(&one, a) }, nil, func(string) { one.WriteByte(' ') }))
		seen[i] = strings.Fields(one.String())
	}
	require.Equal(t, seen[0], seen[1])
	require.Greater(t, len(seen[0]), 10)
}

func TestBoundIsStated(t *testing.T) {
	p := program{writes(0, 0, 0), writes(0, 0, 0)}
	r := explore(t, Config{MaxSchedules: 19}, p.scenario(nil, nil, nil))
	require.False(t, r.Exhausted)
	require.Equal(t, 19, r.Schedules)
	require.Contains(t, r.String(), "NOT exhausted")
	r = explore(t, Config{MaxSchedules: 20}, p.scenario(nil, nil, nil))
	require.True(t, r.Exhausted)
}

func TestDivergenceIsAnError(t *testing.T) {
	runs := 0
	_, err := Explore(Config{}, func(tr *Trial) {
		runs++
		x := new(int)
		for range 2 {
			tr.Actor("", func() {
				step.Write(x)
				if runs > 1 {
					step.Read(x)
				}
				step.Write(x)
			})
		}
	})
	require.ErrorContains(t, err, "not deterministic")
}

func TestFailureThatDoesNotComeAgainIsAnError(t *testing.T) {
	failed := false
	x := 0
	_, err := Explore(Config{}, func(tr *Trial) {
		tr.Actor("a", func() {
			step.Write(&x)
			if !failed {
				failed = true
				tr.Failf("once")
			}
		})
	})
	require.ErrorContains(t, err, "schedule 0 failed once and not again: a: once", "as it was found")
}

func TestActorsAreCounted(t *testing.T) {
	_, err := Explore(Config{}, func(*Trial) {})
	require.ErrorContains(t, err, "0 actors")
	_, err = Explore(Config{}, func(tr *Trial) {
		for range MaxActors + 1 {
			tr.Actor("", func() {})
		}
	})
	require.ErrorContains(t, err, "9 actors")
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	p := program{reads(0, 1, 2), writes(0, 1, 2), writes(2, 1, 0)}
	r := explore(t, Config{Reduction: States}, p.scenario(nil, nil, nil))
	require.Positive(t, r.Repeats, "no run was cut short")
	unwound := 0
	f, err := Explore(Config{}, func(tr *Trial) {
		x := new(int)
		tr.Actor("a", func() { defer func() { unwound++; step.Write(x) }(); step.Write(x); step.Write(x) })
		tr.Actor("b", func() { step.Write(x); tr.Failf("stop here") })
	})
	require.NoError(t, err)
	require.NotNil(t, f.Finding)
	require.Positive(t, unwound)
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "%d goroutines, and %d before", runtime.NumGoroutine(), before)
	}
}

func sorted(m map[string]bool) (s []string) {
	for k := range m {
		s = append(s, k)
	}
	sort.Strings(s)
	return s
}
