package traces

import (
	"fmt"
	"iter"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"
)

//go:generate go run ./samples/gen

// GenOptions describes a synthetic trace. Shares are in thousandths, so that no
// floating point is involved and every machine makes the same trace.
type GenOptions struct {
	Duration time.Duration // length of the trace
	Tick     time.Duration // times are multiples of this; 0: 1 ns

	// Arrivals are a Poisson process of Rate records a second; bursts come at
	// random, on average every BurstEvery, and last from half to one and a half
	// times BurstLength, at BurstRate. BurstEvery 0: no bursts.
	Rate        int64
	BurstEvery  time.Duration
	BurstLength time.Duration
	BurstRate   int64

	// Places are multiples of Align below Capacity. A record continues the run of
	// the one before it with the chance Sequential; else it goes to a uniform
	// place, or with Regions > 0 to a uniform place in one of so many equal regions,
	// the k-th of which is 1/k as likely as the first (zipf with exponent 1).
	Capacity   int64
	Align      int64
	Sequential int
	Regions    int

	Sizes    []SizeWeight // of reads and writes; multiples of Align
	Reads    int          // the rest are writes, but for
	Flushes  int
	Discards int

	// Cancelled is the share of reads and writes that carry a CancelAfter, uniform
	// from CancelMin to CancelMax.
	Cancelled int
	CancelMin time.Duration
	CancelMax time.Duration
}

// SizeWeight is a size in bytes and how often it comes, against the other weights.
type SizeWeight struct {
	Bytes  int64
	Weight int64
}

const maxRegions = 1 << 16

// Validate says what is wrong with o, if anything.
func (o GenOptions) Validate() error {
	thousandth := func(n int) bool { return n >= 0 && n <= 1000 }
	rate := func(n int64) bool { return n > 0 && n <= 1_000_000_000 }
	switch {
	case o.Duration <= 0 || o.Tick < 0:
		return fmt.Errorf("traces: generate: duration %v, tick %v: want more than 0", o.Duration, o.Tick)
	case !rate(o.Rate):
		return fmt.Errorf("traces: generate: rate %d: want 1 to 1e9 a second", o.Rate)
	case o.BurstEvery < 0 || o.BurstEvery > 0 && (o.BurstLength <= 0 || !rate(o.BurstRate)):
		return fmt.Errorf("traces: generate: bursts every %v for %v at %d: want a length and a rate", o.BurstEvery, o.BurstLength, o.BurstRate)
	case o.Align <= 0 || o.Capacity < o.Align:
		return fmt.Errorf("traces: generate: capacity %d, align %d: want a multiple of align, at least one", o.Capacity, o.Align)
	case o.Regions < 0 || o.Regions > maxRegions || int64(o.Regions) > o.Capacity/o.Align:
		return fmt.Errorf("traces: generate: %d regions: want at most %d, and one place in each", o.Regions, maxRegions)
	case !thousandth(o.Reads) || !thousandth(o.Flushes) || !thousandth(o.Discards) || !thousandth(o.Reads+o.Flushes+o.Discards):
		return fmt.Errorf("traces: generate: reads %d, flushes %d, discards %d: want thousandths, 1000 together at most", o.Reads, o.Flushes, o.Discards)
	case !thousandth(o.Sequential) || !thousandth(o.Cancelled):
		return fmt.Errorf("traces: generate: sequential %d, cancelled %d: want thousandths", o.Sequential, o.Cancelled)
	case o.CancelMin < 0 || o.CancelMax < o.CancelMin:
		return fmt.Errorf("traces: generate: cancel after %v to %v: want a range", o.CancelMin, o.CancelMax)
	case len(o.Sizes) == 0:
		return fmt.Errorf("traces: generate: no sizes")
	}
	for _, s := range o.Sizes {
		if s.Bytes <= 0 || s.Bytes%o.Align != 0 || s.Bytes > o.Capacity || s.Weight <= 0 || s.Weight > 1<<32 {
			return fmt.Errorf("traces: generate: size %d with weight %d: want a multiple of %d up to the capacity, and a weight", s.Bytes, s.Weight, o.Align)
		}
	}
	return nil
}

// Generate gives the records of the trace that o and seed describe, always the
// same. It panics if o is not valid.
func Generate(o GenOptions, seed uint64) iter.Seq[Record] {
	if err := o.Validate(); err != nil {
		panic(err.Error())
	}
	return func(yield func(Record) bool) {
		g := newGenerator(o, seed)
		for g.arrive() {
			if !yield(g.record()) {
				return
			}
		}
	}
}

// generator draws from the PCG itself and reduces by hand: the helpers of
// math/rand/v2 are free to draw otherwise in another release.
type generator struct {
	o     GenOptions
	rng   *rand.PCG
	now   int64 // ns
	phase int64 // end of the present calm or burst
	burst bool
	next  int64 // end of the last record on the device
	line  int64
	total int64    // of the size weights
	ranks []uint64 // cumulated weights of the regions, by rank
	place []int32  // region of each rank
}

func newGenerator(o GenOptions, seed uint64) *generator {
	g := &generator{o: o, rng: rand.NewPCG(seed, 0x626c6b73696d)}
	g.o.Tick = max(o.Tick, 1)
	for _, s := range o.Sizes {
		g.total += s.Weight
	}
	var sum uint64
	for k := range o.Regions {
		sum += 1 << 40 / uint64(k+1)
		g.ranks = append(g.ranks, sum)
		g.place = append(g.place, int32(k))
		j := g.below(int64(k) + 1) // shuffle: hot regions lie anywhere
		g.place[k], g.place[j] = g.place[j], g.place[k]
	}
	g.phase = int64(o.Duration)
	if o.BurstEvery > 0 {
		g.phase = g.exponential(int64(o.BurstEvery))
	}
	return g
}

// arrive moves to the next arrival. It is false behind the end. An exponential gap
// has no memory, so one that crosses into another rate is drawn again from there.
func (g *generator) arrive() bool {
	for {
		rate := g.o.Rate
		if g.burst {
			rate = g.o.BurstRate
		}
		at := g.now + g.exponential(int64(time.Second)/rate)
		if at < g.phase || g.phase >= int64(g.o.Duration) {
			g.now = at
			return at < int64(g.o.Duration)
		}
		g.now = g.phase
		g.burst = !g.burst
		if g.burst {
			half := int64(g.o.BurstLength) / 2
			g.phase += half + g.below(2*half+1) + 1
		} else {
			g.phase += g.exponential(int64(g.o.BurstEvery)) + 1
		}
	}
}

func (g *generator) record() Record {
	g.line++
	r := Record{Time: g.now - g.now%int64(g.o.Tick), CancelAfter: -1, Line: g.line}
	switch kind := int(g.below(1000)); {
	case kind < g.o.Reads:
		r.Op = Read
	case kind < g.o.Reads+g.o.Flushes:
		r.Op = Flush
		return r
	case kind < g.o.Reads+g.o.Flushes+g.o.Discards:
		r.Op = Discard
	default:
		r.Op = Write
	}
	r.Length = g.size()
	r.Offset = g.offset(r.Length)
	g.next = r.Offset + r.Length
	if r.Op != Discard && g.chance(g.o.Cancelled) {
		r.CancelAfter = int64(g.o.CancelMin) + g.below(int64(g.o.CancelMax-g.o.CancelMin)+1)
		r.CancelAfter -= r.CancelAfter % int64(g.o.Tick)
	}
	return r
}

func (g *generator) size() int64 {
	n := g.below(g.total)
	for _, s := range g.o.Sizes {
		if n < s.Weight {
			return s.Bytes
		}
		n -= s.Weight
	}
	panic("traces: weights that do not add up")
}

func (g *generator) offset(length int64) int64 {
	if g.chance(g.o.Sequential) && g.next <= g.o.Capacity-length {
		return g.next
	}
	first, places := int64(0), g.o.Capacity/g.o.Align
	if n := len(g.ranks); n > 0 {
		rank, _ := slices.BinarySearch(g.ranks, uint64(g.below(int64(g.ranks[n-1])))+1)
		places /= int64(n)
		first = int64(g.place[rank]) * places
	}
	at := (first + g.below(places)) * g.o.Align
	return min(at, (g.o.Capacity-length)/g.o.Align*g.o.Align)
}

func (g *generator) chance(thousandths int) bool { return g.below(1000) < int64(thousandths) }

// below is a number from 0 to n-1: the high half of a product, whose bias of
// n / 2^64 does not matter here.
func (g *generator) below(n int64) int64 {
	hi, _ := bits.Mul64(g.rng.Uint64(), uint64(n))
	return int64(hi)
}

// exponential is a number with the mean given: -ln(u) * mean, with u uniform.
func (g *generator) exponential(mean int64) int64 {
	return scaleQ32(negLnQ32(g.rng.Uint64()|1), mean)
}

// negLnQ32 is -ln(u / 2^64) in units of 2^-32, in integers: math.Log may differ in
// the last bit from one CPU architecture to another. The whole part of the binary
// logarithm is the count of leading zeros; each squaring of the rest gives a bit.
func negLnQ32(u uint64) uint64 {
	zeros := bits.LeadingZeros64(u)
	m := u << zeros // 1 <= m / 2^63 < 2
	var frac uint64
	for range 32 {
		hi, lo := bits.Mul64(m, m)
		frac <<= 1
		if hi >= 1<<63 {
			frac |= 1
			m = hi
		} else {
			m = hi<<1 | lo>>63
		}
	}
	log2 := uint64(zeros+1)<<32 - frac
	const ln2Q32 = 2977044472
	hi, lo := bits.Mul64(log2, ln2Q32)
	return hi<<32 | lo>>32
}

// scaleQ32 is q * n / 2^32.
func scaleQ32(q uint64, n int64) int64 {
	hi, lo := bits.Mul64(q, uint64(n))
	return int64(hi<<32 | lo>>32)
}
