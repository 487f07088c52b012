package flash

import (
	"fmt"
	"time"
)

// Distribution is how the times of one kind of array operation vary about the time
// that Config has for it. The zero value is triangular with Config.Jitter.
type Distribution struct {
	Shape  Shape
	Spread int  // of Uniform and Triangular: percent on each side, up to MaxSpread
	Sigma  int  // of Lognormal: standard deviation of the logarithm, millionths, MinSigma to MaxSigma
	Median bool // of Lognormal: Config has the median, as data sheets' typical times are, and not the mean
}

// Shape is a kind of distribution.
type Shape uint8

// The shapes. Config has the mean of each, or the median if Median says so.
const (
	Jittered   Shape = iota // triangular with Config.Jitter
	Fixed                   // always the same
	Uniform                 // evenly within Spread
	Triangular              // within Spread, the sum of two uniform numbers
	Lognormal               // a long tail to the right, cut off at 4.9 Sigma on each side
)

// Limits of a Distribution. MaxSigma is a 99th percentile of 16 times the median.
const (
	MaxSpread = 90
	MinSigma  = 1_000
	MaxSigma  = 1_200_000
)

// SigmaOfTail is the Sigma with which the 99th percentile is ratio thousandths of
// the median.
func SigmaOfTail(ratio int) int {
	lo, hi := 0, MaxSigma
	for lo < hi {
		if mid := (lo + hi) / 2; exp(z99*int64(mid)*256/1e6)*1000 < int64(ratio)*one {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Mean is the mean of a time that Config gives as d.
func (s Distribution) Mean(d time.Duration) time.Duration {
	if !s.Median {
		return d
	}
	return times(d, newLognormal(s.Sigma).mean())
}

// validate says what is expected instead, if anything.
func (s Distribution) validate() error {
	switch {
	case s.Shape > Lognormal:
		return fmt.Errorf("Shape Jittered to Lognormal")
	case (s.Shape == Uniform || s.Shape == Triangular) != (s.Spread != 0) || s.Spread < 0 || s.Spread > MaxSpread:
		return fmt.Errorf("Spread 1 to %d percent with Uniform and Triangular, and 0 else", MaxSpread)
	case s.Shape == Lognormal && (s.Sigma < MinSigma || s.Sigma > MaxSigma) || s.Shape != Lognormal && (s.Sigma != 0 || s.Median):
		return fmt.Errorf("Sigma %d to %d millionths with Lognormal, and 0 and no Median else", MinSigma, MaxSigma)
	}
	return nil
}

// sampler draws the times of a Distribution.
type sampler struct {
	rand   Rand
	shape  Shape // Fixed, Uniform, Triangular, Lognormal
	spread int64
	table  *lognormal
}

func newSampler(s Distribution, jitter int, r Rand) sampler {
	if s.Shape == Jittered {
		if s = (Distribution{Shape: Triangular, Spread: jitter}); jitter == 0 {
			s = Distribution{Shape: Fixed}
		}
	}
	p := sampler{rand: r, shape: s.Shape, spread: int64(s.Spread)}
	if s.Shape == Lognormal {
		p.table = newLognormal(s.Sigma)
		if !s.Median {
			p.table.scale()
		}
	}
	return p
}

// draw is the time of one operation, which Config gives as d: by integers alone
// and one number of the stream, or none if it is fixed.
func (p *sampler) draw(d time.Duration) time.Duration {
	if p.shape == Fixed {
		return d
	}
	x := p.rand.Uint64()
	var dev int64 // -65535 to 65535
	switch p.shape {
	case Lognormal:
		return times(d, p.table.draw(x))
	case Uniform:
		dev = 2*int64(x>>48) - 0xffff
	default:
		dev = int64(x&0xffff) + int64(x>>16&0xffff) - 0xffff
	}
	return d + time.Duration(int64(d)*p.spread/100*dev/0xffff)
}

// times is d times a factor in 2^-20, rounded.
func times(d time.Duration, factor int64) time.Duration {
	return time.Duration((int64(d)*factor + one/2) >> oneBits)
}
