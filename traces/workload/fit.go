package workload

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"blksim/traces"
	"blksim/traces/summary"
)

// Fitter takes the records of a trace, in order of time, and fits a profile to them
// in bounded memory. It belongs to one goroutine at a time.
type Fitter struct {
	sum     *summary.Collector
	n       int64
	bins    bins
	regions regions
	places  int64 // records with a place
	follows int64 // of those: begin where the one before ended
	aligned int64 // of those: to 4 KiB
	end     int64
}

// NewFitter returns an empty fitter.
func NewFitter() *Fitter { return &Fitter{sum: summary.New()} }

// Add takes records; it keeps nothing of recs.
func (f *Fitter) Add(recs []traces.Record) {
	f.sum.Add(recs)
	for i := range recs {
		r := &recs[i]
		f.n++
		f.bins.add(r.Time)
		if r.Length == 0 {
			continue
		}
		f.places++
		if r.Offset%4096 == 0 && r.Length%4096 == 0 {
			f.aligned++
		}
		if r.Offset == f.end && f.places > 1 {
			f.follows++
		} else {
			f.regions.add(r.Offset)
		}
		f.end = r.Offset + r.Length
	}
}

// alignedShare: with so many records on 4 KiB, all are put there.
const alignedShare = 0.95

// Profile is the profile of the records so far; ok is false for fewer than two.
func (f *Fitter) Profile() (p Profile, ok bool) {
	if f.n < 2 {
		return Default(), false
	}
	in := f.sum.Info(traces.Names{})
	p = Profile{Schema: Schema, Duration: Duration(max(in.SpanNs, 1)), Arrivals: f.bins.fit(f.n, in.SpanNs)}
	align := int64(512)
	if f.places > 0 && float64(f.aligned) >= alignedShare*float64(f.places) {
		align = 4096
	}
	p.Addresses = f.regions.fit(in.EndBytes, align)
	if f.places > 0 {
		p.Addresses.Sequential = round(float64(f.follows) / float64(f.places))
	}
	longest := align
	for _, o := range in.Ops {
		share := round(o.Share)
		switch o.Op {
		case traces.Read.String():
			p.Ops.Read, p.Sizes.Read = share, fitSizes(o.Sizes, align)
		case traces.Write.String():
			p.Sizes.Write = fitSizes(o.Sizes, align)
		case traces.Flush.String():
			p.Ops.Flush = share
		case traces.Discard.String():
			p.Ops.Discard = share
		}
	}
	if len(p.Sizes.Read) == 0 {
		p.Sizes.Read, p.Sizes.Write = p.Sizes.Write, nil
	}
	if len(p.Sizes.Read) == 0 {
		p.Sizes.Read = []Size{{align, 1}}
	}
	for _, s := range slices.Concat(p.Sizes.Read, p.Sizes.Write) {
		longest = max(longest, s.Bytes)
	}
	p.Addresses.Capacity = max(p.Addresses.Capacity, longest)
	return p, true
}

// round keeps what the generator can tell apart.
func round(share float64) float64 { return math.Round(share*1000) / 1000 }

// fitSizes are the frequent sizes, up to whole blocks; rarer ones are left out.
func fitSizes(sizes []summary.Size, align int64) (out []Size) {
	for _, s := range sizes {
		bytes := (s.Bytes + align - 1) / align * align
		share := math.Round(s.Share*1e6) / 1e6
		if i := slices.IndexFunc(out, func(o Size) bool { return o.Bytes == bytes }); i >= 0 {
			out[i].Share += share
		} else if share > 0 {
			out = append(out, Size{bytes, share})
		}
	}
	return out
}

// bins counts records in windows of 10 ms, and for each power of two the windows
// with at least so many: how many there are, how many runs of them, and their records.
// Which power tells bursts from calm is known at the end, with the mean.
type bins struct {
	first, index int64
	count, last  int64 // in this window, and in the one before it
	begun        bool
	above        [63]run
}

type run struct{ windows, runs, records int64 }

const window = int64(10 * time.Millisecond)

func (b *bins) add(t int64) {
	if !b.begun {
		b.begun, b.first = true, t
	}
	if k := max(t-b.first, 0) / window; k > b.index {
		b.close()
		if k > b.index+1 {
			b.last = 0 // an empty window between them
		}
		b.index, b.count = k, 0
	}
	b.count++
}

func (b *bins) close() {
	for k := range bits.Len64(uint64(b.count)) {
		r := &b.above[k]
		r.windows++
		r.records += b.count
		if b.last < 1<<k {
			r.runs++
		}
	}
	b.last = b.count
}

// leastBurst is the share of the records that bursts must have to be worth it.
const leastBurst = 0.02

// fit tells calm and bursts apart: a burst is a run of windows with more than four
// times the mean, and more than six standard deviations of a Poisson process above it.
func (b *bins) fit(n, spanNs int64) Arrivals {
	b.close()
	span := float64(max(spanNs, 1))
	a := Arrivals{Process: Poisson, Rate: rateOf(float64(n), span)}
	mean := float64(n) / (span/float64(window) + 1)
	limit := max(4*mean, mean+6*math.Sqrt(mean), 3)
	k := int(math.Ceil(math.Log2(limit)))
	if k >= len(b.above) {
		return a
	}
	r := b.above[k]
	in := float64(r.windows * window)
	if float64(r.records) < leastBurst*float64(n) || r.runs < 2 || in >= span/2 {
		return a
	}
	a.Rate = rateOf(max(float64(n-r.records), 1), span-in)
	a.BurstRate = rateOf(float64(r.records), in)
	a.BurstLength = Duration(in / float64(r.runs))
	a.BurstEvery = Duration((span - in) / float64(r.runs))
	return a
}

// rateOf is n in so many ns, with four digits.
func rateOf(n, ns float64) float64 {
	rate := min(max(n/ns*1e9, 1e-6), 1e9)
	digits := math.Pow(10, 3-math.Floor(math.Log10(rate)))
	return math.Round(rate*digits) / digits
}

// regions counts accesses in equal regions of the address range, whose length doubles
// when there would be more than maxRegions of them.
type regions struct {
	length int64
	counts []int64
}

const maxRegions = 4096

func (g *regions) add(offset int64) {
	if g.length == 0 {
		g.length = 1 << 20
	}
	for offset/g.length >= maxRegions {
		g.length *= 2
		for i := range g.counts {
			n := g.counts[i]
			g.counts[i] = 0
			g.counts[i/2] += n
		}
		g.counts = g.counts[:(len(g.counts)+1)/2]
	}
	i := int(offset / g.length)
	for i >= len(g.counts) {
		g.counts = append(g.counts, 0)
	}
	g.counts[i]++
}

// leastRegions: with fewer, a zipf says nothing.
const leastRegions = 16

// fit finds the skew with which the busiest tenth of the touched regions gets the
// share that it has.
func (g *regions) fit(end, align int64) Addresses {
	a := Addresses{Align: align, Pattern: Uniform, Capacity: max(align, (end+align-1)/align*align)}
	var counts []int64
	var total int64
	for _, n := range g.counts {
		if n > 0 {
			counts = append(counts, n)
			total += n
		}
	}
	if len(counts) < leastRegions {
		return a
	}
	slices.SortFunc(counts, func(x, y int64) int { return int(max(-1, min(1, y-x))) })
	tenth := len(counts) / 10
	var top int64
	for _, n := range counts[:max(tenth, 1)] {
		top += n
	}
	want := float64(top) / float64(total)
	low, high := 0.001, 8.0
	for range 40 {
		mid := (low + high) / 2
		if topShare(len(counts), max(tenth, 1), mid) < want {
			low = mid
		} else {
			high = mid
		}
	}
	a.Pattern, a.Regions, a.Touched = Zipf, len(g.counts), len(counts)
	a.Skew = max(0.001, round(low))
	a.Capacity = g.length * int64(len(g.counts)) // whole regions
	return a
}

// topShare is the share of the first ranks of n under a zipf.
func topShare(n, first int, skew float64) float64 {
	var top, all float64
	for k := 1; k <= n; k++ {
		w := math.Pow(float64(k), -skew)
		all += w
		if k <= first {
			top += w
		}
	}
	return top / all
}
