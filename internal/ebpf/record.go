package ebpf

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"

	"blksim/traces"
)

// recordBytes is the size of struct record of bpf/state.h.
const recordBytes = 96

// decoder reads the programs' records. The bits of flags are the running kernel's.
type decoder struct {
	fua, preflush, sync, meta, readahead uint32
}

// defaultDecoder has the bits of Linux 4.20 to 6.x; kernelTypes reads the real ones.
func defaultDecoder() decoder {
	return decoder{sync: 1 << 11, meta: 1 << 12, fua: 1 << 17, preflush: 1 << 18, readahead: 1 << 19}
}

// decode reads a record. What cannot come from the programs is an error.
func (d *decoder) decode(b []byte, e *Event) error {
	if len(b) != recordBytes {
		return fmt.Errorf("ebpf: a record of %d bytes: want %d", len(b), recordBytes)
	}
	// Field by field, and over an array: this is all that a reader does for an I/O.
	r, le := (*[recordBytes]byte)(b), binary.LittleEndian
	e.Queue = int64(le.Uint64(r[0:8]))
	e.Insert = int64(le.Uint64(r[8:16]))
	e.Issue = int64(le.Uint64(r[16:24]))
	e.Complete = int64(le.Uint64(r[24:32]))
	e.Sector = int64(le.Uint64(r[32:40]))
	e.App = le.Uint64(r[40:48])
	e.Bytes = int64(le.Uint32(r[48:52]))
	e.Dev = Dev(le.Uint32(r[56:60]))
	e.PID = le.Uint32(r[60:64])
	e.TID = le.Uint32(r[64:68])
	e.Kind, e.AppKind = Kind(r[72]), AppKind(r[73])
	e.Bios = le.Uint16(r[74:76])
	e.Requeues = le.Uint16(r[76:78])
	e.Comm = [16]byte(r[80:96])
	e.Flags = 0
	if e.Kind != Bio && e.Kind != Request || e.AppKind > IOUring {
		return fmt.Errorf("ebpf: a record of kind %d with an id of kind %d", b[72], b[73])
	}
	if e.Queue|e.Insert|e.Issue|e.Complete|e.Sector < 0 {
		return fmt.Errorf("ebpf: a record with a time or sector beyond 2^63")
	}
	e.Status = errnoOf(int32(le.Uint32(r[68:72])))
	d.op(le.Uint32(r[52:56]), e)
	return nil
}

// op reads bi_opf.
func (d *decoder) op(opf uint32, e *Event) {
	switch opf & 0xff {
	case 0:
		e.Op = traces.Read
	case 1:
		e.Op = traces.Write
	case 2:
		e.Op = traces.Flush
	case 3, 5: // REQ_OP_DISCARD, REQ_OP_SECURE_ERASE
		e.Op = traces.Discard
	case 9:
		e.Op = traces.WriteZeroes
	default:
		e.Op = OtherOp
	}
	if opf&d.fua != 0 {
		e.Flags |= traces.FUA
	}
	if opf&d.preflush != 0 {
		e.Flags |= traces.Preflush
	}
	if opf&d.sync != 0 {
		e.Flags |= traces.Sync
	}
	if opf&d.meta != 0 {
		e.Flags |= traces.Meta
	}
	if opf&d.readahead != 0 {
		e.Flags |= traces.Readahead
	}
}

// statuses are Linux's errnos of blk_status_t, after blk_errors in block/blk-core.c.
var statuses = [...]syscall.Errno{
	1:  95,  // BLK_STS_NOTSUPP: EOPNOTSUPP
	2:  110, // BLK_STS_TIMEOUT: ETIMEDOUT
	3:  28,  // BLK_STS_NOSPC: ENOSPC
	4:  67,  // BLK_STS_TRANSPORT: ENOLINK
	5:  121, // BLK_STS_TARGET: EREMOTEIO
	6:  52,  // BLK_STS_RESV_CONFLICT: EBADE
	7:  61,  // BLK_STS_MEDIUM: ENODATA
	8:  84,  // BLK_STS_PROTECTION: EILSEQ
	9:  12,  // BLK_STS_RESOURCE: ENOMEM
	10: eio, // BLK_STS_IOERR
	11: 78,  // BLK_STS_DM_REQUEUE: EREMCHG
	12: 11,  // BLK_STS_AGAIN: EAGAIN
	13: 16,  // BLK_STS_DEV_RESOURCE: EBUSY
	14: 109, // BLK_STS_ZONE_OPEN_RESOURCE: ETOOMANYREFS
	15: 75,  // BLK_STS_ZONE_ACTIVE_RESOURCE: EOVERFLOW
	16: 19,  // BLK_STS_OFFLINE: ENODEV
	17: 62,  // BLK_STS_DURATION_LIMIT: ETIME
	19: 22,  // BLK_STS_INVAL: EINVAL
}

const eio syscall.Errno = 5

// errnoOf reads a status: blk_status_t, or a negative errno where a tracepoint has one.
func errnoOf(status int32) syscall.Errno {
	switch {
	case status == 0:
		return 0
	case status < 0:
		return syscall.Errno(-int64(status))
	case int(status) < len(statuses) && statuses[status] != 0:
		return statuses[status]
	}
	return eio
}

// The header of each record in a BPF ring buffer: its length with two flags, and the
// number of its page (kernel/bpf/ringbuf.c).
const (
	ringHeader    = 8
	ringBusy      = 1 << 31
	ringDiscarded = 1 << 30
)

// ringNext is the record at position at of a ring whose data is mapped twice in a row,
// so that a record never wraps. ok is false if there is none yet; data is nil for one
// that the program gave up.
func ringNext(ring []byte, at, end uint64) (data []byte, next uint64, ok bool, err error) {
	if at >= end {
		return nil, at, false, nil
	}
	mask := uint64(len(ring)/2 - 1)
	from := at & mask
	length := atomic.LoadUint32((*uint32)(unsafe.Pointer(&ring[from])))
	if length&ringBusy != 0 {
		return nil, at, false, nil
	}
	n := uint64(length &^ (ringBusy | ringDiscarded))
	next = at + (ringHeader+n+7)&^7
	if next > end || n > mask {
		return nil, at, false, fmt.Errorf("ebpf: a record of %d bytes at %d in a ring that ends at %d", n, at, end)
	}
	if length&ringDiscarded == 0 {
		data = ring[from+ringHeader : from+ringHeader+n]
	}
	return data, next, true, nil
}
