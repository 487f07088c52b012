package sim

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUint64IsXoshiro256PlusPlus(t *testing.T) {
	r := Rand{s: [4]uint64{1, 2, 3, 4}}
	for i, want := range []uint64{
		41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205,
		9973669472204895162, 14011001112246962877, 12406186145184390807, 15849039046786891736, 10450023813501588000,
	} { // the reference implementation's
		require.Equal(t, want, r.Uint64(), "number %d", i)
	}
}

// These figures are part of what a seed means: they must never change, on any
// machine.
func TestDrawsArePinned(t *testing.T) {
	r := NewRand(42, "pinned")
	got := []int64{
		int64(r.Uint64() >> 1), r.Int64N(1000), int64(r.IntN(7)),
		int64(r.Duration(time.Microsecond, time.Millisecond)),
		int64(r.Exp(time.Millisecond)), int64(r.Exp(time.Hour)), int64(r.Exp(7)),
	}
	require.Equal(t, []int64{6551112215579476410, 376, 2, 195449, 225788, 1867335364935, 0}, got)
	var sum uint64
	for range 100_000 {
		sum = sum*31 + uint64(r.Exp(123456789))
	}
	require.Equal(t, uint64(0xdc3bb96b84b3f4f2), sum)
}

func TestStreamsAreIndependentOfEachOther(t *testing.T) {
	draw := func(r *Rand) (xs []uint64) {
		for range 100 {
			xs = append(xs, r.Uint64())
		}
		return xs
	}
	w := NewWorld(5, 1)
	alone := draw(w.Rand("media"))

	w = NewWorld(5, 1) // with other consumers around, before and between
	draw(w.Rand("arrivals"))
	first := w.Rand("media")
	w.Rand("faults").Uint64()
	require.Equal(t, alone, draw(first))
	require.NotEqual(t, alone, draw(w.Rand("media2")))
	require.NotEqual(t, alone, draw(NewRand(6, "media")))
	require.Equal(t, alone, draw(NewRand(5, "media")))
}

func TestSamePurposeIsTheSameStream(t *testing.T) {
	w := NewWorld(5, 1)
	a, b := w.Rand("media"), w.Rand("media")
	require.Same(t, a, b)
	want := NewRand(5, "media")
	for range 10 {
		require.Equal(t, want.Uint64(), a.Uint64())
		require.Equal(t, want.Uint64(), b.Uint64())
	}
}

// mean and variance of n draws of x, which are around 1.
func moments(n int, x func() float64) (mean, variance float64) {
	var sum, squares float64
	for range n {
		v := x()
		sum += v
		squares += float64(v * v)
	}
	mean = sum / float64(n)
	return mean, squares/float64(n) - float64(mean*mean)
}

func TestUniformDrawsFillTheirRangeEvenly(t *testing.T) {
	r := NewRand(1, "even")
	var counts [10]int
	for range 100_000 {
		counts[r.IntN(10)]++
	}
	for i, n := range counts {
		require.InDelta(t, 10_000, n, 500, "value %d", i)
	}
	hits := 0
	for range 100_000 {
		if r.Bool(250_000, PerMillion) {
			hits++
		}
		require.False(t, r.Bool(0, 3))
		require.True(t, r.Bool(3, 3))
		d := r.Duration(-5, 5)
		require.True(t, -5 <= d && d < 5)
	}
	require.InDelta(t, 25_000, hits, 700)
	require.Equal(t, time.Duration(math.MinInt64), min(r.Duration(math.MinInt64, math.MinInt64+1), 0))
	r.Duration(math.MinInt64, math.MaxInt64)
	require.EqualValues(t, 0, r.Uint64N(1))
	r.Uint64N(math.MaxUint64)

	third := 0
	for range 30_000 { // without the rejection every second one would be
		if r.Uint64N(3<<62)%3 == 0 {
			third++
		}
	}
	require.InDelta(t, 10_000, third, 400)
}

func TestExpHasItsMeanAndVariance(t *testing.T) {
	r := NewRand(1, "exp")
	const mean = time.Second
	m, v := moments(400_000, func() float64 { return float64(r.Exp(mean)) / float64(mean) })
	require.InDelta(t, 1, m, 0.01)
	require.InDelta(t, 1, v, 0.03)
	longer := 0
	for range 100_000 {
		if r.Exp(mean) > 3*mean {
			longer++
		}
	}
	require.InDelta(t, 100_000*math.Exp(-3), longer, 300)
	require.Zero(t, r.Exp(0))
	for range 1000 {
		require.Positive(t, r.Exp(math.MaxInt64)) // saturates, never overflows
	}
}

// The fixed-point logarithm against math.Log, at many points of its table.
func TestExpIsTheLogarithm(t *testing.T) {
	const mean = 1 << 50
	check := func(u uint64) {
		got := float64(expOf(u, mean)) / mean
		want := -math.Log(float64(u|1) / (1 << 64))
		require.InDelta(t, want, got, 3e-6, "u = %#x", u)
	}
	for shift := range 64 {
		for i := range uint64(64) {
			check((1<<63 | i<<57 | i*i*i<<20) >> shift)
		}
	}
	check(0)
	check(math.MaxUint64)
}

func TestEmptyRangesPanic(t *testing.T) {
	r := NewRand(1, "")
	require.PanicsWithValue(t, "sim: random number drawn from [0, 0)", func() { r.IntN(0) })
	require.PanicsWithValue(t, "sim: random number drawn from an empty range", func() { r.Uint64N(0) })
	require.PanicsWithValue(t, "sim: random duration drawn from [1ns, 1ns)", func() { r.Duration(1, 1) })
	require.PanicsWithValue(t, "sim: negative mean of an exponential distribution", func() { r.Exp(-1) })
}

func TestShuffleReachesEveryOrder(t *testing.T) {
	r := NewRand(1, "shuffle")
	seen := map[[3]int]int{}
	for range 6000 {
		a := [3]int{0, 1, 2}
		r.Shuffle(3, func(i, j int) { a[i], a[j] = a[j], a[i] })
		seen[a]++
	}
	require.Len(t, seen, 6)
	for _, n := range seen {
		require.InDelta(t, 1000, n, 150)
	}
}
