package hist

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
)

// A Histogram counts values that are not negative, in nanoseconds. The zero
// Histogram is empty and ready for use.
type Histogram struct {
	counts   [buckets]int64
	count    int64
	beyond   int64
	min, max int64 // while count > 0
	sumHigh  uint64
	sumLow   uint64
}

// Add counts v. A negative v is a programmer's error: it panics.
func (h *Histogram) Add(v int64) {
	if v < 0 {
		panic(fmt.Sprintf("hist: negative value %d", v))
	}
	h.counts[indexOf(v)]++
	if v >= limit {
		h.beyond++
	}
	if v < h.min || h.count == 0 {
		h.min = v
	}
	h.max = max(h.max, v)
	h.count++
	var carry uint64
	h.sumLow, carry = bits.Add64(h.sumLow, uint64(v), 0)
	h.sumHigh += carry
}

// Merge adds what o has counted. The result is exactly that of adding o's values
// one by one. Merging a histogram with itself doubles it.
func (h *Histogram) Merge(o *Histogram) {
	if o.count == 0 {
		return
	}
	for i := range h.counts {
		h.counts[i] += o.counts[i]
	}
	h.beyond += o.beyond
	if o.min < h.min || h.count == 0 {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.count += o.count
	var carry uint64
	h.sumLow, carry = bits.Add64(h.sumLow, o.sumLow, 0)
	h.sumHigh, _ = bits.Add64(h.sumHigh, o.sumHigh, carry)
}

// Count is the number of values.
func (h *Histogram) Count() int64 { return h.count }

// Beyond is the number of values of 2^34 ns (17.2 s) and more, which the last
// bucket took. Percentiles that fall on them are too low; Mean and Max are not.
func (h *Histogram) Beyond() int64 { return h.beyond }

// Min is the least value, exactly, or 0 if there is none.
func (h *Histogram) Min() int64 { return h.min }

// Max is the greatest value, exactly, or 0 if there is none.
func (h *Histogram) Max() int64 { return h.max }

// Mean is the mean of the values, from their exact sum of 128 bits, rounded to
// the nearest integer (a half upwards), or 0 if there is none.
func (h *Histogram) Mean() int64 {
	if h.count == 0 {
		return 0
	}
	low, carry := bits.Add64(h.sumLow, uint64(h.count)/2, 0)
	mean, _ := bits.Div64(h.sumHigh+carry, low, uint64(h.count))
	return int64(mean)
}

// PerMillion is the whole in Percentile's unit.
const PerMillion = 1_000_000

// Percentile is the value at a share of the values, in millionths: 500_000 is
// the median, 999_900 is p99.99. The rank is the nearest, rounded up: the result
// stands for the least value such that at least that share is not greater. It
// is the middle of that value's bucket, as fio reports it, but never below Min
// or above Max. It is 0 if there are no values.
func (h *Histogram) Percentile(perMillion int) int64 {
	if perMillion < 0 || perMillion > PerMillion {
		panic(fmt.Sprintf("hist: percentile of %d millionths", perMillion))
	}
	if h.count == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(h.count), uint64(perMillion))
	rank, rest := bits.Div64(high, low, PerMillion)
	if rest > 0 || rank == 0 {
		rank++
	}
	i := 0
	for seen := h.counts[0]; seen < int64(rank); seen += h.counts[i] {
		i++
	}
	return min(max(middle(i), h.min), h.max)
}

// A Bucket is the number of values from From up to and including To.
type Bucket struct{ From, To, Count int64 }

// Buckets goes through the buckets that are not empty, lowest first. The last
// of all, whose To is 2^34-1, also has what is Beyond.
func (h *Histogram) Buckets() iter.Seq[Bucket] {
	return func(yield func(Bucket) bool) {
		for i, n := range h.counts {
			if n == 0 {
				continue
			}
			from, to := bounds(i)
			if !yield(Bucket{from, to, n}) {
				return
			}
		}
	}
}

// Sum is the exact sum of the values, of 128 bits.
func (h *Histogram) Sum() (high, low uint64) { return h.sumHigh, h.sumLow }

// StdDev is the standard deviation, from the middles of the buckets.
func (h *Histogram) StdDev() float64 {
	if h.count == 0 {
		return 0
	}
	mean, sum := float64(h.Mean()), 0.0
	for i, n := range h.counts {
		if n > 0 {
			d := float64(middle(i)) - mean
			sum += d * d * float64(n)
		}
	}
	return math.Sqrt(sum / float64(h.count))
}

// Middle is what stands for the bucket: what Percentile gives, and fio.
func (b Bucket) Middle() int64 { return b.From + (b.To-b.From+1)/2 }

// BucketOf is the bucket of a value that is not negative, with no count.
func BucketOf(v int64) Bucket {
	from, to := bounds(indexOf(v))
	return Bucket{From: from, To: to}
}

// Restore makes the histogram that gave these figures. The buckets are told by
// any of their values (From). The error says what cannot be: a histogram never
// gave it.
func Restore(bins []Bucket, least, most, beyond int64, sumHigh, sumLow uint64) (*Histogram, error) {
	h := &Histogram{min: least, max: most, beyond: beyond, sumHigh: sumHigh, sumLow: sumLow}
	for _, b := range bins {
		if b.From < 0 || b.From >= limit || b.Count <= 0 || h.count > math.MaxInt64-b.Count {
			return nil, fmt.Errorf("hist: %d values at %d ns: want some, from 0 to %d ns", b.Count, b.From, int64(limit)-1)
		}
		h.counts[indexOf(b.From)] += b.Count
		h.count += b.Count
	}
	switch {
	case h.count == 0 && (least|most|beyond) != 0:
		return nil, errors.New("hist: no values, but figures of some")
	case h.count > 0 && (least < 0 || most < least || h.counts[indexOf(least)] == 0 || h.counts[indexOf(most)] == 0):
		return nil, fmt.Errorf("hist: from %d to %d ns: the buckets of both must have values", least, most)
	case beyond < 0 || beyond > h.counts[buckets-1]:
		return nil, fmt.Errorf("hist: %d values beyond the buckets: the last has %d", beyond, h.counts[buckets-1])
	}
	return h, nil
}
