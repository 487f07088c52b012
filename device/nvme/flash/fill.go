package flash

import (
	"math/bits"
	"sort"
)

// State is what a drive holds before anything is written to it.
type State uint8

// The states. A filled drive holds valid data in every unit.
const (
	Empty      State = iota // nothing: all superblocks are free
	Sequential              // written once from its first unit to its last
	Random                  // overwritten at random until its write amplification was steady
)

// fill is the formula of a filled drive: which superblock holds which units. It
// takes no memory for units, and no time to make.
//
// Under uniformly random writes, a superblock whose age is the part a of the
// oldest one's holds the part x^a of its units, where x solves
// (1-x)/-ln(x) = units of the host / units of the drive: the steady state of
// first-in, first-out collection (Desnoyers, "Analytic Models of SSD Write
// Performance", 2014), which greedy comes close to. Which units those are is a
// fixed permutation.
type fill struct {
	kind   State
	units  int64 // of the host
	size   int64 // units of a superblock
	starts []int64
	half   uint // bits of each half of the permutation's number
}

func newFill(kind State, units, size, blocks int64) fill {
	p := fill{kind: kind, units: units, size: size, half: uint(bits.Len64(uint64(units-1))+1) / 2}
	if kind == Empty {
		return p
	}
	if kind == Sequential {
		for at := int64(0); at < units; at += size {
			p.starts = append(p.starts, at)
		}
	} else {
		p.spread(blocks)
	}
	p.starts = append(p.starts, units)
	return p
}

// spread gives each of n superblocks its share. What rounding leaves over goes to
// the first ones that have room.
func (p *fill) spread(n int64) {
	least := p.least(n)
	parts, left := make([]int64, n), p.units
	for i := range parts {
		parts[i] = min(p.share(int64(i), n, least), left)
		left -= parts[i]
	}
	for i := 0; left > 0; i = (i + 1) % len(parts) {
		more := min(left, p.size-parts[i], left/n+1)
		parts[i] += more
		left -= more
	}
	at := int64(0)
	for _, part := range parts {
		p.starts = append(p.starts, at)
		at += part
	}
}

// share is how many units superblock i of n holds in the random state: the curve
// x^a is laid through whole numbers by halving, so that all machines agree.
func (p *fill) share(i, n, low int64) int64 {
	// Between size (age 0) and low (age 1) the curve is geometric; the integer
	// interpolation of its logarithm is done by repeated square roots.
	lo, hi := low, p.size
	from, to := int64(0), n
	for to-from > 1 {
		mid := (from + to) / 2
		root := sqrt(lo, hi)
		if i >= mid {
			from, hi = mid, root
		} else {
			to, lo = mid, root
		}
	}
	return hi
}

// least is what the oldest of n holds, so that the shares add up to the host's
// units: found by halving.
func (p *fill) least(n int64) int64 {
	lo, hi := int64(1), p.size
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		// The mean of a geometric curve from size to mid, by Simpson's rule.
		q1, q2 := sqrt(mid, p.size), int64(0)
		q2 = sqrt(q1, p.size)
		q3 := sqrt(mid, q1)
		mean := (p.size + 4*q2 + 2*q1 + 4*q3 + mid) / 12
		if mean*n < p.units {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// sqrt is the whole part of the square root of a*b; both are below 2^31.
func sqrt(a, b int64) int64 {
	x := uint64(a) * uint64(b)
	return int64(sort.Search(1<<31, func(r int) bool { return uint64(r)*uint64(r) > x })) - 1
}

// held is how many units superblock i holds at first.
func (p *fill) held(i int64) int64 {
	if i+1 >= int64(len(p.starts)) {
		return 0
	}
	return p.starts[i+1] - p.starts[i]
}

// find is where unit u is at first: superblock and slot.
func (p *fill) find(u int64) (block, slot int64) {
	if p.kind == Sequential {
		return u / p.size, u % p.size
	}
	at := p.permute(u, false)
	i := int64(sort.Search(len(p.starts), func(i int) bool { return p.starts[i] > at })) - 1
	return i, mulDiv(at-p.starts[i], p.size, p.held(i))
}

// unit is what is in a slot of a superblock at first.
func (p *fill) unit(block, slot int64) (u int64, ok bool) {
	n := p.held(block)
	if p.kind == Sequential {
		return block*p.size + slot, slot < n
	}
	k := mulDiv(slot, n, p.size) // the slot of k is rounded down: it is k or the next one
	for ; k < n && mulDiv(k, p.size, n) < slot; k++ {
	}
	if k >= n || mulDiv(k, p.size, n) != slot {
		return 0, false
	}
	return p.permute(p.starts[block]+k, true), true
}

// permute is a permutation of the units, and its inverse: a Feistel network of
// four rounds, walked until it is within the range.
func (p *fill) permute(v int64, inverse bool) int64 {
	mask := uint64(1)<<p.half - 1
	for {
		l, r := uint64(v)>>p.half, uint64(v)&mask
		for i := range uint64(4) {
			if inverse {
				l, r = r^(mix(l, 3-i)&mask), l
			} else {
				l, r = r, l^(mix(r, i)&mask)
			}
		}
		if v = int64(l<<p.half | r); v < p.units {
			return v
		}
	}
}

func mix(v, round uint64) uint64 {
	v = (v + round + 1) * 0x9e3779b97f4a7c15
	return (v ^ v>>29) * 0xbf58476d1ce4e5b9 >> 17
}

// mulDiv is a*b/c without overflow; the result fits.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}
