package load

import "math/bits"

// permutation is the numbers from 0 to n-1 in an order that depends on a key, in
// no memory: a Feistel network of four rounds over the next even number of bits,
// applied again while the result is not below n (cycle walking, at most four
// times on average).
type permutation struct {
	n    uint64
	half uint // bits of one half
	keys [4]uint64
}

func newPermutation(n, key uint64) permutation {
	p := permutation{n: n, half: uint(bits.Len64(n-1)+1) / 2}
	for i := range p.keys {
		key = mix(key + 0x9e3779b97f4a7c15)
		p.keys[i] = key
	}
	return p
}

// of is the number at place x.
func (p *permutation) of(x uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	for {
		left, right := x>>p.half, x&mask
		for _, k := range p.keys {
			left, right = right, left^mix(right^k)&mask
		}
		if x = left<<p.half | right; x < p.n {
			return x
		}
	}
}

// mix is the finalizer of splitmix64: every bit of x changes half of the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
