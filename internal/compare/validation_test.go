package compare_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/compare"
	"blksim/internal/record"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/traces"
)

// reads is a run of a read every 10 us, with these latencies in ns; of each, a quarter
// is in the queue if split is set.
func reads(name string, latencies []int64, split bool) *report.Run {
	res := &replay.Result{Skipped: map[string]int64{}}
	s := record.NewSeries()
	op := &res.Ops[aio.OpRead]
	for i, ns := range latencies {
		from := lane.Time(i) * 10_000
		io := replay.IO{Due: from, Submitted: from, Dispatched: from + lane.Time(ns/4), Returned: from + lane.Time(ns), Ended: from + lane.Time(ns), Asked: replay.NoTime, N: 4096}
		s.Add(&io)
		op.Latency.Add(ns)
		if split {
			op.Queue.Add(ns / 4)
			op.Device.Add(ns - ns/4)
		}
		res.Elapsed = max(res.Elapsed, io.Ended.Sub(0))
	}
	n := int64(len(latencies))
	res.Submitted, res.Completed, op.Submitted, op.Completed, op.Bytes = n, n, n, n, 4096*n
	r := &report.Run{Name: name, Setup: report.Setup{Clock: "virtual", Timing: "trace", TimeScale: 1, Device: "sim:x", Driver: name}}
	r.Fill(res, traces.Stats{})
	r.Record(nil, s)
	return r
}

func distanceOf(t require.TestingT, a, b []int64) compare.Distance {
	v := compare.Validate(reads("recorded", a, false), reads("nvme", b, false), "a", "b", compare.Options{})
	require.Len(t, v.Distances, 1)
	return v.Distances[0]
}

// TestDistancesOfKnownSamples: figures by hand, of values that have buckets of their own.
func TestDistancesOfKnownSamples(t *testing.T) {
	for name, c := range map[string]struct {
		a, b   []int64
		ks     float64
		at     int64
		wasser float64
	}{
		"the same":             {[]int64{1, 2, 3}, []int64{3, 1, 2}, 0, 0, 0},
		"twice as many":        {[]int64{1, 5}, []int64{1, 1, 5, 5}, 0, 0, 0},
		"all moved by 10":      {[]int64{20, 40}, []int64{30, 50}, 0.5, 20, 10},
		"half moved by 40":     {[]int64{10, 10, 20, 20}, []int64{10, 10, 60, 60}, 0.5, 20, 20},
		"apart":                {[]int64{10}, []int64{110}, 1, 10, 100},
		"both ways, mean kept": {[]int64{50, 50}, []int64{40, 60}, 0.5, 40, 10},
	} {
		t.Run(name, func(t *testing.T) {
			d := distanceOf(t, c.a, c.b)
			require.InDelta(t, c.ks, d.KS, 1e-12)
			require.Equal(t, c.at, d.At)
			require.InDelta(t, c.wasser, d.Wasserstein, 1e-9)
		})
	}
}

// TestDistancesAreWhatTheirDefinitionsSay: of random samples, against the definitions
// over the sorted values, within what the buckets hide.
func TestDistancesAreWhatTheirDefinitionsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		values := rapid.SliceOfN(rapid.Int64Range(0, 1<<30), n, n)
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		d := distanceOf(t, a, b)
		// Of two samples of one size, Wasserstein's distance pairs them in order.
		want, top := 0.0, int64(0)
		sa, sb := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
		for i := range sa {
			want += math.Abs(float64(sa[i] - sb[i]))
			top = max(top, sa[i], sb[i])
		}
		want /= float64(n)
		require.InDelta(t, want, d.Wasserstein, 0.02*float64(top)+1)
		require.True(t, d.KS >= 0 && d.KS <= 1)
		back := distanceOf(t, b, a)
		require.InDelta(t, d.KS, back.KS, 1e-12)
		require.InDelta(t, d.Wasserstein, back.Wasserstein, 1e-6*d.Wasserstein)
	})
}

func TestASimulationThatIsTooSlowIsSaidToBe(t *testing.T) {
	var was, is []int64
	for i := range int64(4000) {
		was, is = append(was, 50_000+i*7%9000), append(is, 80_000+i*7%9000)
	}
	v := compare.Validate(reads("recorded", was, true), reads("nvme", is, true), "disk.blkt", "disk.blkt", compare.Options{})
	find := func(stage, figure string) compare.Row {
		for _, r := range v.Rows {
			if r.Op == "read" && r.Stage == stage && r.Figure == figure {
				return r
			}
		}
		t.Fatalf("no %s of %q", figure, stage)
		return compare.Row{}
	}
	for _, stage := range []string{"", "queue", "device"} {
		p50 := find(stage, "p50")
		require.True(t, p50.Significant, stage)
		require.InDelta(t, 30.0/54.5, p50.Change, 0.03, stage)
	}
	require.Len(t, v.Distances, 3)
	require.InDelta(t, 30_000, v.Distances[0].Wasserstein, 1000)
	require.InDelta(t, 1, v.Distances[0].KS, 0.01)
	var b strings.Builder
	require.NoError(t, compare.WriteValidations(&b, []*compare.Validation{v}, false))
	for _, says := range []string{"read latency", "read, in queue", "read, in device", "KS distance", "slower", "recorded mean"} {
		require.Contains(t, b.String(), says)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		require.LessOrEqual(t, len(line), 100, line)
	}
}

// TestWorkDoneLaterIsNotTheSameThroughput: as many I/Os in the same time, half of them
// at another.
func TestWorkDoneLaterIsNotTheSameThroughput(t *testing.T) {
	even, late := make([]int64, 2000), make([]int64, 2000)
	for i := range even {
		even[i], late[i] = 1000, 1000
		if i < 1000 {
			late[i] = 10_000_000
		}
	}
	same := compare.Validate(reads("a", even, false), reads("b", even, false), "a", "b", compare.Options{})
	require.Zero(t, same.Shift.Share)
	moved := compare.Validate(reads("a", even, false), reads("b", late, false), "a", "b", compare.Options{})
	require.InDelta(t, 0.5, moved.Shift.Share, 0.03)
	require.LessOrEqual(t, moved.Shift.Intervals, 64)
}
