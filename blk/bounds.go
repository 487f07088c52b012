package blk

import (
	"blksim/aio"
	"blksim/driver"
)

// zeroes is what stands in for WriteZeroes writes; a request has it several times
// over. Nobody writes to it.
var zeroes [64 << 10]byte

// zeroSegments bounds the buffers of such a request where the driver does not.
const zeroSegments = 16

// bounds are the limits of a request, in the form that the path of an I/O wants.
type bounds struct {
	ops      driver.OpSet      // reads and writes, where the driver has them
	partial  uint64            // the bits that are 0 in offsets and lengths of whole blocks, and the sign
	capacity int64             // bytes
	most     [aio.NumOps]int64 // bytes a request
	boundary int64             // no extent with data goes across a multiple of it; 0: none
	segments int               // buffers
	segment  int64             // bytes a buffer
	zero     int64             // bytes a request of zeroes written as data
	zeroes   []byte            // each of its buffers, at the most
}

const noLimit = 1 << 62

func boundsOf(l *driver.Limits) bounds {
	orNone := func(n int64) int64 {
		if n == 0 {
			return noLimit
		}
		return n
	}
	block := int64(l.BlockSize)
	b := bounds{ops: l.Ops & driver.Ops(aio.OpRead, aio.OpWrite), partial: uint64(block-1) | 1<<63, capacity: l.Capacity, boundary: l.Boundary, segments: l.MaxSegments, segment: orNone(l.MaxSegment)}
	if b.segments == 0 {
		b.segments = 1 << 30
	}
	transfer := orNone(l.MaxTransfer)
	if b.segment < noLimit/int64(b.segments) {
		transfer = min(transfer, b.segment*int64(b.segments))
	}
	b.most = [aio.NumOps]int64{
		aio.OpRead: transfer, aio.OpWrite: transfer, aio.OpFlush: noLimit,
		aio.OpDiscard: orNone(l.MaxDiscard), aio.OpWriteZeroes: orNone(l.MaxWriteZeroes),
	}
	b.zeroes = zeroes[:]
	if block > int64(len(b.zeroes)) {
		b.zeroes = make([]byte, block)
	}
	b.zeroes = b.zeroes[:min(int64(len(b.zeroes)), b.segment)/block*block]
	b.zero = min(transfer, int64(len(b.zeroes)*min(b.segments, zeroSegments)))
	return b
}

// takes says that a read or write is one that Disk.Check has nothing against.
func (b *bounds) takes(op aio.Op, off, length int64) bool {
	return b.ops>>(op&7)&1 != 0 && b.holds(off, length)
}

// holds says that an extent is of whole blocks and on the device.
func (b *bounds) holds(off, length int64) bool {
	return uint64(off|length)&b.partial == 0 && length > 0 && off <= b.capacity-length
}

// first is how many bytes of an extent may go in one request.
func (b *bounds) first(r *request) int64 {
	n := b.most[r.op]
	if r.zeroes {
		n = b.zero
	}
	n = min(n, r.Len)
	if b.boundary > 0 && r.op.HasData() {
		n = min(n, b.boundary-r.Off%b.boundary)
	}
	return n
}

// buffers is how many buffers a bio of that many bytes takes.
func (b *bounds) buffers(n int64) int {
	if n <= b.segment {
		return 1
	}
	return int((n + b.segment - 1) / b.segment)
}

// crosses says whether an extent with data goes across the boundary.
func (b *bounds) crosses(off, size int64) bool {
	return b.boundary != 0 && off/b.boundary != (off+size-1)/b.boundary
}

// fits says whether a request from off of size bytes in so many buffers keeps all
// limits.
func (b *bounds) fits(op aio.Op, off, size int64, buffers int) bool {
	if size > b.most[op] {
		return false
	}
	if !op.HasData() {
		return true
	}
	return buffers <= b.segments && !b.crosses(off, size)
}
