package sim

import (
	"math"
	"math/bits"
	"time"
)

// Exp is exponentially distributed with the given mean, which must not be
// negative: the time to the next of a stream of independent arrivals. It ends
// at 44 times the mean, or at the longest duration there is.
//
// It is -ln(u) for a uniform u in (0, 1), in fixed point: u = v/2^z with v in
// [1/2, 1), so -ln(u) is z ln(2) - ln(v), and -ln(v) is read from a table with
// linear interpolation (off by less than 2e-6). math.Log would not do: its
// assembly and the compiler's fused multiply-add differ between machines in the
// last bit, and one bit is enough to send two simulations different ways.
func (r *Rand) Exp(mean time.Duration) time.Duration {
	if mean < 0 {
		panic("sim: negative mean of an exponential distribution")
	}
	return expOf(r.Uint64(), mean)
}

// expOf is -ln(u/2^64) times the mean; u is made odd, so that it is not 0.
func expOf(u uint64, mean time.Duration) time.Duration {
	u |= 1
	z := bits.LeadingZeros64(u)
	v := u << z << 1 // v-1/2 as a fraction of 1/2, in 64 bits

	const low = 64 - expBits // bits below the table's index
	i := v >> low
	a, b := expTable[i], expTable[i+1]
	part, _ := bits.Mul64(a-b, v<<expBits)
	x := a - part // -ln(v), with 56 bits after the point
	x += uint64(z) * ln2

	hi, lo := bits.Mul64(x, uint64(mean))
	if hi>>(expPoint-1) != 0 {
		return math.MaxInt64
	}
	return time.Duration(hi<<(64-expPoint) | lo>>expPoint)
}

const (
	expBits  = 8
	expPoint = 56
	ln2      = 0xB17217F7D1CF79 // ln(2) with expPoint bits after the point
)

// expTable holds -ln((1 + i/2^expBits) / 2) with expPoint bits after the point.
var expTable = makeExpTable()

func makeExpTable() (t [1<<expBits + 1]uint64) {
	for i := range 1 << expBits {
		// ln(1 + i/2^expBits) = log2(...) ln(2)
		y := uint64(1)<<63 | uint64(i)<<(63-expBits)
		hi, lo := bits.Mul64(log2(y), ln2)
		t[i] = ln2 - (hi<<8 | lo>>56)
	}
	return t
}

// log2 is the logarithm of y, which is in [1, 2) with 63 bits after the point,
// with 56 bits after the point. Squaring y shifts its logarithm left by a bit.
func log2(y uint64) (x uint64) {
	for range expPoint {
		hi, lo := bits.Mul64(y, y)
		x <<= 1
		if hi>>63 != 0 { // y*y >= 2
			x |= 1
			y = hi
		} else {
			y = hi<<1 | lo>>63
		}
	}
	return x
}
