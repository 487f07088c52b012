package compare

import (
	"math"

	"blksim/internal/report"
)

// Distance is how far the distribution of one latency in B is from that in A.
//
// Both measures come from the histograms, whose values are known within 1 %: what lies
// in one bucket is taken to lie at its middle, so two samples that differ only within
// buckets have no distance.
type Distance struct {
	Op    string `json:"op"`
	Stage string `json:"stage,omitempty"` // queue or device; "": the whole latency
	A     int64  `json:"a_count"`
	B     int64  `json:"b_count"`

	// KS is that of Kolmogorov and Smirnov: the largest difference between the two
	// cumulative distributions, a share from 0 to 1. At is the latency where it is, and
	// ShareA and ShareB say how many I/Os took at most that.
	KS     float64 `json:"ks"`
	At     int64   `json:"ks_at_ns"`
	ShareA float64 `json:"ks_share_a"`
	ShareB float64 `json:"ks_share_b"`

	// Wasserstein is the first of those distances, the area between the two cumulative
	// distributions: by how much latencies must be moved on the average to make one
	// of the other. Where one of them is slower throughout, it is the difference of the
	// means. OfMean is its share of the mean of A; 0 where that is 0.
	Wasserstein float64 `json:"wasserstein_ns"`
	OfMean      float64 `json:"wasserstein_of_mean"`
}

// distance is how far b is from a; both have values.
func distance(op, stage string, a, b *report.Distribution) Distance {
	d := Distance{Op: op, Stage: stage, A: a.Count, B: b.Count}
	var seenA, seenB, at int64
	for i, j := 0, 0; i < len(a.Bins) || j < len(b.Bins); {
		next := int64(math.MaxInt64)
		if i < len(a.Bins) {
			next = place(a, i)
		}
		if j < len(b.Bins) {
			next = min(next, place(b, j))
		}
		// From the place before up to this one nothing has changed.
		gap := math.Abs(float64(seenA)/float64(a.Count) - float64(seenB)/float64(b.Count))
		d.Wasserstein += gap * float64(next-at)
		at = next
		for ; i < len(a.Bins) && place(a, i) == at; i++ {
			seenA += a.Bins[i].Count
		}
		for ; j < len(b.Bins) && place(b, j) == at; j++ {
			seenB += b.Bins[j].Count
		}
		shareA, shareB := float64(seenA)/float64(a.Count), float64(seenB)/float64(b.Count)
		if ks := math.Abs(shareA - shareB); ks > d.KS {
			d.KS, d.At, d.ShareA, d.ShareB = ks, at, shareA, shareB
		}
	}
	if a.Mean > 0 {
		d.OfMean = d.Wasserstein / float64(a.Mean)
	}
	return d
}

// place is where the values of bucket i are taken to be: its middle, whatever the
// sample's own ends, so that the same bucket is the same place in both.
func place(d *report.Distribution, i int) int64 { return d.Bins[i].Middle() }

// Shift is how much of the work was done at another time: of all completed I/Os of A,
// the share that B did not complete in the same interval.
type Shift struct {
	IntervalNs int64   `json:"interval_ns"`
	Intervals  int     `json:"intervals"`
	Share      float64 `json:"share_elsewhere"` // 0: all in the same; more than 1: B did more, and elsewhere
}

// mostIntervals is how fine a Shift looks.
const mostIntervals = 64

// shift compares the series of two runs; nil where one has none.
func shift(a, b *report.Series) *Shift {
	if a == nil || b == nil {
		return nil
	}
	width := max(a.IntervalNs, b.IntervalNs)
	for int64(len(a.Reads))*a.IntervalNs > mostIntervals*width || int64(len(b.Reads))*b.IntervalNs > mostIntervals*width {
		width *= 2
	}
	ca, cb := completions(a, width), completions(b, width)
	s := &Shift{IntervalNs: width, Intervals: max(len(ca), len(cb))}
	var off, all int64
	for i := range s.Intervals {
		var x, y int64
		if i < len(ca) {
			x = ca[i]
		}
		if i < len(cb) {
			y = cb[i]
		}
		all += x
		off += max(x-y, y-x)
	}
	if all > 0 {
		// What is missing in one interval is too much in another: it counts once.
		s.Share = float64(off) / 2 / float64(all)
	}
	return s
}

// completions are the I/Os completed in intervals of a width that is a multiple of the
// series' own: widths are one width doubled some times.
func completions(s *report.Series, width int64) []int64 {
	per := int(width / s.IntervalNs)
	out := make([]int64, (len(s.Reads)+per-1)/per)
	for i := range s.Reads {
		out[i/per] += s.Reads[i] + s.Writes[i] + s.Others[i]
	}
	return out
}
