package traces

import (
	"hash/crc32"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func genOptions() GenOptions {
	return GenOptions{
		Duration: 20 * time.Second, Rate: 1000,
		Capacity: 1 << 30, Align: 4096, Sizes: []SizeWeight{{4096, 1}, {8192, 3}},
		Reads: 700,
	}
}

func TestGenerateGivesTheSameTraceOnEveryMachine(t *testing.T) {
	o := genOptions()
	o.BurstEvery, o.BurstLength, o.BurstRate = time.Second, 10*time.Millisecond, 50_000
	o.Regions, o.Sequential, o.Cancelled, o.CancelMax, o.Flushes, o.Discards = 100, 300, 100, time.Millisecond, 10, 10
	text := written(t, slices.Collect(Generate(o, 7)), nil)
	require.Equal(t, text, written(t, slices.Collect(Generate(o, 7)), nil))
	require.NotEqual(t, text, written(t, slices.Collect(Generate(o, 8)), nil))
	// Pinned: a change means that the traces of old seeds are no longer made.
	require.Equal(t, uint32(0x71c3d3a2), crc32.ChecksumIEEE([]byte(text)))
}

func TestGeneratedRecordsAreWhatWasAskedFor(t *testing.T) {
	o := genOptions()
	o.Cancelled, o.CancelMin, o.CancelMax, o.Tick = 250, time.Millisecond, 2*time.Millisecond, time.Microsecond
	o.Flushes, o.Discards = 50, 50
	recs := slices.Collect(Generate(o, 1))
	count := map[Op]float64{}
	sizes := map[int64]float64{}
	cancelled, transfers := 0., 0.
	last := int64(0)
	for _, r := range recs {
		count[r.Op]++
		require.GreaterOrEqual(t, r.Time, last)
		require.Zero(t, r.Time%1000)
		last = r.Time
		if r.Op == Flush {
			require.Zero(t, r.Length)
			continue
		}
		sizes[r.Length]++
		require.Zero(t, r.Offset%o.Align)
		require.LessOrEqual(t, r.Offset+r.Length, o.Capacity)
		if r.Op == Discard {
			continue
		}
		transfers++
		if r.CancelAfter >= 0 {
			cancelled++
			require.GreaterOrEqual(t, r.CancelAfter, int64(o.CancelMin))
			require.LessOrEqual(t, r.CancelAfter, int64(o.CancelMax))
		}
	}
	n := float64(len(recs))
	require.Less(t, last, int64(o.Duration))
	require.InDelta(t, 20_000, n, 500)
	require.InDelta(t, 0.70, count[Read]/n, 0.02)
	require.InDelta(t, 0.05, count[Flush]/n, 0.01)
	require.InDelta(t, 0.05, count[Discard]/n, 0.01)
	require.InDelta(t, 0.25, cancelled/transfers, 0.02)
	require.InDelta(t, 3, sizes[8192]/sizes[4096], 0.2)
}

func TestGeneratedArrivalsAreExponentialAndBurstsAreDenser(t *testing.T) {
	o := genOptions()
	recs := slices.Collect(Generate(o, 3))
	over := 0.
	for i := 1; i < len(recs); i++ {
		if recs[i].Time-recs[i-1].Time > int64(time.Millisecond) {
			over++
		}
	}
	require.InDelta(t, math.Exp(-1), over/float64(len(recs)), 0.02, "gaps longer than the mean")

	o.BurstEvery, o.BurstLength, o.BurstRate = 500*time.Millisecond, 20*time.Millisecond, 50_000
	perBin := map[int64]int{}
	for r := range Generate(o, 3) {
		perBin[r.Time/int64(10*time.Millisecond)]++
	}
	busy := 0
	for _, n := range perBin {
		if n > 200 { // 10 is the mean of calm, 500 of a burst
			busy++
		}
	}
	require.Greater(t, busy, 20)
	require.Less(t, busy, 200)
}

func TestGeneratedPlacesAreHotOrUniformOrSequential(t *testing.T) {
	hottest := func(o GenOptions) float64 {
		perRegion := map[int64]int{}
		n := 0
		for r := range Generate(o, 5) {
			perRegion[r.Offset/(o.Capacity/64)]++
			n++
		}
		most := 0
		for _, k := range perRegion {
			most = max(most, k)
		}
		return float64(most) / float64(n)
	}
	o := genOptions()
	require.Less(t, hottest(o), 0.03)
	o.Regions = 64
	require.InDelta(t, 0.21, hottest(o), 0.02) // 1 / (1 + 1/2 + ... + 1/64)

	o.Regions, o.Sequential = 0, 800
	next, runs, n := int64(-1), 0., 0.
	for r := range Generate(o, 5) {
		if r.Offset == next {
			runs++
		}
		n++
		next = r.Offset + r.Length
	}
	require.InDelta(t, 0.8, runs/n, 0.02)
}

func TestNegativeLogarithmInIntegers(t *testing.T) {
	for _, u := range []uint64{1, 2, 3, 1 << 32, 1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64, 0x123456789abcdef1} {
		want := (64*math.Ln2 - math.Log(float64(u))) * (1 << 32)
		require.InDelta(t, want, float64(negLnQ32(u)), 16, "%x", u)
	}
}

func TestGenerateRefusesBadOptions(t *testing.T) {
	for _, change := range []func(*GenOptions){
		func(o *GenOptions) { o.Duration = 0 },
		func(o *GenOptions) { o.Rate = 0 },
		func(o *GenOptions) { o.BurstEvery = 1 },
		func(o *GenOptions) { o.Align = 0 },
		func(o *GenOptions) { o.Capacity = 100 },
		func(o *GenOptions) { o.Regions = 1 << 20 },
		func(o *GenOptions) { o.Reads, o.Flushes = 600, 500 },
		func(o *GenOptions) { o.Cancelled = 1001 },
		func(o *GenOptions) { o.CancelMin = 5 },
		func(o *GenOptions) { o.Sizes = nil },
		func(o *GenOptions) { o.Sizes = []SizeWeight{{100, 1}} },
		func(o *GenOptions) { o.Sizes = []SizeWeight{{4096, 0}} },
	} {
		o := genOptions()
		change(&o)
		require.ErrorContains(t, o.Validate(), "traces: generate: ")
		require.Panics(t, func() { Generate(o, 1) })
	}
	require.NoError(t, genOptions().Validate())
}

func TestRankWeightsFallByThePowerAskedFor(t *testing.T) {
	for _, skew := range []int{500, 900, 1000, 1500, 3000} {
		for _, rank := range []int{1, 2, 3, 10, 1000, 65536} {
			want := math.Ldexp(1, 40) / math.Pow(float64(rank), float64(skew)/1000)
			require.InDelta(t, want, float64(rankWeight(rank, skew)), want*1e-6+1, "rank %d, skew %d", rank, skew)
		}
	}
}

func TestHotPlacesSkewTouchedAndSteadyAreWhatWasAskedFor(t *testing.T) {
	o := genOptions()
	o.HotShare, o.HotSpace = 900, 100
	hot := 0
	recs := slices.Collect(Generate(o, 1))
	for _, r := range recs {
		if r.Offset < o.Capacity/10 {
			hot++
		}
	}
	require.InDelta(t, 0.9, float64(hot)/float64(len(recs)), 0.01)

	o = genOptions()
	o.Regions, o.Touched, o.Skew = 1024, 10, 2000
	counts := map[int64]int{}
	recs = slices.Collect(Generate(o, 1))
	for _, r := range recs {
		counts[r.Offset/(o.Capacity/1024)]++
	}
	require.Len(t, counts, 10)
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	require.InDelta(t, 1/1.5498, float64(most)/float64(len(recs)), 0.02) // 1 / sum of 1/k^2 to 10

	o = genOptions()
	o.Steady, o.Records, o.Rate, o.Gap = true, 100, 0, 7*time.Second
	o.Duration = time.Hour
	recs = slices.Collect(Generate(o, 1))
	require.Len(t, recs, 100)
	require.EqualValues(t, 700*time.Second, recs[99].Time)

	o = genOptions()
	o.WriteSizes = []SizeWeight{{512 << 10, 1}}
	for r := range Generate(o, 1) {
		require.Equal(t, r.Op == Write, r.Length == 512<<10)
	}
}
