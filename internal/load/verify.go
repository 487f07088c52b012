package load

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"blksim/aio"
	"blksim/device/nvme/sparse"
	"blksim/internal/replay"
)

// headerSize is what begins each interval of verified data, little-endian:
//
//	 0  magic      4 bytes
//	 4  crc32c     4 bytes, of all that follows
//	 8  offset     8 bytes, on the device
//	16  job        8 bytes, a number that is the job's alone
//	24  generation 8 bytes, counting the job's writes
//
// The rest is made from offset, job and generation.
const headerSize = 32

const magic = 0x76696c62 // "bliv"

// verifier fills what a job writes and checks what it reads. It knows which
// generations an interval may have: not only that a checksum is right, also that
// the data is of this place and job, and not older than a write that had ended
// before the read began.
type verifier struct {
	interval int64
	from     int64
	job      uint64
	table    sparse.Table[block]
	blocks   int64
	crc      *crc32.Table
	next     uint64 // generation
	clock    uint64 // changes of floors
	readAt   int64  // of nextWritten
	fatal    func() // ends the job; nil: go on
	used     bool   // as Run.Used

	Checked int64
	Bad     int64
	First   []string // of the bad ones
}

// block is what is known of one interval.
type block struct {
	issued  uint64 // the last generation that was submitted
	stable  floor  // no older generation can come back
	before  floor  // what stable was
	first   uint64 // the first of the writes that are under way together
	pending uint32 // how many of those are
	done    bool   // one of those succeeded
}

// floor is a generation, and since when, in changes of any floor.
type floor struct{ generation, since uint64 }

// at is the floor that held at a time of the past; 0, which says nothing, if it
// changed more than once since then.
func (k *block) at(clock uint64) uint64 {
	switch {
	case k.stable.since <= clock:
		return k.stable.generation
	case k.before.since <= clock:
		return k.before.generation
	}
	return 0
}

func newVerifier(interval, from, size int64, job uint64) *verifier {
	n := size/interval + 1
	return &verifier{interval: interval, from: from, job: job, blocks: n, table: sparse.NewTable[block](n),
		crc: crc32.MakeTable(crc32.Castagnoli)}
}

var _ replay.Payload = (*verifier)(nil)

func (v *verifier) index(off int64) int64 { return (off - v.from) / v.interval }

// # What a read may find
//
// Writes of one interval that overlap in time may reach the device in either order,
// and a cancelled or failed one may have been carried out or not. So for each
// interval the verifier keeps a floor: writes that are under way together are an
// epoch, and when the last of an epoch has ended, and one of them succeeded, no
// generation older than the epoch's first can come back. A read checks against the
// floor of when it was submitted; newer data, up to what was issued, is right too.
// The approach that lost was to expect the last completed write: two overlapping
// writes that end in one order and land in the other are no error.

// Submit is as in replay.Payload. The note of a read is the time: what had been
// written by then must be there.
func (v *verifier) Submit(op aio.Op, off int64, b []byte) uint64 {
	if op != aio.OpWrite {
		return v.clock
	}
	v.next++
	for at := int64(0); at < int64(len(b)); at += v.interval {
		i := v.index(off + at)
		k := v.table.Get(i)
		if k == nil {
			k = &block{}
			v.table.Set(i, k)
		}
		if k.pending == 0 {
			k.first, k.done = v.next, false
		}
		k.pending++
		k.issued = v.next
		v.fill(b[at:min(at+v.interval, int64(len(b)))], off+at, v.next)
	}
	return v.clock
}

// End is as in replay.Payload.
func (v *verifier) End(op aio.Op, off int64, b []byte, n int64, note uint64, st aio.Status) {
	for at := int64(0); at < int64(len(b)); at += v.interval {
		end := min(at+v.interval, int64(len(b)))
		done := st == aio.OK && end <= n // and not left out by a cancel
		k := v.table.Get(v.index(off + at))
		switch {
		case op == aio.OpWrite:
			k.pending--
			k.done = k.done || done
			if k.pending == 0 && k.done {
				v.clock++
				k.before, k.stable = k.stable, floor{k.first, v.clock}
			}
		case op == aio.OpRead && done:
			v.check(b[at:end], off+at, k, note)
		}
	}
}

// fill makes one interval of a generation.
func (v *verifier) fill(b []byte, off int64, generation uint64) {
	le := binary.LittleEndian
	if len(b) < headerSize {
		clear(b) // the end of an I/O that is shorter than its job's others
		return
	}
	le.PutUint32(b, magic)
	le.PutUint64(b[8:], uint64(off))
	le.PutUint64(b[16:], v.job)
	le.PutUint64(b[24:], generation)
	x := mix(uint64(off)) ^ mix(v.job+generation)
	rest := b[headerSize:]
	for ; len(rest) >= 8; rest = rest[8:] {
		x += 0x9e3779b97f4a7c15
		le.PutUint64(rest, x^x>>29)
	}
	clear(rest)
	le.PutUint32(b[4:], crc32.Checksum(b[8:], v.crc))
}

// check looks at one interval that was read by a read of that time.
func (v *verifier) check(b []byte, off int64, k *block, clock uint64) {
	le := binary.LittleEndian
	issued, floor := uint64(0), uint64(0)
	if k != nil {
		issued, floor = k.issued, k.at(clock)
	}
	if v.used && floor == 0 {
		return // what was there before the run may be there still, and is anything
	}
	v.Checked++
	switch {
	case len(b) < headerSize:
	case floor == 0 && !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }): // never written
	case le.Uint32(b) != magic:
		v.bad("offset %d: no header, but bytes %x: want a header of generation %d to %d", off, b[:8], floor, issued)
	case le.Uint32(b[4:]) != crc32.Checksum(b[8:], v.crc):
		v.bad("offset %d: crc32c %08x: want %08x", off, le.Uint32(b[4:]), crc32.Checksum(b[8:], v.crc))
	case le.Uint64(b[8:]) != uint64(off):
		v.bad("offset %d: has the data of offset %d", off, le.Uint64(b[8:]))
	case le.Uint64(b[16:]) != v.job:
		v.bad("offset %d: has the data of another job", off)
	case le.Uint64(b[24:]) < floor || le.Uint64(b[24:]) > issued:
		v.bad("offset %d: has write %d of the job: want %d to %d", off, le.Uint64(b[24:]), floor, issued)
	}
}

// maxFirst is how many bad intervals are told of.
const maxFirst = 10

func (v *verifier) bad(format string, args ...any) {
	if v.Bad++; v.Bad <= maxFirst {
		v.First = append(v.First, fmt.Sprintf(format, args...))
	}
	if v.fatal != nil {
		v.fatal()
	}
}

// nextWritten is the next extent to read back, of so many bytes, 0 at the end.
func (v *verifier) nextWritten(length int64) (off, n int64) {
	for ; v.readAt < v.blocks; v.readAt++ {
		if k := v.table.Get(v.readAt); k != nil && k.stable.generation > 0 {
			off = v.from + v.readAt*v.interval
			for n < length && v.readAt < v.blocks {
				if k := v.table.Get(v.readAt); k == nil || k.stable.generation == 0 {
					break
				}
				n += v.interval
				v.readAt++
			}
			return off, n
		}
	}
	return 0, 0
}
