package spec

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// StoreRelease32 stores v little-endian in the first 4 bytes of b, after all
// earlier writes of this lane. b must be 4-byte aligned in memory, as queue
// memory is.
func StoreRelease32(b []byte, v uint32) {
	atomic.StoreUint32(word(b), swapLE(v))
}

// LoadAcquire32 reads what [StoreRelease32] stored; what the storing lane wrote
// before it is then visible here.
func LoadAcquire32(b []byte) uint32 {
	return swapLE(atomic.LoadUint32(word(b)))
}

func word(b []byte) *uint32 {
	// No look at b[3]: the race detector would take it for a plain read.
	p := unsafe.Pointer(unsafe.SliceData(b))
	if len(b) < 4 || uintptr(p)&3 != 0 {
		panic("spec: want 4 bytes of queue memory, 4-byte aligned")
	}
	return (*uint32)(p)
}

// swapLE turns a native word into the one whose bytes in memory are v's in
// little-endian order, and back. It is nothing at all on a little-endian
// machine, and the compiler knows.
func swapLE(v uint32) uint32 {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	return binary.NativeEndian.Uint32(b[:])
}
