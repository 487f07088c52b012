package ebpf

import (
	"fmt"

	"blksim/internal/hist"
	"blksim/traces"
)

// Stage is a part of an I/O's way.
type Stage uint8

const (
	QueueStage  Stage = iota // from block_bio_queue to the driver
	DeviceStage              // from the driver to the completion
	TotalStage               // both

	NumStages = int(iota)
)

func (s Stage) String() string {
	switch s {
	case QueueStage:
		return "queue"
	case DeviceStage:
		return "device"
	case TotalStage:
		return "total"
	}
	return fmt.Sprintf("stage(%d)", uint8(s))
}

// rows of the kernel's table of histograms: those of traces.Op, and any other.
const histOps = traces.NumOps + 1

// Histograms are latencies in ns, by stage and op (OtherOp is the last). Which stages
// have values: all with Options.QueueTime, the device's alone without; of a driver that
// takes bios, the total.
type Histograms [NumStages][histOps]hist.Histogram

// Of adds the ops of a stage up.
func (h *Histograms) Of(s Stage) *hist.Histogram {
	var sum hist.Histogram
	for i := range h[s] {
		sum.Merge(&h[s][i])
	}
	return &sum
}

// Log2Histograms are the same with a bucket for each power of two, lowest first; those
// that are empty are left out.
type Log2Histograms [NumStages][histOps][]hist.Bucket

const kernelBuckets = 29 << 6 // for each stage and op, as bpf/hist.h has it

// extremes is what the kernel keeps of a histogram beside its buckets.
type extremes struct{ Sum, Min, Max, Beyond uint64 }

func (x *extremes) merge(o extremes) {
	x.Sum += o.Sum
	if o.Min > 0 && (x.Min == 0 || o.Min < x.Min) {
		x.Min = o.Min
	}
	x.Max = max(x.Max, o.Max)
	x.Beyond += o.Beyond
}

// restore makes a histogram of the kernel's buckets. They are read while they grow, one
// after the other: the extremes are fitted to the buckets that were seen.
func restore(counts []uint64, x extremes) (*hist.Histogram, error) {
	var bins []hist.Bucket
	for i, n := range counts {
		if n > 0 {
			bins = append(bins, hist.Bucket{From: bucketFrom(i), Count: int64(n)})
		}
	}
	if len(bins) == 0 {
		return &hist.Histogram{}, nil
	}
	first, last := hist.BucketOf(bins[0].From), hist.BucketOf(bins[len(bins)-1].From)
	least := clamp(int64(x.Min), first.From, first.To)
	most := max(least, clamp(int64(x.Max), last.From, last.To))
	beyond := int64(0)
	if last.To == 1<<34-1 {
		most = max(most, int64(x.Max))
		beyond = min(int64(x.Beyond), bins[len(bins)-1].Count)
	}
	return hist.Restore(bins, least, most, beyond, 0, x.Sum)
}

func clamp(v, from, to int64) int64 { return min(max(v, from), to) }

// bucketFrom is the least value of a bucket of the log-linear kind.
func bucketFrom(i int) int64 {
	if i < 128 {
		return int64(i)
	}
	return int64(64+i%64) << (i/64 - 1)
}

// powers are the buckets of powers of two: the first has values of 0 and 1.
func powers(counts []uint64) (out []hist.Bucket) {
	for i, n := range counts[:63] {
		if n > 0 {
			out = append(out, hist.Bucket{From: 1 << i &^ 1, To: 2<<i - 1, Count: int64(n)})
		}
	}
	return out
}
