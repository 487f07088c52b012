package spec

// SGLSize is the size of an SGL descriptor, bytes (Base 4.1.2).
const SGLSize = 16

// SGL descriptor types. Subtype 0, an address, is the only one on a memory
// transport.
const (
	SGLData        = 0x0
	SGLBitBucket   = 0x1
	SGLSegment     = 0x2
	SGLLastSegment = 0x3
)

// SGL is one descriptor.
type SGL struct {
	Addr    uint64
	Len     uint32
	Type    uint8
	Subtype uint8
}

// Put writes d into 16 bytes.
func (d SGL) Put(b []byte) {
	le.PutUint64(b[0:], d.Addr)
	le.PutUint64(b[8:], uint64(d.Len)|uint64(d.Subtype&15)<<56|uint64(d.Type&15)<<60)
}

// SGLWords takes a descriptor apart from its two halves.
func SGLWords(lo, hi uint64) SGL {
	return SGL{Addr: lo, Len: uint32(hi), Type: uint8(hi >> 60), Subtype: uint8(hi >> 56 & 15)}
}

// SetSGL makes the command use SGLs, with d as its first descriptor.
func (e *SQE) SetSGL(d SGL) {
	e.SetPSDT(1)
	d.Put(e[24:40])
}

// Bits of SGLS, what a controller supports.
const (
	SGLSSupported = 1 << 0  // 1:0: without alignment
	SGLSBitBucket = 1 << 16 //
	SGLSExcess    = 1 << 18 // descriptors may name more than the command moves
)
