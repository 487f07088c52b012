package sim

import (
	"fmt"
	"math/bits"
	"time"
)

// A Rand is a stream of random numbers: xoshiro256++ by Blackman and Vigna,
// seeded through splitmix64. All draws are made with integers, so a stream is
// the same on every machine and with every version of Go. It belongs to one
// lane, or to whoever made it.
//
// A package that may not import sim takes an interface { Uint64() uint64 }.
type Rand struct{ s [4]uint64 }

// NewRand makes the stream of (seed, purpose). Streams of different purposes
// are independent of each other.
func NewRand(seed uint64, purpose string) *Rand {
	h := uint64(0xcbf29ce484222325) // FNV-1a
	for i := range len(purpose) {
		h = (h ^ uint64(purpose[i])) * 0x100000001b3
	}
	state := splitmix(&seed) ^ h
	r := &Rand{}
	for i := range r.s {
		r.s[i] = splitmix(&state)
	}
	return r
}

// Rand returns the world's stream for a purpose, such as "media" or "arrivals".
// The purpose is the stream's name: asked again, the world returns the same
// stream, which goes on where it was. Two consumers that shall not shift each
// other's numbers use two names, such as "media/0" and "media/1". What one
// stream gives depends on nothing but the world's seed and the name.
func (w *World) Rand(purpose string) *Rand {
	r := w.streams[purpose]
	if r == nil {
		r = NewRand(w.seed, purpose)
		w.streams[purpose] = r
	}
	return r
}

func splitmix(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 is uniform over all values.
func (r *Rand) Uint64() uint64 {
	s := &r.s
	x := bits.RotateLeft64(s[0]+s[3], 23) + s[0]
	t := s[1] << 17
	s[2] ^= s[0]
	s[3] ^= s[1]
	s[1] ^= s[2]
	s[0] ^= s[3]
	s[2] ^= t
	s[3] = bits.RotateLeft64(s[3], 45)
	return x
}

// Uint64N is uniform over [0, n), exactly (Lemire's multiplication with
// rejection). n must not be 0.
func (r *Rand) Uint64N(n uint64) uint64 {
	if n == 0 {
		panic("sim: random number drawn from an empty range")
	}
	hi, lo := bits.Mul64(r.Uint64(), n)
	if lo < n {
		for bad := -n % n; lo < bad; {
			hi, lo = bits.Mul64(r.Uint64(), n)
		}
	}
	return hi
}

// Int64N is uniform over [0, n), n > 0.
func (r *Rand) Int64N(n int64) int64 {
	if n <= 0 {
		panic(fmt.Sprintf("sim: random number drawn from [0, %d)", n))
	}
	return int64(r.Uint64N(uint64(n)))
}

// IntN is uniform over [0, n), n > 0.
func (r *Rand) IntN(n int) int { return int(r.Int64N(int64(n))) }

// Bool is true with the chance num/den; den must not be 0. PerMillion is the
// usual den.
func (r *Rand) Bool(num, den uint64) bool { return r.Uint64N(den) < num }

// PerMillion is a denominator for Bool.
const PerMillion = 1_000_000

// Duration is uniform over [a, b), a < b.
func (r *Rand) Duration(a, b time.Duration) time.Duration {
	if a >= b {
		panic(fmt.Sprintf("sim: random duration drawn from [%v, %v)", a, b))
	}
	return a + time.Duration(r.Uint64N(uint64(b)-uint64(a)))
}

// Shuffle puts n elements in a random order.
func (r *Rand) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.IntN(i+1))
	}
}
