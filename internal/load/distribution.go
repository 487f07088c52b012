package load

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"blksim/sim"
)

// Distribution is where random I/Os go.
type Distribution struct {
	Kind  string // "random": evenly; zipf, pareto, normal, zoned
	Param float64
	Zones []Zone
}

// Zone has a share of the I/Os in a share of the region, in percent.
type Zone struct{ Access, Space uint }

// ParseDistribution reads fio's random_distribution.
func ParseDistribution(s string) (Distribution, error) {
	kind, param, _ := strings.Cut(s, ":")
	number := func(least, most float64) (Distribution, error) {
		p, err := strconv.ParseFloat(param, 64)
		if err != nil || !(p > least && p < most) {
			return Distribution{}, fmt.Errorf("random_distribution %q: want a number between %g and %g after the colon", s, least, most)
		}
		return Distribution{Kind: kind, Param: p}, nil
	}
	switch kind {
	case "random":
		return Distribution{}, nil
	case "zipf":
		return number(0, 10)
	case "pareto":
		return number(0, 1)
	case "normal":
		return number(0, 100)
	case "zoned":
		return parseZones(s, param)
	}
	return Distribution{}, fmt.Errorf("random_distribution %q: want random, zipf:THETA, pareto:H, normal:PERCENT or zoned:ACCESS/SPACE:...", s)
}

func parseZones(s, param string) (Distribution, error) {
	d := Distribution{Kind: "zoned"}
	access, space := uint(0), uint(0)
	for _, part := range strings.Split(param, ":") {
		var z Zone
		if _, err := fmt.Sscanf(part, "%d/%d", &z.Access, &z.Space); err != nil || z.Space == 0 || z.Access > 100 || z.Space > 100 {
			return d, fmt.Errorf("random_distribution %q: zone %q: want ACCESS/SPACE in percent", s, part)
		}
		access, space = access+z.Access, space+z.Space
		d.Zones = append(d.Zones, z)
	}
	if access != 100 || space != 100 {
		return d, fmt.Errorf("random_distribution %q: %d percent of the accesses in %d percent of the space: want 100 of both", s, access, space)
	}
	return d, nil
}

func (d Distribution) String() string {
	switch d.Kind {
	case "":
		return "random"
	case "zoned":
		s := "zoned"
		for _, z := range d.Zones {
			s += fmt.Sprintf(":%d/%d", z.Access, z.Space)
		}
		return s
	}
	return fmt.Sprintf("%s:%g", d.Kind, d.Param)
}

// places draws numbers from 0 to n-1.
type places struct {
	d    Distribution
	n    uint64
	rand *sim.Rand
	perm permutation // scatters the popular ones; without a distribution: the random map
	next uint64      // of the random map
	zipf zipf
	free bool // no random map
}

func newPlaces(d Distribution, n uint64, free bool, rand *sim.Rand) *places {
	p := &places{d: d, n: n, rand: rand, free: free, perm: newPermutation(n, rand.Uint64())}
	if d.Kind == "zipf" {
		p.zipf = newZipf(d.Param, n)
	}
	return p
}

// draw is the next place.
func (p *places) draw() uint64 {
	switch p.d.Kind {
	case "zipf":
		return p.perm.of(p.zipf.draw(p.rand))
	case "pareto":
		// As in fio: n times u to the power of log(h) / log(1-h).
		power := math.Log(p.d.Param) / math.Log(1-p.d.Param)
		return p.perm.of(min(uint64(float64(p.n)*math.Pow(p.unit(), power)), p.n-1))
	case "normal":
		return p.normal()
	case "zoned":
		return p.zone()
	}
	if p.free {
		return p.rand.Uint64N(p.n)
	}
	// Each place once, and then again in another order.
	if p.next == p.n {
		p.next, p.perm = 0, newPermutation(p.n, p.rand.Uint64())
	}
	p.next++
	return p.perm.of(p.next - 1)
}

// unit is evenly from [0, 1).
func (p *places) unit() float64 { return float64(p.rand.Uint64()>>11) / (1 << 53) }

// normal is around the middle of the region. Twelve even numbers together are
// close to normal, with a deviation of 1: fio does the same.
func (p *places) normal() uint64 {
	for {
		z := -6.0
		for range 12 {
			z += p.unit()
		}
		if at := (0.5 + z*p.d.Param/100) * float64(p.n); at >= 0 && at < float64(p.n) {
			return uint64(at)
		}
	}
}

func (p *places) zone() uint64 {
	roll, from := uint(p.rand.IntN(100)), uint64(0)
	for _, z := range p.d.Zones {
		high, low := bits.Mul64(p.n, uint64(z.Space))
		size, _ := bits.Div64(high, low, 100)
		if roll < z.Access {
			return min(from+p.rand.Uint64N(max(size, 1)), p.n-1)
		}
		roll -= z.Access
		from += size
	}
	return p.rand.Uint64N(p.n)
}

// zipf draws ranks from 0, where rank k is drawn (k+1)^-s times as often as the
// first: rejection-inversion, after W. Hörmann and G. Derflinger, "Rejection-
// inversion to generate variates from monotone discrete distributions", ACM TOMACS
// 6(3), 1996. It needs no table, so the region may be of any size.
type zipf struct {
	s, n         float64
	first, last  float64 // H(1.5)-1, H(n+0.5)
	acceptWithin float64
}

func newZipf(s float64, n uint64) zipf {
	z := zipf{s: s, n: float64(n)}
	z.first, z.last = z.integral(1.5)-1, z.integral(z.n+0.5)
	z.acceptWithin = 2 - z.inverse(z.integral(2.5)-z.weight(2))
	return z
}

func (z *zipf) weight(x float64) float64 { return math.Exp(-z.s * math.Log(x)) }

// integral is that of weight, from 1.
func (z *zipf) integral(x float64) float64 {
	l := math.Log(x)
	return expm1Over((1-z.s)*l) * l
}

func (z *zipf) inverse(y float64) float64 {
	t := max(y*(1-z.s), -1)
	return math.Exp(log1pOver(t) * y)
}

func (z *zipf) draw(r *sim.Rand) uint64 {
	for {
		u := z.last + float64(r.Uint64()>>11)/(1<<53)*(z.first-z.last)
		x := z.inverse(u)
		k := min(max(math.Floor(x+0.5), 1), z.n)
		if k-x <= z.acceptWithin || u >= z.integral(k+0.5)-z.weight(k) {
			return uint64(k) - 1
		}
	}
}

// expm1Over is (e^x - 1) / x, and log1pOver ln(1+x) / x, also at 0.
func expm1Over(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Expm1(x) / x
	}
	return 1 + x/2*(1+x/3)
}

func log1pOver(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Log1p(x) / x
	}
	return 1 - x*(0.5-x*(1.0/3))
}
