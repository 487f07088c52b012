package summary

import (
	"math"
	"math/bits"
)

// blockShift: the footprint counts blocks of 4 KiB.
const blockShift = 12

// hll counts distinct values: Flajolet et al., "HyperLogLog" (2007), with 2^14
// registers and a 64-bit hash, so that no correction for large counts is needed. Up
// to exactLimit it keeps the values themselves and is exact.
type hll struct {
	registers [1 << hllBits]uint8
	exact     map[uint64]struct{} // nil: too many
	begun     bool
}

const (
	hllBits    = 14
	exactLimit = 1 << hllBits
)

func (h *hll) add(v uint64) {
	if !h.begun {
		h.begun, h.exact = true, map[uint64]struct{}{}
	}
	if h.exact != nil {
		h.exact[v] = struct{}{}
		if len(h.exact) > exactLimit {
			h.exact = nil
		}
	}
	x := mix(v)
	i := x >> (64 - hllBits)
	rank := uint8(bits.LeadingZeros64(x<<hllBits|1<<(hllBits-1))) + 1
	if rank > h.registers[i] {
		h.registers[i] = rank
	}
}

// mix is the finalizer of splitmix64 (Steele, Lea, Flood 2014): every bit of v
// changes every bit of the result with a chance of about one half.
func mix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// count is how many distinct values there were, and whether that is exact.
func (h *hll) count() (n int64, exact bool) {
	if !h.begun {
		return 0, true
	}
	if h.exact != nil {
		return int64(len(h.exact)), true
	}
	const m = 1 << hllBits
	sum, zeros := 0.0, 0
	for _, r := range h.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/float64(zeros)) // linear counting
	}
	return int64(estimate + 0.5), false
}

// footprint counts the blocks that reads and writes touch, apart by volume.
type footprint struct {
	all, reads, writes hll
}

// maxTouched bounds the time that one record takes: of a longer one only so many
// blocks are counted, evenly spread, which no footprint of a real trace comes near.
const maxTouched = 1 << 18

func (f *footprint) add(volume uint32, offset, length int64, write bool) {
	first, last := offset>>blockShift, (offset+length-1)>>blockShift
	step := (last-first)/maxTouched + 1
	part := &f.reads
	if write {
		part = &f.writes
	}
	for b := first; b <= last; b += step {
		v := uint64(b) ^ uint64(volume)<<51 // offsets have 51 bits of blocks
		f.all.add(v)
		part.add(v)
	}
}
