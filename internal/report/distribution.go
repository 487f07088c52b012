package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"blksim/internal/hist"
)

// Distribution sums up a histogram of nanoseconds; percentiles are by nearest
// rank, and within 1 % of the exact value.
type Distribution struct {
	Count int64 `json:"count"`
	Min   int64 `json:"min"`
	Mean  int64 `json:"mean"`
	P50   int64 `json:"p50"`
	P90   int64 `json:"p90"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
	P999  int64 `json:"p99.9"`
	P9999 int64 `json:"p99.99"`
	Max   int64 `json:"max"`

	// Beyond is how many values passed the histogram's range of 17.2 s:
	// percentiles that fall among them are too low, Mean and Max are not.
	Beyond int64 `json:"beyond,omitempty"`

	Sum  Integer `json:"sum"`  // exact
	Bins Bins    `json:"bins"` // the histogram itself
}

// Bins are the buckets of a histogram that are not empty, lowest first. As JSON
// they are an object: the middle of the bucket in nanoseconds, as fio has it, and
// the count.
type Bins []hist.Bucket

// MarshalJSON keeps the order, which a map would lose.
func (b Bins) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, bin := range b {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = strconv.AppendInt(out, bin.Middle(), 10)
		out = append(out, '"', ':')
		out = strconv.AppendInt(out, bin.Count, 10)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON writes, in any order.
func (b *Bins) UnmarshalJSON(data []byte) error {
	var m map[string]int64
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*b = nil
	for key, n := range m {
		ns, err := strconv.ParseInt(key, 10, 64)
		if err != nil || ns < 0 {
			return fmt.Errorf("bin %q: want nanoseconds", key)
		}
		bin := hist.BucketOf(ns)
		bin.Count = n
		*b = append(*b, bin)
	}
	slices.SortFunc(*b, func(a, c hist.Bucket) int { return int(a.From - c.From) })
	return nil
}

// Integer is a whole number of any size.
type Integer struct{ big.Int }

// UnmarshalJSON refuses what is no whole number.
func (n *Integer) UnmarshalJSON(data []byte) error { return n.Int.UnmarshalJSON(bytes.TrimSpace(data)) }

// Sum summarises a histogram, nil if it is empty.
func Sum(h *hist.Histogram) *Distribution {
	if h.Count() == 0 {
		return nil
	}
	d := &Distribution{
		Count: h.Count(), Min: h.Min(), Mean: h.Mean(),
		P50: h.Percentile(500_000), P90: h.Percentile(900_000), P95: h.Percentile(950_000),
		P99: h.Percentile(990_000), P999: h.Percentile(999_000), P9999: h.Percentile(999_900),
		Max: h.Max(), Beyond: h.Beyond(), Bins: slices.Collect(h.Buckets()),
	}
	high, low := h.Sum()
	d.Sum.Int.Add(new(big.Int).Lsh(new(big.Int).SetUint64(high), 64), new(big.Int).SetUint64(low))
	return d
}

// Histogram is the inverse of Sum.
func (d *Distribution) Histogram() (*hist.Histogram, error) {
	if d == nil {
		return &hist.Histogram{}, nil
	}
	if d.Sum.Sign() < 0 || d.Sum.BitLen() > 128 {
		return nil, fmt.Errorf("sum %v: want a number of at most 128 bits", &d.Sum.Int)
	}
	low := new(big.Int).And(&d.Sum.Int, new(big.Int).SetUint64(^uint64(0))).Uint64()
	high := new(big.Int).Rsh(&d.Sum.Int, 64).Uint64()
	h, err := hist.Restore(d.Bins, d.Min, d.Max, d.Beyond, high, low)
	if err == nil && h.Count() != d.Count {
		err = fmt.Errorf("count %d: the bins have %d", d.Count, h.Count())
	}
	return h, err
}
