package spec

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// last is the last dword of the entry, with which it is handed over: the lane that
// posts stores it with release order, the lane that polls loads it with acquire order,
// so what was written before is visible then. CQEs has seen to it that it is aligned.
func (e *CQE) last() *uint32 { return (*uint32)(unsafe.Pointer(&e[12])) }

// HandOver is the second half of Publish.
func (e *CQE) HandOver(d CQEDword3) { atomic.StoreUint32(e.last(), swapLE(uint32(d))) }

// Append is HandOver for an entry that lies behind one that is handed over later: who
// polls takes them in order, and sees this one only then.
func (e *CQE) Append(d CQEDword3) { *e.last() = swapLE(uint32(d)) }

func (e *CQE) takeOver() CQEDword3 { return CQEDword3(swapLE(atomic.LoadUint32(e.last()))) }

// swapLE turns a native word into the one whose bytes in memory are v's in
// little-endian order, and back.
func swapLE(v uint32) uint32 {
	if bigEndian {
		return bits.ReverseBytes32(v)
	}
	return v
}

var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1
