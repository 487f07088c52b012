package traces

import (
	"fmt"
	"iter"
	"math/big"
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
	Records  int64         // and at most so many records; 0: no limit
	Tick     time.Duration // times are multiples of this; 0: 1 ns

	// Arrivals are a Poisson process of Rate records a second; bursts come at
	// random, on average every BurstEvery, and last from half to one and a half
	// times BurstLength, at BurstRate. BurstEvery 0: no bursts. Gap and BurstGap are the
	// mean distances of arrivals, instead of the rates where they are not 0: for less
	// than one a second. Steady spaces all arrivals evenly instead.
	Rate        int64
	Gap         time.Duration
	BurstGap    time.Duration
	Steady      bool
	BurstEvery  time.Duration
	BurstLength time.Duration
	BurstRate   int64

	// Places are multiples of Align below Capacity. A record continues the run of
	// the one before it with the chance Sequential; else it goes to a uniform
	// place, or with Regions > 0 to a uniform place in one of so many equal regions,
	// the k-th of which is 1/k^Skew as likely as the first (zipf; Skew is in thousandths,
	// 0 is 1000). Only the Touched first of them have places at all; 0: all. Or, with
	// HotShare, that share goes to the first HotSpace of the capacity, uniformly, and the
	// rest to the rest.
	Capacity   int64
	Align      int64
	Sequential int
	Regions    int
	Skew       int
	Touched    int
	HotShare   int
	HotSpace   int

	Sizes      []SizeWeight // of reads and writes; multiples of Align
	WriteSizes []SizeWeight // of writes, if theirs are others
	Reads      int          // the rest are writes, but for
	Flushes    int
	Discards   int

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

const (
	maxRegions = 1 << 16
	maxSkew    = 8000
	maxPhases  = 10_000 // of calm and burst in a mean gap: each takes time to make
)

// calmGap is the mean gap between bursts.
func (o *GenOptions) calmGap() time.Duration {
	if o.Gap > 0 {
		return o.Gap
	}
	return time.Second / time.Duration(o.Rate)
}

// Validate says what is wrong with o, if anything.
func (o GenOptions) Validate() error {
	thousandth := func(n int) bool { return n >= 0 && n <= 1000 }
	rate := func(n int64, gap time.Duration) bool { return n > 0 && n <= 1_000_000_000 || gap > 0 }
	switch {
	case o.Duration <= 0 || o.Tick < 0 || o.Records < 0:
		return fmt.Errorf("traces: generate: duration %v, tick %v: want more than 0", o.Duration, o.Tick)
	case !rate(o.Rate, o.Gap):
		return fmt.Errorf("traces: generate: rate %d: want 1 to 1e9 a second", o.Rate)
	case o.BurstEvery < 0 || o.BurstEvery > 0 && (o.BurstLength <= 0 || !rate(o.BurstRate, o.BurstGap)):
		return fmt.Errorf("traces: generate: bursts every %v for %v at %d: want a length and a rate", o.BurstEvery, o.BurstLength, o.BurstRate)
	case o.BurstEvery > 0 && o.calmGap()/maxPhases > o.BurstEvery:
		return fmt.Errorf("traces: generate: bursts every %v, and arrivals every %v between them: want arrivals that are not so rare", o.BurstEvery, o.calmGap())
	case o.Align <= 0 || o.Capacity < o.Align:
		return fmt.Errorf("traces: generate: capacity %d, align %d: want a multiple of align, at least one", o.Capacity, o.Align)
	case o.Regions < 0 || o.Regions > maxRegions || int64(o.Regions) > o.Capacity/o.Align:
		return fmt.Errorf("traces: generate: %d regions: want at most %d, and one place in each", o.Regions, maxRegions)
	case !thousandth(o.Reads) || !thousandth(o.Flushes) || !thousandth(o.Discards) || !thousandth(o.Reads+o.Flushes+o.Discards):
		return fmt.Errorf("traces: generate: reads %d, flushes %d, discards %d: want thousandths, 1000 together at most", o.Reads, o.Flushes, o.Discards)
	case o.Skew < 0 || o.Skew > maxSkew || o.Touched < 0 || o.Touched > o.Regions:
		return fmt.Errorf("traces: generate: skew %d, %d regions touched: want up to %d thousandths, and at most all of %d", o.Skew, o.Touched, maxSkew, o.Regions)
	case !thousandth(o.HotShare) || o.HotShare > 0 && (o.Regions > 0 || !thousandth(o.HotSpace) || o.HotSpace == 0 || o.HotSpace == 1000):
		return fmt.Errorf("traces: generate: hot share %d of hot space %d: want thousandths of a part of the capacity, without regions", o.HotShare, o.HotSpace)
	case !thousandth(o.Sequential) || !thousandth(o.Cancelled):
		return fmt.Errorf("traces: generate: sequential %d, cancelled %d: want thousandths", o.Sequential, o.Cancelled)
	case o.CancelMin < 0 || o.CancelMax < o.CancelMin:
		return fmt.Errorf("traces: generate: cancel after %v to %v: want a range", o.CancelMin, o.CancelMax)
	case len(o.Sizes) == 0:
		return fmt.Errorf("traces: generate: no sizes")
	}
	for _, s := range slices.Concat(o.Sizes, o.WriteSizes) {
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
		for g.arrive() && (o.Records == 0 || g.line < o.Records) {
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
	total [2]int64 // of the size weights, of reads and of writes
	ranks []uint64 // cumulated weights of the regions, by rank
	place []int32  // region of each rank
}

func newGenerator(o GenOptions, seed uint64) *generator {
	g := &generator{o: o, rng: rand.NewPCG(seed, 0x626c6b73696d)}
	g.o.Tick = max(o.Tick, 1)
	if len(o.WriteSizes) == 0 {
		g.o.WriteSizes = o.Sizes
	}
	for i, sizes := range [][]SizeWeight{g.o.Sizes, g.o.WriteSizes} {
		for _, s := range sizes {
			g.total[i] += s.Weight
		}
	}
	var sum uint64
	for k := range o.Regions {
		if o.Touched == 0 || k < o.Touched {
			sum += rankWeight(k+1, o.Skew)
			g.ranks = append(g.ranks, sum)
		}
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
		at := g.now + g.gap()
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

// gap is the distance to the next arrival, at the rate of now.
func (g *generator) gap() int64 {
	rate, gap := g.o.Rate, g.o.Gap
	if g.burst {
		rate, gap = g.o.BurstRate, g.o.BurstGap
	}
	if gap == 0 {
		gap = time.Second / time.Duration(rate)
	}
	if g.o.Steady {
		return max(int64(gap), 1)
	}
	return g.exponential(int64(gap))
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
	r.Length = g.size(r.Op != Read)
	r.Offset = g.offset(r.Length)
	g.next = r.Offset + r.Length
	if r.Op != Discard && g.chance(g.o.Cancelled) {
		r.CancelAfter = int64(g.o.CancelMin) + g.below(int64(g.o.CancelMax-g.o.CancelMin)+1)
		r.CancelAfter -= r.CancelAfter % int64(g.o.Tick)
	}
	return r
}

func (g *generator) size(write bool) int64 {
	sizes, total := g.o.Sizes, g.total[0]
	if write {
		sizes, total = g.o.WriteSizes, g.total[1]
	}
	n := g.below(total)
	for _, s := range sizes {
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
		places /= int64(g.o.Regions)
		first = int64(g.place[rank]) * places
	}
	if g.o.HotShare > 0 {
		hot := max(1, places*int64(g.o.HotSpace)/1000)
		if g.chance(g.o.HotShare) {
			places = hot
		} else {
			first, places = hot, max(1, places-hot)
		}
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

// rankWeight is 2^40 / rank^(skew/1000), in integers; skew 0 is 1000.
func rankWeight(rank, skew int) uint64 {
	if skew == 0 || skew == 1000 {
		return 1 << 40 / uint64(rank)
	}
	// rank^s is e^(s ln rank), and ln rank is 64 ln 2 - -ln(rank / 2^64).
	const ln2Q32 = 2977044472
	ln := int64(64*ln2Q32) - int64(negLnQ32(uint64(rank)))
	return max(1, expNegQ32(uint64(max(ln, 0))*uint64(skew)/1000)>>24)
}

// expNegQ32 is e^-q as a part of 2^64, for q in units of 2^-32: 2^-x by the bits of
// x = q / ln 2, each of which is a factor of 2^(-2^-i).
func expNegQ32(q uint64) uint64 {
	const log2eQ32 = 6196328019 // 2^32 / ln 2
	hi, lo := bits.Mul64(q, log2eQ32)
	x := hi<<32 | lo>>32
	v := uint64(1<<64 - 1)
	for i, f := range halvings {
		if x&(1<<(31-i)) != 0 {
			v, _ = bits.Mul64(v, f)
		}
	}
	if n := x >> 32; n < 64 {
		return v >> n
	}
	return 0
}

// halvings are 2^(-2^-i) for i from 1 to 32, as parts of 2^64: square roots of
// square roots.
var halvings = func() (out [32]uint64) {
	x := new(big.Int).Lsh(big.NewInt(1), 127) // one half, as a part of 2^128
	for i := range out {
		root := new(big.Int).Sqrt(x)
		out[i] = root.Uint64()
		x.Lsh(root, 64)
	}
	return out
}()

// scaleQ32 is q * n / 2^32.
func scaleQ32(q uint64, n int64) int64 {
	hi, lo := bits.Mul64(q, uint64(n))
	return int64(hi<<32 | lo>>32)
}
