package blockmodel

import (
	"encoding/binary"
	"fmt"
)

// A Stamp names what a write put into its blocks.
type Stamp uint64

const (
	// Zero is a block of zeroes.
	Zero Stamp = 0
	// Unknown is what was there before anybody wrote.
	Unknown Stamp = 1<<64 - 1
	// First is the least stamp for a write; count up from there.
	First Stamp = 1

	// Fresh fills a read's buffers before the read: a block that is still Fresh
	// was not read.
	Fresh Stamp = 1<<64 - 2
	// Mangled fills buffers after their I/O: a device that has Mangled data read
	// them too late.
	Mangled Stamp = 1<<64 - 3
)

// String names the special stamps.
func (s Stamp) String() string {
	switch s {
	case Zero:
		return "zeroes"
	case Unknown:
		return "what was there before"
	case Fresh:
		return "what the buffer held before the read"
	case Mangled:
		return "what the buffer held after the I/O had completed"
	}
	return fmt.Sprintf("write %d", uint64(s))
}

// Fill makes block number no of a write with stamp s. A block has at least 16
// bytes, a multiple of 8.
func Fill(block []byte, s Stamp, no int64) {
	if s == Zero {
		clear(block)
		return
	}
	le := binary.LittleEndian
	le.PutUint64(block, uint64(s))
	le.PutUint64(block[8:], uint64(no))
	for i := 16; i < len(block); i += 8 {
		le.PutUint64(block[i:], word(s, no, i))
	}
}

func word(s Stamp, no int64, i int) uint64 {
	return (uint64(s)^uint64(i)<<32)*0x9e3779b97f4a7c15 + uint64(no)
}

// Parse tells whose block it is. The error says that it is no write's wholly, or
// not block no.
func Parse(block []byte, no int64) (Stamp, error) {
	le := binary.LittleEndian
	s, at := Stamp(le.Uint64(block)), int64(le.Uint64(block[8:]))
	if s == Zero {
		for i, b := range block {
			if b != 0 {
				return 0, fmt.Errorf("block %d: byte %d is %#02x in a block that begins with zeroes: torn", no, i, b)
			}
		}
		return Zero, nil
	}
	for i := 16; i < len(block); i += 8 {
		if le.Uint64(block[i:]) != word(s, at, i) {
			return 0, fmt.Errorf("block %d: it begins as block %d of %v, and is something else from byte %d on: torn", no, at, s, i)
		}
	}
	if at != no && s != Fresh && s != Mangled { // those are of no place
		return 0, fmt.Errorf("block %d: it has the data of block %d of %v", no, at, s)
	}
	return s, nil
}
