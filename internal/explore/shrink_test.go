//go:build interleave

package explore

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/step"
)

// crowdedCounter is racyCounter in a crowd: two lose an addition if one of them
// comes between the other's load and store, which takes two switches and, with all
// to be ended, one more for each of the rest. That it is noticed takes none of
// these: the last of the two to store looks.
func crowdedCounter(tr *Trial) {
	var n, stored, noise atomic.Int64
	for i := range 4 {
		tr.Actor(fmt.Sprint("actor", i), func() {
			for range i % 3 {
				step.Write(&noise)
				noise.Add(1)
			}
			if i == 0 || i == 3 {
				step.Read(&n)
				v := n.Load()
				step.Write(&n)
				n.Store(v + 1)
				if stored.Add(1) == 2 && n.Load() != 2 {
					tr.Failf("the counter is %d", n.Load())
				}
			}
		})
	}
}

// randomFinding runs s by random schedules until one fails.
func randomFinding(t *testing.T, s Scenario, seed uint64) *Finding {
	r := rand.New(rand.NewPCG(seed, 0))
	for range 10_000 {
		w := recorded{walk: walk{rand: r, product: 1}}
		tr := &Trial{failingCAS: true}
		end, err := tr.run(s, &w, defaultMaxSteps)
		require.NoError(t, err)
		if end == endFailed {
			return &Finding{Schedule: w.took, Reason: tr.failure}
		}
	}
	require.FailNow(t, "no random schedule fails")
	return nil
}

type recorded struct {
	walk
	took string
}

func (r *recorded) choose(depth int, at *steps, enabled actorSet) (int, bool, error) {
	i, ok, err := r.walk.choose(depth, at, enabled)
	r.took += fmt.Sprint(i)
	return i, ok, err
}

// reproduces says that a finding's schedule, replayed strictly, is that finding.
func reproduces(t *testing.T, s Scenario, f *Finding) {
	again, trace, err := Replay(Config{}, s, f.Schedule)
	require.NoError(t, err)
	require.NotNil(t, again, f.Schedule)
	require.Equal(t, kindOf(f.Reason), kindOf(again.Reason))
	if f.Trace != "" {
		require.Equal(t, f.Trace, trace)
	}
}

func TestPlantedBugShrinksToItsFewestSwitches(t *testing.T) {
	for seed := range uint64(100) {
		f := randomFinding(t, crowdedCounter, seed)
		found := f.Schedule
		shrink(Config{}.orDefaults(), crowdedCounter, f)
		msg := fmt.Sprintf("seed %d: %s: %v", seed, found, f.Shrinking)
		require.Equal(t, found, f.Shrinking.Found, msg)
		require.Equal(t, f.Schedule, f.Shrinking.To, msg)
		require.Equal(t, size{2, 4}, sizeOf(f.Schedule), msg)
		require.True(t, f.Shrinking.Fewest, msg)
		reproduces(t, crowdedCounter, f)
	}
}

// The greedy part alone gets there as well, where the rest would cost too much.
func TestGreedyShrinkingComesClose(t *testing.T) {
	const seeds = 100
	least := 0
	for seed := range uint64(seeds) {
		f := randomFinding(t, crowdedCounter, seed)
		h := &shrinker{Shrinking: Shrinking{To: f.Schedule}, scenario: crowdedCounter, kind: kindOf(f.Reason),
			maxSteps: defaultMaxSteps, maxRuns: 1000, until: time.Now().Add(time.Minute)}
		h.greedy()
		require.False(t, h.Stopped, "seed %d", seed)
		require.LessOrEqual(t, sizeOf(h.To).switches, sizeOf(f.Schedule).switches)
		if sizeOf(h.To).switches == 2 {
			least++
		}
	}
	require.Greater(t, least, seeds*9/10, "of %d", seeds)
}

// Against every schedule there is: no failing one is smaller in switches.
func TestFewestSwitchesAreTheFewest(t *testing.T) {
	for _, s := range []Scenario{racyCounter, naiveCancel, crowdedCounter} {
		fewest := 1 << 20
		tr := tree{reduce: None, most: anySwitches}
		for more := true; more; more = tr.next() {
			run := &Trial{failingCAS: true}
			end, err := run.run(s, &tr, defaultMaxSteps)
			require.NoError(t, err)
			if end == endFailed {
				fewest = min(fewest, sizeOf(tr.schedule()).switches)
			}
		}
		r, err := Explore(Config{}, s)
		require.NoError(t, err)
		require.True(t, r.Finding.Shrinking.Fewest)
		require.Equal(t, fewest, sizeOf(r.Finding.Schedule).switches)
		reproduces(t, s, r.Finding)
	}
}

func TestScheduleThatCannotBeShrunkStays(t *testing.T) {
	f := &Finding{Schedule: "0110", Reason: "the counter"}
	tr, err := replay(racyCounter, f.Schedule, defaultMaxSteps)
	require.NoError(t, err)
	f.Reason = tr.failure
	shrink(Config{}.orDefaults(), racyCounter, f)
	require.Equal(t, "0110", f.Schedule)
	require.Contains(t, f.Shrinking.String(), "not shrunk: 2 switches in 4 steps, ")
	require.Contains(t, f.Shrinking.String(), "with fewer switches it does not happen")
}

func TestShrinkingKeepsItsBounds(t *testing.T) {
	for _, c := range []Config{{ShrinkRuns: 1}, {ShrinkRuns: 7}, {ShrinkTime: 1}} {
		f := randomFinding(t, crowdedCounter, 1)
		runs := 0
		counted := func(tr *Trial) { runs++; crowdedCounter(tr) }
		c = c.orDefaults()
		shrink(c, counted, f)
		require.True(t, f.Shrinking.Stopped)
		require.LessOrEqual(t, f.Shrinking.Runs, c.ShrinkRuns)
		if c.ShrinkTime == 1 {
			require.Zero(t, f.Shrinking.Runs)
		}
		require.LessOrEqual(t, runs, f.Shrinking.Runs+1, "and one replay")
		reproduces(t, crowdedCounter, f)
	}
	r, err := Explore(Config{ShrinkRuns: -1}, crowdedCounter)
	require.NoError(t, err)
	require.Nil(t, r.Finding.Shrinking, "turned off")
}

// A scenario with something outside that changes: what does not come again stays
// as it was found.
func TestFlakyFindingIsKeptAsItWas(t *testing.T) {
	found := randomFinding(t, crowdedCounter, 3)
	for fails := range 12 { // so many runs can fail at all
		runs := 0
		flaky := func(tr *Trial) {
			runs++
			if runs <= fails {
				crowdedCounter(tr)
				return
			}
			for range 4 {
				tr.Actor("", func() {})
			}
		}
		f := *found
		shrink(Config{}.orDefaults(), flaky, &f)
		require.Equal(t, []string{found.Schedule, found.Reason}, []string{f.Schedule, f.Reason}, fails)
		require.Equal(t, f.Schedule, f.Shrinking.To)
		require.Contains(t, f.Shrinking.String(), "not shrunk")
	}
}

// Another bug that is easier to come by is not taken for the one that was found.
func TestShrinkingKeepsToItsFinding(t *testing.T) {
	s := func(tr *Trial) {
		x := 0
		tr.Actor("a", func() {
			step.Write(&x)
			x++
			step.Write(&x)
			if x++; x == 2 {
				tr.Failf("nobody came between: %d", x)
			}
			tr.Failf("somebody came between: %d", x)
		})
		tr.Actor("b", func() {
			for range 3 {
				step.Write(&x)
				x += 10
			}
		})
	}
	tr, err := replay(s, "10110", defaultMaxSteps)
	require.NoError(t, err)
	f := &Finding{Schedule: "10110", Reason: tr.failure}
	require.Equal(t, "a: somebody came between: 32", f.Reason)
	shrink(Config{}.orDefaults(), s, f)
	require.Equal(t, "100", f.Schedule)
	require.Equal(t, "a: somebody came between: 12", f.Reason, "the reason is that of the schedule")
}

func TestKindOfAFindingLeavesNumbersOut(t *testing.T) {
	assertion := func(line, value string) string {
		return "cancel: \n\tError Trace:\ta_test.go:" + line + "\n\tError:      \tShould be true\n\tMessages:   \tS15: " + value + "\n"
	}
	same := [][2]string{
		{"S3: 2 at once", "S3: 14 at once"},
		{"panic: 0xc0001 is free\ngoroutine 7 [running]", "panic: 0xffe is free\ngoroutine 8 [running]"},
		{assertion("3", "1"), assertion("40", "2")},
	}
	for _, p := range same {
		require.Equal(t, kindOf(p[0]), kindOf(p[1]))
	}
	require.NotEqual(t, kindOf("S3: 2 at once"), kindOf("S4: 2 at once"))
	require.NotEqual(t, kindOf(assertion("3", "early")), kindOf(assertion("3", "late")))
}
