package hist

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fioIndex and fioValue are fio's plat_val_to_idx and plat_idx_to_val, step by
// step, with its names.
func fioIndex(val uint64) int {
	const platBits, platVal, platNr = 6, 64, 29 * 64
	msb := 0
	for v := val; v > 1; v >>= 1 {
		msb++
	}
	if msb <= platBits {
		return int(val)
	}
	errorBits := msb - platBits
	base := (errorBits + 1) << platBits
	offset := (platVal - 1) & int(val>>errorBits)
	return min(base+offset, platNr-1)
}

func fioValue(idx int) int64 {
	if idx < 64<<1 {
		return int64(idx)
	}
	errorBits := idx>>6 - 1
	base := int64(1) << (errorBits + 6)
	k := idx % 64
	return base + int64((float64(k)+0.5)*float64(int64(1)<<errorBits))
}

func TestBucketsAreThoseOfFio(t *testing.T) {
	for i := range buckets {
		from, to := bounds(i)
		require.Equal(t, fioValue(i), middle(i), "bucket %d", i)
		for _, v := range []int64{from, to, middle(i)} {
			require.Equal(t, i, indexOf(v), "value %d", v)
			require.Equal(t, i, fioIndex(uint64(v)), "value %d", v)
		}
		if i > 0 {
			_, before := bounds(i - 1)
			require.Equal(t, before+1, from)
		}
		require.LessOrEqual(t, 128*max(to-middle(i), middle(i)-from), from, "error of bucket %d", i)
	}
	require.Equal(t, 1856, buckets)
	for _, v := range []int64{limit, limit + 1, 1 << 40, math.MaxInt64} {
		require.Equal(t, buckets-1, indexOf(v))
		require.Equal(t, buckets-1, fioIndex(uint64(v)))
	}
	require.Equal(t, buckets-1, indexOf(limit-1))
}

// drawValue spreads over all magnitudes; rapid alone favours small values.
var drawValue = rapid.Custom(func(t *rapid.T) int64 {
	return rapid.Int64Range(0, math.MaxInt64).Draw(t, "v") >> rapid.IntRange(0, 62).Draw(t, "shift")
})

func of(values []int64) *Histogram {
	h := new(Histogram)
	for _, v := range values {
		h.Add(v)
	}
	return h
}

func TestHistogramAgreesWithSortedValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(drawValue, 1, 300).Draw(t, "values")
		h := of(values)
		slices.Sort(values)
		n := len(values)
		require.EqualValues(t, n, h.Count())
		require.Equal(t, values[0], h.Min())
		require.Equal(t, values[n-1], h.Max())

		sum, beyond := new(big.Int), 0
		for _, v := range values {
			sum.Add(sum, big.NewInt(v))
			if v >= limit {
				beyond++
			}
		}
		require.EqualValues(t, beyond, h.Beyond())
		twice := new(big.Int).Add(sum.Lsh(sum, 1), big.NewInt(int64(n)))
		require.Equal(t, twice.Quo(twice, big.NewInt(int64(2*n))).Int64(), h.Mean())

		for _, p := range []int{0, 1, 100_000, 500_000, 500_001, 990_000, 999_999, 1_000_000, rapid.IntRange(0, PerMillion).Draw(t, "p")} {
			rank := max((n*p+PerMillion-1)/PerMillion, 1)
			exact := values[rank-1]
			got := h.Percentile(p)
			require.Equal(t, min(max(middle(indexOf(exact)), h.Min()), h.Max()), got, "p = %d", p)
			if exact < limit {
				require.LessOrEqual(t, 128*max(got-exact, exact-got), exact, "p = %d", p)
			}
		}

		total := int64(0)
		last := int64(-1)
		for b := range h.Buckets() {
			require.Greater(t, b.From, last)
			last = b.To
			total += b.Count
		}
		require.Equal(t, h.Count(), total)
	})
}

func TestMergeIsAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOfN(drawValue, 0, 50)
		a, b, c := draw.Draw(t, "a"), draw.Draw(t, "b"), draw.Draw(t, "c")
		all := of(slices.Concat(a, b, c))

		left := of(a) // (a + b) + c
		left.Merge(of(b))
		left.Merge(of(c))
		right := of(b) // a + (b + c), the other way round
		right.Merge(of(c))
		right.Merge(of(a))
		require.Equal(t, all, left)
		require.Equal(t, all, right)
	})
}

func TestExtremes(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Count()+h.Min()+h.Max()+h.Mean()+h.Percentile(0)+h.Percentile(PerMillion)+h.Beyond())
	for range h.Buckets() {
		t.Fatal("an empty histogram has a bucket")
	}

	h.Add(0)
	require.Zero(t, h.Min()+h.Max()+h.Mean()+h.Percentile(PerMillion))

	h = Histogram{}
	for range 1000 { // a sum of 73 bits
		h.Add(math.MaxInt64)
	}
	require.Equal(t, int64(math.MaxInt64), h.Mean())
	require.EqualValues(t, 1000, h.Beyond())
	require.Equal(t, int64(math.MaxInt64), h.Percentile(500_000), "Min is known")
	double := h
	double.Merge(&h)
	h.Merge(&h)
	require.Equal(t, double, h)

	h = Histogram{}
	h.Merge(of([]int64{2000, 3000})) // into an empty one, whose Min is 0
	require.Equal(t, of([]int64{3000, 2000}), &h)
	h.Merge(new(Histogram))
	require.EqualValues(t, 2000, h.Min())

	h = Histogram{}
	h.Add(1000)
	require.EqualValues(t, 1000, h.Percentile(500_000), "not the bucket's middle, 1004")
	require.PanicsWithValue(t, "hist: negative value -1", func() { h.Add(-1) })
	require.PanicsWithValue(t, "hist: percentile of -1 millionths", func() { h.Percentile(-1) })
	require.PanicsWithValue(t, "hist: percentile of 1000001 millionths", func() { h.Percentile(1_000_001) })
	require.EqualValues(t, 1, h.Count())
}

func TestAddDoesNotAllocate(t *testing.T) {
	var h Histogram
	v := int64(1)
	require.Zero(t, testing.AllocsPerRun(1000, func() { v = v*5 + 1; h.Add(v & math.MaxInt64) }))
}

func BenchmarkAdd(b *testing.B) {
	var h Histogram
	v := uint64(1)
	b.ReportAllocs()
	for b.Loop() {
		v = v*6364136223846793005 + 1442695040888963407
		h.Add(int64(v >> (40 + v>>60)))
	}
}

func BenchmarkMerge(b *testing.B) {
	var h, o Histogram
	o.Add(1)
	for b.Loop() {
		h.Merge(&o)
	}
}

// TestRestoreIsTheInverse of what a histogram tells of itself, and refuses what none
// would tell.
func TestRestoreIsTheInverse(t *testing.T) {
	h := &Histogram{}
	for i := range int64(3000) {
		h.Add(i * i * 977)
	}
	h.Add(1 << 40)
	bins := slices.Collect(h.Buckets())
	high, low := h.Sum()
	got, err := Restore(bins, h.Min(), h.Max(), h.Beyond(), high, low)
	require.NoError(t, err)
	require.Equal(t, h, got)
	for name, restore := range map[string]func() (*Histogram, error){
		"negative count": func() (*Histogram, error) { return Restore([]Bucket{{From: 1, Count: -1}}, 1, 1, 0, 0, 1) },
		"too large":      func() (*Histogram, error) { return Restore([]Bucket{{From: 1 << 40, Count: 1}}, 1, 1, 0, 0, 1) },
		"empty, a max":   func() (*Histogram, error) { return Restore(nil, 0, 5, 0, 0, 0) },
		"min not there":  func() (*Histogram, error) { return Restore([]Bucket{{From: 5, Count: 1}}, 1, 5, 0, 0, 5) },
		"beyond":         func() (*Histogram, error) { return Restore([]Bucket{{From: 5, Count: 1}}, 5, 5, 1, 0, 5) },
	} {
		_, err := restore()
		require.Error(t, err, name)
	}
}
