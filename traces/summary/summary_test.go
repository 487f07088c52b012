package summary

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/traces"
)

func collect(recs []traces.Record) *Info {
	c := New()
	for len(recs) > 7 { // in batches
		c.Add(recs[:7])
		recs = recs[7:]
	}
	c.Add(recs)
	return c.Info(traces.Names{Volumes: []string{"a", "b"}, Processes: []traces.Process{{}, {PID: 7, Name: "dd"}}})
}

func TestCountsSizesAndOrderAreExact(t *testing.T) {
	in := collect([]traces.Record{
		{Time: 100, Offset: 0, Length: 8192, CancelAfter: -1},
		{Time: 200, Offset: 8192, Length: 4096, CancelAfter: 5, Process: 1},
		{Time: 300, Offset: 0, Length: 512, CancelAfter: -1, Op: traces.Write, Volume: 1, Completed: 1000, Issued: 400, Status: 5},
		{Time: 300, Offset: 0, Length: 512, CancelAfter: -1, Op: traces.Write, Volume: 1},
		{Time: 1_000_000_100, CancelAfter: -1, Op: traces.Flush},
		{Time: 1_000_000_100, Offset: 1 << 40, Length: 4096, CancelAfter: -1, Op: traces.Discard},
		{Time: 1_000_000_100, Offset: 12288 + 100_000, Length: 4096, CancelAfter: -1},
	})
	require.Equal(t, []any{int64(100), int64(1e9), 7.0, int64(8192 + 4096 + 512 + 512 + 4096)}, []any{in.FirstNs, in.SpanNs, in.IOPS, in.Bytes})
	require.InDelta(t, 0.6, in.ReadPart, 1e-9)
	require.Equal(t, Op{Op: "read", Records: 3, Bytes: 16384, Share: 3. / 7, MinSize: 4096, MaxSize: 8192,
		Sizes: []Size{{4096, 2, 2. / 3}, {8192, 1, 1. / 3}}}, in.Ops[0])
	require.Len(t, in.Ops, 4)
	require.EqualValues(t, 1<<40+4096, in.EndBytes)
	// Blocks: a 0 to 2 and two of the last read, which is not aligned; b 0.
	require.Equal(t, Footprint{Bytes: 6 * 4096, ReadBytes: 5 * 4096, WriteBytes: 4096, Exact: true}, in.Footprint)
	require.Equal(t, Access{Sequential: 0.2, Near: 0.6, Again: 0.2, MeanRun: 5. / 4, Aligned4K: 0.4}, in.Access)
	require.Equal(t, []Volume{{"a", 5, 3, 0, 16384, 1<<40 + 4096}, {"b", 2, 0, 2, 1024, 512}}, in.Volumes)
	require.Equal(t, []Process{{7, "dd", 1, 4096}}, in.Processes)
	require.Equal(t, int64(1), in.Latency.Total.Count)
	require.InDelta(t, 600, in.Latency.Device.P50, 6)
	require.Equal(t, []int64{1, 1}, []int64{in.Cancels, in.Failed})
}

func TestFootprintIsExactWhileItIsSmallAndCloseBeyond(t *testing.T) {
	for _, n := range []int{0, 1, 100, exactLimit, exactLimit + 1, 60_000, 500_000, 3_000_000} {
		var h hll
		for i := range n {
			h.add(uint64(i) * 7)
			h.add(uint64(i) * 7)
		}
		got, exact := h.count()
		require.Equal(t, n <= exactLimit, exact)
		if exact {
			require.EqualValues(t, n, got)
		}
		require.InEpsilon(t, float64(n+1), float64(got+1), 0.033, "four standard errors")
	}
}

func TestALongDiscardOrReadTakesBoundedTime(t *testing.T) {
	start := time.Now()
	in := collect([]traces.Record{{Length: math.MaxInt64, CancelAfter: -1}, {Length: math.MaxInt64, CancelAfter: -1, Op: traces.Discard}})
	require.Less(t, time.Since(start), time.Minute) // it would be years
	require.Positive(t, in.Footprint.Bytes)
}

// bruteScale counts one scale the obvious way.
func bruteScale(times []int64, window int64) (windows int64, peak int64, dispersion float64) {
	counts := map[int64]int64{}
	for _, t := range times {
		counts[(t-times[0])/window]++
	}
	windows = (times[len(times)-1] - times[0]) / window // the last one is not over
	sum, sqr := 0.0, 0.0
	for k, n := range counts {
		peak = max(peak, n)
		if k < windows {
			sum += float64(n)
			sqr += float64(n) * float64(n)
		}
	}
	mean := sum / float64(windows)
	return windows, peak, (sqr/float64(windows) - mean*mean) / mean
}

func TestScalesAreThoseOfTheObviousWay(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var times []int64
		now := int64(rng.IntN(1e9))
		for range 3000 {
			gap := int64(rng.ExpFloat64() * 2e6)
			if rng.IntN(50) == 0 {
				gap = int64(rng.IntN(3e9))
			}
			now += gap
			times = append(times, now)
		}
		b := newBursts()
		for _, at := range times {
			b.add(at)
		}
		a := b.arrivals()
		require.Equal(t, a, b.arrivals(), "asking twice")
		require.NotEmpty(t, a.Scales)
		for _, s := range a.Scales {
			windows, peak, dispersion := bruteScale(times, s.WindowNs)
			require.Equal(t, windows, s.Windows, "seed %d", seed)
			require.InEpsilon(t, float64(peak)/time.Duration(s.WindowNs).Seconds(), s.PeakIOPS, 1e-9)
			require.InDelta(t, dispersion, s.Dispersion, 1e-6*(1+dispersion))
		}
	}
}

func TestAPoissonProcessLooksLikeOneAndBurstsDoNot(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	b, heavy := newBursts(), newBursts()
	now, later := 0.0, 0.0
	for range 400_000 {
		now += rng.ExpFloat64() * 1e6
		b.add(int64(now))
		// Gaps with so heavy a tail that no scale evens them out.
		later += 2e5 * math.Pow(1-rng.Float64(), -1/1.2)
		heavy.add(int64(later))
	}
	a := b.arrivals()
	require.InDelta(t, 1, a.GapCV, 0.02)
	require.InDelta(t, 0.5, a.Hurst, 0.06)
	require.InDelta(t, 1, a.Scales[0].Dispersion, 0.05)
	require.InDelta(t, 1, a.Scales[4].Dispersion, 0.15)
	h := heavy.arrivals()
	require.Greater(t, h.Hurst, 0.65)
	require.Greater(t, h.GapCV, 2.0)
}

func TestTheTimelineDoublesItsSteps(t *testing.T) {
	var l timeline
	var n int64
	for i := range int64(100_000) {
		l.add(5+i*i, i%3 == 0, i)
		n += i
	}
	l.add(0, false, 0) // late
	require.LessOrEqual(t, len(l.reads), timelineSteps)
	require.Greater(t, len(l.reads), timelineSteps/2)
	var sums [3]int64
	for i := range l.reads {
		sums[0] += l.reads[i]
		sums[1] += l.writes[i]
		sums[2] += l.bytes[i]
	}
	require.Equal(t, [3]int64{66_667, 33_334, n}, sums)
}

func TestTheTableFitsItsWidthAndTheJSONHasItAll(t *testing.T) {
	recs := make([]traces.Record, 5000)
	for i := range recs {
		recs[i] = traces.Record{Time: int64(i) * 3e6, Offset: int64(i%100) * 4096, Length: 4096, CancelAfter: -1,
			Op: traces.Op(i % 2), Volume: uint32(i % 2), Process: uint32(i % 2), Completed: 1000}
	}
	in := collect(recs)
	in.Name, in.Format, in.Why = "t.blk", "blksim", "the first line is \"blksim trace 1\""
	in.Records = Records{In: 5010, Taken: 5000, Skipped: map[string]int64{"no extent": 7, "other volume": 1}, Rejected: 2}
	in.Notes = []string{strings.Repeat("long ", 40)}
	for _, width := range []int{80, 200} {
		var b strings.Builder
		require.NoError(t, in.WriteTable(&b, width))
		for line := range strings.Lines(b.String()) {
			require.LessOrEqual(t, len([]rune(line)), width+1, line)
		}
		for _, want := range []string{"records     5,010", "5,000 taken; left out: 1 other volume, 7 no extent, 2 bad", "333 records a second, 1.30 MiB/s",
			"50.0 % reads, 50.0 % writes", "4 KiB 100 %", "footprint 400 KiB in blocks of 4 KiB", "dispersion", "latency, as recorded", "dd  "} {
			require.Contains(t, b.String(), want)
		}
	}
	b, err := json.Marshal(in)
	require.NoError(t, err)
	var back Info
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, *in, back)

	var empty strings.Builder
	require.NoError(t, New().Info(traces.Names{}).WriteTable(&empty, 80))
	require.Contains(t, empty.String(), "records     0")
	b, err = json.Marshal(New().Info(traces.Names{}))
	require.NoError(t, err)
	require.NotContains(t, string(b), "NaN")
}
