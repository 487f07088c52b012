package nvme_test

import "blksim/device/nvme/spec"

// prps makes an edit that sets the data pointer of an n-block command.
func prps(n int, prp1, prp2 uint64) func(r *rig, e *spec.SQE) {
	return func(_ *rig, e *spec.SQE) { e.SetCDW12(uint32(n - 1)); e.SetPRPs(prp1, prp2) }
}

// free is memory that no rule allocates: rules that name addresses use it.
const free = uint64(busBase + 1<<20)

// segment writes descriptors at addr and returns one that leads to them.
func (r *rig) segment(typ uint8, addr uint64, ds ...spec.SGL) spec.SGL {
	for i, d := range ds {
		d.Put(r.mem.at(addr+uint64(16*i), 16))
	}
	return spec.SGL{Addr: addr, Len: uint32(16 * len(ds)), Type: typ}
}

func data(addr uint64, n int) spec.SGL { return spec.SGL{Addr: addr, Len: uint32(n)} }

// sgl makes an edit that gives a command of n blocks the descriptor that make
// makes.
func sgl(n int, make func(r *rig) spec.SGL) func(r *rig, e *spec.SQE) {
	return func(r *rig, e *spec.SQE) {
		e.SetCDW12(uint32(n - 1))
		e.SetSGL(make(r))
	}
}

func one(d spec.SGL) func(*rig) spec.SGL { return func(*rig) spec.SGL { return d } }

const (
	okSt = spec.Success
	rd   = spec.IORead
	wr   = spec.IOWrite
)

var transferSections = []section{
	{"Base 4.1.1 PRP", plain, []rule{
		{"PRP1 may have an offset", ioIs(okSt, rd, prps(1, free+512, 0))},
		{"an offset that is not a dword is PRP Offset Invalid", ioIs(spec.PRPOffsetInvalid, rd, prps(1, free+2, 0))},
		{"PRP2 is not looked at where PRP1 is enough", ioIs(okSt, rd, prps(8, free, 3))},
		{"PRP2 is the second page", ioIs(okSt, rd, prps(16, free, free+8192))},
		{"an offset in PRP2 is PRP Offset Invalid", ioIs(spec.PRPOffsetInvalid, rd, prps(16, free, free+4100))},
		{"an offset in PRP1 makes two pages of one", ioIs(spec.DataTransferError, rd, prps(8, free+512, 0))},
		{"memory that is not there is Data Transfer Error", ioIs(spec.DataTransferError, rd, prps(1, 1<<40, 0))},
		{"three pages take a list", ioIs(okSt, rd, func(r *rig, e *spec.SQE) {
			put64(r.mem.at(free+8192, 8), free+4096)
			put64(r.mem.at(free+8200, 8), free+12288)
			prps(24, free, free+8192)(r, e)
		})},
		{"a list may begin within a page, on a qword", ioIs(okSt, rd, func(r *rig, e *spec.SQE) {
			put64(r.mem.at(free+8200, 8), free+4096)
			put64(r.mem.at(free+8208, 8), free+12288)
			prps(24, free, free+8200)(r, e)
		})},
		{"a list not on a qword is PRP Offset Invalid", ioIs(spec.PRPOffsetInvalid, rd, prps(24, free, free+8196))},
		{"a list that is not memory is Data Transfer Error", ioIs(spec.DataTransferError, rd, prps(24, free, 1<<40))},
		{"an offset in an entry of the list is PRP Offset Invalid", ioIs(spec.PRPOffsetInvalid, rd, func(r *rig, e *spec.SQE) {
			put64(r.mem.at(free+8192, 8), free+4096+512)
			prps(24, free, free+8192)(r, e)
		})},
		{"the last entry of a list's page leads on", ioIs(okSt, rd, func(r *rig, e *spec.SQE) {
			put64(r.mem.at(free+12280, 8), free+16384) // the list has one entry in its page
			put64(r.mem.at(free+16384, 8), free+4096)
			put64(r.mem.at(free+16392, 8), free+20480)
			prps(24, free, free+12280)(r, e)
		})},
		{"data arrives in the order of the pages", func(r *rig) {
			r.write(0, 8, 1)
			r.write(8, 8, 2)
			e := r.rw(rd, 0, 16)
			e.SetPRPs(free+4096, free)
			r.eq(okSt, r.do(e).status)
			r.yes(all(r.mem.at(free+4096, 4096), 1) && all(r.mem.at(free, 4096), 2))
		}},
	}},
	{"Base 4.1.2 SGL", plain, []rule{
		{"a data block is the buffer", ioIs(okSt, rd, sgl(4, one(data(free, 2048))))},
		{"any alignment of it", ioIs(okSt, rd, sgl(4, one(data(free+3, 2048))))},
		{"PSDT 10b is an SGL as well", ioIs(okSt, rd, func(r *rig, e *spec.SQE) { sgl(4, one(data(free, 2048)))(r, e); e.SetPSDT(2) })},
		{"PSDT 11b is Invalid Field", ioIs(spec.InvalidField, rd, func(_ *rig, e *spec.SQE) { e.SetPSDT(3) })},
		{"less than the data is Data SGL Length Invalid", ioIs(spec.SGLLengthInvalid, rd, sgl(4, one(data(free, 2047))))},
		{"more than the data is taken, as SGLS says", ioIs(okSt, rd, sgl(4, one(data(free, 9999))))},
		{"memory that is not there is Data Transfer Error", ioIs(spec.DataTransferError, rd, sgl(4, one(data(1<<40, 2048))))},
		{"a last segment has data blocks", ioIs(okSt, rd, sgl(4, func(r *rig) spec.SGL {
			return r.segment(spec.SGLLastSegment, free, data(free+4096, 1024), data(free+8192, 1024))
		}))},
		{"segments lead on by their last descriptor", ioIs(okSt, rd, sgl(4, func(r *rig) spec.SGL {
			last := r.segment(spec.SGLLastSegment, free+512, data(free+8192, 1024))
			return r.segment(spec.SGLSegment, free, data(free+4096, 1024), last)
		}))},
		{"a segment may cross a page", ioIs(okSt, rd, sgl(4, func(r *rig) spec.SGL {
			return r.segment(spec.SGLLastSegment, free+4096-8, data(free+8192, 1024), data(free+12288, 1024))
		}))},
		{"a data block of no bytes is passed over", ioIs(okSt, rd, sgl(4, func(r *rig) spec.SGL {
			return r.segment(spec.SGLLastSegment, free, data(1<<50, 0), data(free+4096, 2048))
		}))},
		{"a segment of no bytes is Invalid SGL Segment Descriptor", ioIs(spec.SGLInvalidSegment, rd, sgl(4, one(spec.SGL{Addr: free, Type: spec.SGLLastSegment})))},
		{"a segment of odd length is Invalid SGL Segment Descriptor", ioIs(spec.SGLInvalidSegment, rd, sgl(4, one(spec.SGL{Addr: free, Len: 24, Type: spec.SGLSegment})))},
		{"a segment within a last segment is Invalid SGL Segment Descriptor", ioIs(spec.SGLInvalidSegment, rd, sgl(4, func(r *rig) spec.SGL {
			return r.segment(spec.SGLLastSegment, free, data(free+4096, 512), spec.SGL{Addr: free + 512, Len: 16, Type: spec.SGLSegment})
		}))},
		{"a segment that does not lead on is Invalid SGL Segment Descriptor", ioIs(spec.SGLInvalidSegment, rd, sgl(4, func(r *rig) spec.SGL {
			return r.segment(spec.SGLSegment, free, data(free+4096, 512), data(free+8192, 512))
		}))},
		{"a segment descriptor that is not the last is Invalid Number of SGL Descriptors", ioIs(spec.SGLInvalidCount, rd, sgl(4, func(r *rig) spec.SGL {
			return r.segment(spec.SGLSegment, free, spec.SGL{Addr: free + 512, Len: 16, Type: spec.SGLSegment}, data(free+4096, 2048))
		}))},
		{"a circle of segments is Invalid Number of SGL Descriptors", ioIs(spec.SGLInvalidCount, rd, sgl(4, func(r *rig) spec.SGL {
			return r.segment(spec.SGLSegment, free, spec.SGL{Addr: free, Len: 16, Type: spec.SGLSegment})
		}))},
		{"a keyed data block is SGL Descriptor Type Invalid", ioIs(spec.SGLTypeInvalid, rd, sgl(4, one(spec.SGL{Addr: free, Len: 2048, Type: 4})))},
		{"a subtype other than an address is SGL Descriptor Type Invalid", ioIs(spec.SGLTypeInvalid, rd, sgl(4, one(spec.SGL{Addr: free, Len: 2048, Subtype: 1})))},
		{"a segment that is not memory is Data Transfer Error", ioIs(spec.DataTransferError, rd, sgl(4, one(spec.SGL{Addr: 1 << 40, Len: 32, Type: spec.SGLLastSegment})))},
		{"a bit bucket swallows what is read", func(r *rig) {
			r.write(0, 1, 1)
			r.write(1, 1, 2)
			e := r.rw(rd, 0, 2)
			e.SetSGL(r.segment(spec.SGLLastSegment, free, spec.SGL{Len: 512, Type: spec.SGLBitBucket}, data(free+4096, 512)))
			r.eq(okSt, r.do(e).status)
			r.yes(all(r.mem.at(free+4096, 512), 2))
		}},
		{"a bit bucket of a write is as if it were not there", func(r *rig) {
			fill(r.mem.at(free+4096, 512), 5)
			e := r.rw(wr, 0, 1)
			e.SetSGL(r.segment(spec.SGLLastSegment, free, spec.SGL{Len: 512, Type: spec.SGLBitBucket}, data(free+4096, 512)))
			r.eq(okSt, r.do(e).status)
			r.yes(all(r.read(0, 1), 5))
		}},
		{"data arrives in the order of the descriptors", func(r *rig) {
			r.write(0, 1, 1)
			r.write(1, 1, 2)
			e := r.rw(rd, 0, 2)
			e.SetSGL(r.segment(spec.SGLLastSegment, free, data(free+4096+7, 700), data(free+8192, 324)))
			r.eq(okSt, r.do(e).status)
			b := append(append([]byte{}, r.mem.at(free+4096+7, 700)...), r.mem.at(free+8192, 324)...)
			r.yes(all(b[:512], 1) && all(b[512:], 2))
		}},
	}},
}
