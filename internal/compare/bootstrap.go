package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"blksim/internal/report"
)

// draws is how often the runs are drawn again.
const draws = 2000

// effect is how many times n I/Os must be to tell what n independent ones would,
// of the share of I/Os above a latency; 1 without a series.
func effect(s *report.Series, above int64) float64 {
	if s == nil {
		return 1
	}
	worst := 1.0
	for block := 1; len(s.Heat)/block >= 16; block *= 2 {
		worst = max(worst, blockEffect(s, above, block))
	}
	return worst
}

// blockEffect is that for blocks of so many intervals: the variance of the share
// by blocks, as of a ratio, over that of independent I/Os.
func blockEffect(s *report.Series, above int64, block int) float64 {
	var ns, ks []float64
	var n, k float64
	for i := 0; i+block <= len(s.Heat); i += block {
		var bn, bk float64
		for _, heat := range s.Heat[i : i+block] {
			for j := 0; j < len(heat); j += 2 {
				bn += float64(heat[j+1])
				if s.HeatFromNs[heat[j]] > above {
					bk += float64(heat[j+1])
				}
			}
		}
		if bn > 0 {
			ns, ks = append(ns, bn), append(ks, bk)
			n, k = n+bn, k+bk
		}
	}
	p := k / n
	if len(ns) < 8 || !(p > 0 && p < 1) {
		return 1
	}
	sum := 0.0
	for i := range ns {
		d := ks[i] - p*ns[i]
		sum += d * d
	}
	m := float64(len(ns))
	return sum / (n * n) * m / (m - 1) / (p * (1 - p) / n)
}

// sampler draws one percentile of a run again.
type sampler struct {
	d    *report.Distribution
	a, b float64 // of the Beta distribution
}

func newSampler(d *report.Distribution, s *report.Series, perMillion int) sampler {
	p := float64(perMillion) / 1e6
	n := float64(d.Count) / effect(s, d.At(perMillion))
	// The rank is rounded up, and there is one at the least.
	k := max(math.Ceil(n*p), 1)
	return sampler{d, k, max(n-k+1, 1)}
}

func (s *sampler) draw(r *rand.Rand) float64 {
	x := gamma(r, s.a)
	return quantile(s.d, x/(x+gamma(r, s.b)))
}

// quantile is the latency at a share of the I/Os, within its bucket in proportion.
func quantile(d *report.Distribution, share float64) float64 {
	want, seen := share*float64(d.Count), 0.0
	for _, b := range d.Bins {
		if n := float64(b.Count); seen+n >= want {
			from, to := float64(max(b.From, d.Min)), float64(min(b.To, d.Max))
			return from + (to-from)*(want-seen)/n
		} else {
			seen += n
		}
	}
	return float64(d.Max)
}

// gamma draws from the gamma distribution of shape a >= 1 and scale 1: G. Marsaglia
// and W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000.
func gamma(r *rand.Rand, a float64) float64 {
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if u := 1 - r.Float64(); math.Log(u) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// interval is the interval in which the change from a to b lies with a confidence,
// as a ratio minus 1.
func interval(a, b func(r *rand.Rand) float64, confidence float64, seed uint64) (low, high float64) {
	r := rand.New(rand.NewPCG(seed, 0))
	changes := make([]float64, draws)
	for i := range changes {
		x, y := a(r), b(r)
		changes[i] = max(y, 0.5)/max(x, 0.5) - 1 // a latency of 0 ns is one of less than 1
	}
	slices.Sort(changes)
	tail := int(float64(draws) * (1 - confidence) / 2)
	return changes[tail], changes[draws-1-tail]
}
