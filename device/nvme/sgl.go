package nvme

import (
	"encoding/binary"

	"blksim/device/nvme/spec"
)

// sglWalk goes through the pieces of host memory that a scatter gather list
// names (Base 4.1.2). The command holds the first descriptor; a segment
// descriptor leads to a run of others, the last of which may lead on.
//
// A host could chain segments in a circle, or fill them with descriptors of no
// bytes: maxDescriptors ends such a walk.
type sglWalk struct {
	mem    Memory
	page   int  // pieces do not cross a page: only within one is memory in one piece
	toHost bool // the command reads: bit buckets count
	left   int
	budget int

	first   spec.SGL // the command's own descriptor, until it is used
	begun   bool
	seg     uint64 // what is left of the segment
	segLen  uint32
	lastSeg bool

	bucket bool   // the current descriptor is a bit bucket
	addr   uint64 // what is left of the current descriptor
	len    uint32
}

// maxDescriptors bounds the descriptors that one command may name.
const maxDescriptors = 1 << 16

func newSGLWalk(mem Memory, shift uint8, lo, hi uint64, n int, toHost bool) sglWalk {
	return sglWalk{mem: mem, page: 1 << shift, toHost: toHost, left: n, budget: maxDescriptors, first: spec.SGLWords(lo, hi)}
}

// next is the next piece; see walk.
func (w *sglWalk) next() (b []byte, n int, st spec.Status) {
	if w.left == 0 {
		return nil, 0, spec.Success
	}
	for w.len == 0 {
		if st := w.descriptor(); st != spec.Success {
			return nil, 0, st
		}
	}
	n = min(w.left, int(w.len))
	if !w.bucket {
		n = min(n, w.page-int(w.addr&uint64(w.page-1)))
		var ok bool
		if b, ok = w.mem.Window(w.addr, n); !ok {
			return nil, 0, spec.DataTransferError
		}
		b = b[:n]
	}
	w.addr += uint64(n)
	w.len -= uint32(n)
	w.left -= n
	return b, n, spec.Success
}

// descriptor takes the next descriptor, and follows it if it leads on.
func (w *sglWalk) descriptor() spec.Status {
	if w.budget--; w.budget < 0 {
		return spec.SGLInvalidCount
	}
	d, last := w.first, true
	if w.begun {
		if w.segLen == 0 {
			return spec.SGLLengthInvalid // the list ends before the data does
		}
		var ok bool
		if d, ok = w.read(w.seg); !ok {
			return spec.DataTransferError
		}
		w.seg += spec.SGLSize
		w.segLen -= spec.SGLSize
		last = w.segLen == 0
		if leads := d.Type == spec.SGLSegment || d.Type == spec.SGLLastSegment; leads {
			switch {
			case !last:
				return spec.SGLInvalidCount
			case w.lastSeg:
				return spec.SGLInvalidSegment
			}
		} else if last && !w.lastSeg {
			return spec.SGLInvalidSegment // a segment that is not the last one must lead on
		}
	}
	w.begun = true
	if d.Subtype != 0 {
		return spec.SGLTypeInvalid
	}
	switch d.Type {
	case spec.SGLData:
		w.bucket, w.addr, w.len = false, d.Addr, d.Len
	case spec.SGLBitBucket:
		if w.bucket = true; w.toHost { // of a write it is as if it were not there
			w.len = d.Len
		}
	case spec.SGLSegment, spec.SGLLastSegment:
		if d.Len == 0 || d.Len%spec.SGLSize != 0 {
			return spec.SGLInvalidSegment
		}
		w.seg, w.segLen, w.lastSeg = d.Addr, d.Len, d.Type == spec.SGLLastSegment
	default:
		return spec.SGLTypeInvalid
	}
	return spec.Success
}

// read reads the descriptor at addr, which may cross a page.
func (w *sglWalk) read(addr uint64) (spec.SGL, bool) {
	var d [spec.SGLSize]byte
	for at := 0; at < len(d); {
		n := min(len(d)-at, w.page-int((addr+uint64(at))&uint64(w.page-1)))
		b, ok := w.mem.Window(addr+uint64(at), n)
		if !ok {
			return spec.SGL{}, false
		}
		at += copy(d[at:], b[:n])
	}
	return spec.SGLWords(binary.LittleEndian.Uint64(d[:]), binary.LittleEndian.Uint64(d[8:])), true
}
