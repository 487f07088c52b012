package flash

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

const us = time.Microsecond

func TestQuantilesAreTheNormalDistributions(t *testing.T) {
	normal := func(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
	for i, z := range quantiles {
		tail := 0.5
		if k := (i - 1) / cells; i > 0 {
			tail = math.Pow(2, -float64(k)-2) * (1 + float64(cells-1-(i-1)%cells)/cells)
		}
		require.InDelta(t, normal(1-tail), float64(z)/(1<<24), 1e-6, "entry %d, tail %g", i, tail)
	}
	require.InDelta(t, normal(0.99), float64(z99)/(1<<24), 1e-6)
}

func TestExpIsExact(t *testing.T) {
	for x := -6.0; x <= 6; x += 0.0137 {
		// To the unit in the last place, and for large ones to what 2^-32 holds.
		want := math.Exp(x) * one
		require.InDelta(t, want, exp(int64(x*(1<<32))), 1.5+want*1e-8, "exp(%g)", x)
	}
}

func TestSigmaOfTailGivesThe99thPercentile(t *testing.T) {
	for _, ratio := range []int{1010, 1100, 1600, 2000, 5000, 16_000} {
		want := math.Log(float64(ratio)/1000) / (float64(z99) / (1 << 24)) * 1e6
		require.InDelta(t, want, SigmaOfTail(ratio), 3, "ratio %d", ratio)
	}
	require.LessOrEqual(t, SigmaOfTail(16_000), MaxSigma)
	require.GreaterOrEqual(t, SigmaOfTail(1010), MinSigma)
}

// TestDistributionsHaveTheirShape draws from each and compares mean, quantiles and
// bounds with the formulas.
func TestDistributionsHaveTheirShape(t *testing.T) {
	const n, d = 200_000, 500 * us
	z := float64(z99) / (1 << 24)
	end := float64(quantiles[len(quantiles)-1]) / (1 << 24)
	logn := func(sigma, mean float64) [6]float64 { // mean, p1, p50, p99, least, most
		median := mean * math.Exp(-sigma*sigma/2)
		return [6]float64{mean, median * math.Exp(-z*sigma), median, median * math.Exp(z*sigma),
			median * math.Exp(-end*sigma), median * math.Exp(end*sigma)}
	}
	tri := func(s float64) [6]float64 { // a tail of 1 % begins where its triangle has that area
		q := s * (1 - math.Sqrt(0.02))
		return [6]float64{1, 1 - q, 1, 1 + q, 1 - s, 1 + s}
	}
	for _, c := range []struct {
		Distribution
		want [6]float64
	}{
		{Distribution{Shape: Fixed}, [6]float64{1, 1, 1, 1, 1, 1}},
		{Distribution{Shape: Uniform, Spread: 30}, [6]float64{1, 1 - .3*.98, 1, 1 + .3*.98, .7, 1.3}},
		{Distribution{Shape: Triangular, Spread: 40}, tri(.4)},
		{Distribution{}, tri(.2)}, // the jitter
		{Distribution{Shape: Lognormal, Sigma: 50_000}, logn(.05, 1)},
		{Distribution{Shape: Lognormal, Sigma: 300_000}, logn(.3, 1)},
		{Distribution{Shape: Lognormal, Sigma: 800_000}, logn(.8, 1)},
		{Distribution{Shape: Lognormal, Sigma: 300_000, Median: true}, logn(.3, math.Exp(.045))},
	} {
		require.NoError(t, c.validate())
		p := newSampler(c.Distribution, 20, sim.NewRand(7, "media"))
		got := make([]float64, n)
		sum := 0.0
		for i := range got {
			got[i] = float64(p.draw(d)) / float64(d)
			sum += got[i]
		}
		slices.Sort(got)
		name := fmt.Sprintf("%+v", c.Distribution)
		// Four standard errors of the mean; of the quantiles, what 200,000 draws show.
		deviation := 0.0
		for _, v := range got {
			deviation += (v - sum/n) * (v - sum/n)
		}
		require.InDelta(t, c.want[0], sum/n, 4*math.Sqrt(deviation)/n+1e-5, name)
		require.InEpsilon(t, float64(c.Mean(d)), c.want[0]*float64(d), 1e-4, name)
		for i, q := range []float64{.01, .5, .99} {
			require.InEpsilon(t, c.want[1+i], got[int(q*n)], 0.025, "%s: quantile %g", name, q)
		}
		require.GreaterOrEqual(t, got[0], c.want[4]-1e-4, name)
		require.LessOrEqual(t, got[n-1], c.want[5]+1e-4, name)
	}
}

// TestTheTableIsTheDistribution needs no luck: every draw's place in the bits has a
// known probability.
func TestTheTableIsTheDistribution(t *testing.T) {
	for _, sigma := range []int{MinSigma, 100_000, 500_000, MaxSigma} {
		s := float64(sigma) / 1e6
		l := newLognormal(sigma)
		require.InEpsilon(t, math.Exp(s*s/2)*one, l.mean(), 0.0005*(1+s*s*20), "the cut-off tail")
		for _, p := range []float64{1e-5, 0.001, 0.01, 0.1, 0.3, 0.45, 0.49999} {
			u := uint64(p * (1 << 63) * 2) // of the half's 63 bits: tail p
			want := math.Exp(s * math.Sqrt2 * math.Erfinv(1-2*p))
			require.InEpsilon(t, want, float64(l.draw(u|1<<63))/one, 0.003*s+3e-6, "sigma %g, upper tail %g", s, p)
			require.InEpsilon(t, 1/want, float64(l.draw(u&^(1<<63)))/one, 0.003*s+1e-4, "sigma %g, lower tail %g", s, p)
		}
		require.Equal(t, l[2*middle], l.draw(1<<63), "the end")
		require.Equal(t, l[0], l.draw(0))
		require.True(t, slices.IsSorted(l[:]))
		l.scale()
		require.InDelta(t, one, l.mean(), 2)
	}
}

func TestJitterIsTheTriangleOfThatSpread(t *testing.T) {
	a := newSampler(Distribution{}, 20, sim.NewRand(1, "media"))
	b := newSampler(Distribution{Shape: Triangular, Spread: 20}, 5, sim.NewRand(1, "media"))
	for range 1000 {
		require.Equal(t, b.draw(50*us), a.draw(50*us))
	}
	none := newSampler(Distribution{}, 0, nil) // draws nothing
	require.Equal(t, 50*us, none.draw(50*us))
}

// TestDrawsFollowFromTheSeed compares with sums that any machine must come to.
func TestDrawsFollowFromTheSeed(t *testing.T) {
	for _, c := range []struct {
		Distribution
		want uint64 // FNV-1a of 5,000 draws, a line each
	}{
		{Distribution{Shape: Uniform, Spread: 30}, 0x22eebec7dd9db73},
		{Distribution{Shape: Triangular, Spread: 30}, 0xf39b3d3d76a11d9f},
		{Distribution{Shape: Lognormal, Sigma: 250_000}, 0xc67d80f90c619dfc},
		{Distribution{Shape: Lognormal, Sigma: 1_100_000, Median: true}, 0x60071f157ebbd0e5},
	} {
		p := newSampler(c.Distribution, 0, sim.NewRand(42, "media"))
		h := fnv.New64a()
		for range 5000 {
			fmt.Fprintln(h, int64(p.draw(time.Millisecond)))
		}
		require.Equal(t, c.want, h.Sum64(), "%+v", c.Distribution)
	}
}

func TestDrawsDoNotAllocate(t *testing.T) {
	for shape, s := range map[Shape]Distribution{
		Fixed: {Shape: Fixed}, Jittered: {}, Uniform: {Shape: Uniform, Spread: 5},
		Triangular: {Shape: Triangular, Spread: 5}, Lognormal: {Shape: Lognormal, Sigma: 100_000},
	} {
		p := newSampler(s, 5, sim.NewRand(1, "media"))
		require.Zero(t, testing.AllocsPerRun(1000, func() { p.draw(us) }), "shape %d", shape)
	}
}

func TestPagesOfABlockAreReadInTheirTimesInTurn(t *testing.T) {
	for _, filled := range []bool{false, true} {
		cfg := full
		cfg.ReadSpread = Distribution{Shape: Fixed}
		cfg.ReadPages = [MaxPageTypes]time.Duration{cfg.ReadTime - 10*us, cfg.ReadTime - 2*us, cfg.ReadTime + 12*us}
		if !filled {
			cfg.OverProvision, cfg.Filled = 0, Empty
		} else {
			cfg.Filled = Sequential
		}
		w := sim.NewWorld(1, 1)
		f, err := New(w.Lane(0), w.Rand("media"), cfg)
		require.NoError(t, err)
		h := &host{done: make([]int, 1)}
		f.Attach(h, 1)
		rest := cfg.CommandTime + transfer(Unit, cfg.ChannelRate) + transfer(Unit, cfg.LinkRate) + cfg.Latency
		for row := range int64(200) {
			op := &nvme.Op{Kind: nvme.OpRead, Off: row * f.rowBytes, Len: Unit}
			begun := w.Now()
			w.Lane(0).Post(func() { begun = w.Now(); f.Begin(op) })
			require.NoError(t, w.RunWhile(func() bool { return h.done[0] == 0 }))
			h.done[0] = 0
			page := row / int64(cfg.Dies()) % f.perBlock
			require.Equal(t, cfg.ReadPages[page%3], w.Now().Sub(begun)-rest, "row %d", row)
		}
	}
}
