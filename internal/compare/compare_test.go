package compare_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/compare"
	"blksim/internal/record"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/traces"
)

// noisy is a run of 20,000 reads whose latencies are exponential around a level
// that stays for a while and then changes: neighbours resemble each other.
func noisy(seed uint64, scale float64, series bool) *report.Run {
	r := rand.New(rand.NewPCG(seed, 9))
	res := &replay.Result{Skipped: map[string]int64{}, Elapsed: 1e9}
	s := record.NewSeries()
	level := 1.0
	const n = 20_000
	for i := range n {
		if i%400 == 0 {
			level = 0.5 + r.Float64()
		}
		ns := int64(scale * level * 1e5 * (0.2 + r.ExpFloat64()))
		end := lane.Time(i) * 50_000
		io := replay.IO{Due: end, Submitted: end, Ended: end + lane.Time(ns), Dispatched: end, Returned: end + lane.Time(ns), Asked: replay.NoTime, N: 4096}
		s.Add(&io)
		res.Ops[aio.OpRead].Latency.Add(ns)
	}
	res.Submitted, res.Completed = n, n
	res.Ops[aio.OpRead].Submitted, res.Ops[aio.OpRead].Completed = n, n
	run := &report.Run{Name: "x"}
	run.Fill(res, traces.Stats{})
	if series {
		run.Record(nil, s)
	}
	return run
}

func significant(c *compare.Comparison) (n int) {
	for _, r := range c.Rows {
		if r.Significant {
			n++
		}
	}
	return n
}

// TestTheSameThingIsSeldomCalledDifferent: of 16 pairs of runs of the same process,
// with 5 latency figures each, at 99 %. Taken as independent, their I/Os would call
// far more of them different: that is what the series is for.
func TestTheSameThingIsSeldomCalledDifferent(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many draws")
	}
	wrong, naive := 0, 0
	for seed := range uint64(16) {
		wrong += significant(compare.Runs(noisy(seed, 1, true), noisy(seed+1000, 1, true), "a", "b", compare.Options{}))
		naive += significant(compare.Runs(noisy(seed, 1, false), noisy(seed+1000, 1, false), "a", "b", compare.Options{}))
	}
	require.LessOrEqual(t, wrong, 6, "of 80 figures")
	require.Greater(t, naive, 4*max(wrong, 3))
}

func TestADifferenceIsFoundAndItsSizeIsInTheInterval(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many draws")
	}
	inside, all := 0, 0
	for seed := range uint64(8) {
		c := compare.Runs(noisy(seed, 1, true), noisy(seed+77, 1.6, true), "a", "b", compare.Options{})
		for _, r := range c.Rows {
			if !r.Sampled {
				continue
			}
			all++
			if r.Low <= 0.6 && 0.6 <= r.High {
				inside++
			}
			if r.Figure == "p50" {
				require.True(t, r.Significant, "%+v", r)
			}
		}
	}
	require.Greater(t, float64(inside), 0.9*float64(all))
}

func TestTheSameFilesGiveTheSameBytes(t *testing.T) {
	var first, again strings.Builder
	a, b := noisy(1, 1, true), noisy(2, 1.1, true)
	require.NoError(t, compare.WriteTable(&first, []*compare.Comparison{compare.Runs(a, b, "a", "b", compare.Options{Seed: 5})}, false))
	require.NoError(t, compare.WriteTable(&again, []*compare.Comparison{compare.Runs(a, b, "a", "b", compare.Options{Seed: 5})}, false))
	require.Equal(t, first.String(), again.String())
	require.Contains(t, first.String(), "slower")
	for _, line := range strings.Split(first.String(), "\n") {
		if !strings.HasPrefix(line, "note") {
			require.LessOrEqual(t, len(line), 100)
		}
	}
}

func TestARunIsNotDifferentFromItself(t *testing.T) {
	a := noisy(3, 1, true)
	c := compare.Runs(a, a, "a", "a", compare.Options{})
	require.Zero(t, significant(c))
	for _, r := range c.Rows {
		require.Zero(t, r.Change)
		require.False(t, math.IsNaN(r.Low+r.High))
	}
}
