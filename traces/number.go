package traces

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The number parsers work on bytes in place and never allocate. A trace is mostly
// digits of varying count, so uintAt takes eight bytes at a time and finds the end
// of the number by arithmetic: a loop over digits mispredicts its end once for each
// number, which costs more than the digits.

const (
	eightZeros = 0x3030303030303030
	overflow   = math.MaxUint64 // of uintAt: more than 64 bits hold
)

// uintAt reads decimal digits of b from i on. end is the index behind the last
// digit, i if there is none. A number that passes 64 bits is overflow.
func uintAt(b []byte, i int) (v uint64, end int) {
	start := i
	// Lines are parts of a larger buffer: what follows may be loaded, not counted.
	all := b[:cap(b)]
	for i <= len(all)-8 {
		w := binary.LittleEndian.Uint64(all[i:]) ^ eightZeros
		// The lowest byte that is above 9 sets its high bit in odd. Higher bytes may
		// be disturbed by a carry.
		odd := (w + 0x7676767676767676 | w) & 0x8080808080808080
		if odd == 0 && len(b)-i >= 8 {
			v = v*1e8 + eightDigits(w)
			i += 8
			continue
		}
		k := min(bits.TrailingZeros64(odd)>>3, len(b)-i)
		// The k digits move to the high end, which puts zeros in front of them.
		v = v*uint64(pow10[k&15]) + eightDigits(w<<(64-8*uint(k)))
		if i += k; i-start > 19 { // 19 digits always fit
			v = longUint(b[start:i])
		}
		return v, i
	}
	for i < len(b) && b[i]-'0' <= 9 {
		v = v*10 + uint64(b[i]-'0')
		i++
	}
	if i-start > 19 {
		v = longUint(b[start:i])
	}
	return v, i
}

// digitsEnd is the index behind the digits of b from i on, for a number whose value
// nobody wants.
func digitsEnd(b []byte, i int) int {
	all := b[:cap(b)]
	for i <= len(all)-8 {
		w := binary.LittleEndian.Uint64(all[i:]) ^ eightZeros
		odd := (w + 0x7676767676767676 | w) & 0x8080808080808080
		k := min(bits.TrailingZeros64(odd)>>3, len(b)-i)
		if i += k; k < 8 {
			return i
		}
	}
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// eightDigits is the value of eight bytes of 0 to 9, the first the most
// significant. Neighbours are joined to pairs; then two multiplications, which do
// not wait for each other, put the four pairs in their places in the high half.
func eightDigits(w uint64) uint64 {
	const pairs = 0x000000ff000000ff
	w = w*10 + w>>8
	return ((w&pairs)*(100+1000000<<32) + (w>>16&pairs)*(1+10000<<32)) >> 32
}

// longUint is the value of 20 digits or more.
func longUint(digits []byte) uint64 {
	var v uint64
	for _, c := range digits {
		d := uint64(c - '0')
		if v > (math.MaxUint64-d)/10 {
			return overflow
		}
		v = v*10 + d
	}
	return v
}

// parseInt reads all of b as a decimal number from 0 to 2^63-1.
func parseInt(b []byte) (int64, bool) {
	v, end := uintAt(b, 0)
	return int64(v), end == len(b) && end > 0 && v <= math.MaxInt64
}

// pow10 has 16 entries so that an index of 4 bits needs no check.
var pow10 = [16]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// parseDecimal reads all of b as a decimal number, "12" or "12.345", in units of
// 10^-scale. Digits behind the scale are dropped: 1.0000000019 s is 1.000000001 s.
func parseDecimal(b []byte, scale int) (int64, bool) {
	whole, i := uintAt(b, 0)
	if i == 0 || whole > uint64(math.MaxInt64/pow10[scale]) {
		return 0, false
	}
	v := int64(whole) * pow10[scale]
	if i == len(b) {
		return v, true
	}
	if b[i] != '.' || i+1 == len(b) {
		return 0, false
	}
	frac := b[i+1:]
	kept := frac[:min(len(frac), scale)]
	f, end := uintAt(kept, 0)
	if end != len(kept) {
		return 0, false
	}
	for _, c := range frac[len(kept):] {
		if c-'0' > 9 {
			return 0, false
		}
	}
	f *= uint64(pow10[scale-len(kept)])
	if uint64(v)+f > math.MaxInt64 {
		return 0, false
	}
	return v + int64(f), true
}

// parseHex reads all of b as a hexadecimal number of at most 32 bits, with or
// without 0x.
func parseHex(b []byte) (uint32, bool) {
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		b = b[2:]
	}
	if len(b) == 0 || len(b) > 8 {
		return 0, false
	}
	var v uint32
	for _, c := range b {
		switch {
		case c-'0' <= 9:
			v = v<<4 | uint32(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | uint32(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// isNumber says whether b is a decimal number, signed or not: a column that is
// not used, but whose damage is still the record's.
func isNumber(b []byte) bool {
	if len(b) > 1 && b[0] == '-' {
		b = b[1:]
	}
	dots := 0
	for _, c := range b {
		if c == '.' {
			dots++
		} else if c-'0' > 9 {
			return false
		}
	}
	return len(b) > dots && dots <= 1
}
