package replay

import (
	"fmt"

	"blksim/aio"
	"blksim/traces"
)

// The reasons for which a disk cannot take a record.
const (
	reasonBeyond      = "beyond the end of the device"
	reasonBefore      = "moved to before the begin of the device"
	reasonReadOnly    = "the device is for reading only"
	reasonUnsupported = "operation not supported by the device"
	reasonTooLong     = "longer than the largest transfer"
)

// longestIO bounds the memory of a transfer: what passes the device's own bound is
// split.
const longestIO = 256 << 20

// farthest is beyond the end of every disk, and sums of it and of what is added to
// offsets stay numbers.
const farthest = 1 << 61

// fit makes a record fit the disk's blocks, and says why it cannot.
func (p *pump) fit(it *item) string {
	lim := p.e.disk.Limits()
	if it.op == aio.OpFlush {
		it.off, it.length = 0, 0
	} else {
		if it.off > farthest || it.length > farthest {
			return reasonBeyond
		}
		to := &p.e.cfg.Redirect
		if to.Kind == RedirectScale || to.Kind == RedirectOffset {
			it.off = to.first(it.off, lim.Capacity)
			p.moved++
			if it.off < 0 {
				return reasonBefore
			}
		}
		block := int64(lim.BlockSize)
		if head, tail := it.off%block, (it.off+it.length)%block; head != 0 || tail != 0 {
			it.off -= head
			it.length += head
			if tail != 0 {
				it.length += block - tail
			}
			p.expanded++
		}
		if at := to.last(it.off, it.length, lim.Capacity); at != it.off {
			it.off = at
			p.wrapped++
		}
	}
	if it.op.HasData() && it.length > longestIO {
		return reasonTooLong
	}
	switch p.e.disk.Check(it.op, it.off, it.length) {
	case aio.OK:
		return ""
	case aio.OutOfRange:
		return reasonBeyond
	case aio.NotSupported:
		if p.e.cfg.ReadOnly && it.op != aio.OpRead {
			return reasonReadOnly
		}
		return reasonUnsupported
	}
	return reasonTooLong
}

// A RecordError is a record that the device cannot take.
type RecordError struct {
	Name     string
	Line     int64
	Op       aio.Op
	Off, Len int64 // bytes, as in the trace
	Reason   string
	Capacity int64 // of the device, bytes
	Longest  int64 // transfer, bytes
}

// Beyond says whether a larger device would take the record.
func (e *RecordError) Beyond() bool { return e.Reason == reasonBeyond }

func (e *RecordError) Error() string {
	s := fmt.Sprintf("%s:%d: %s of %d bytes at %d: %s", e.Name, e.Line, e.Op, e.Len, e.Off, e.Reason)
	switch e.Reason {
	case reasonBeyond:
		s += fmt.Sprintf(" (%d bytes)", e.Capacity)
	case reasonTooLong:
		s += fmt.Sprintf(" (%d bytes)", e.Longest)
	}
	return s
}

// OpOf is the operation that a record asks for.
func OpOf(op traces.Op) aio.Op {
	switch op {
	case traces.Read:
		return aio.OpRead
	case traces.Write:
		return aio.OpWrite
	case traces.Flush:
		return aio.OpFlush
	case traces.Discard:
		return aio.OpDiscard
	}
	return aio.OpWriteZeroes
}
