package traces

import (
	"encoding/binary"
	"fmt"
	"math"
)

// btrecord's replay file (btreplay of the blktrace tools), one for each CPU, in the
// byte order of the machine that recorded; here little endian:
//
//	header: version u64 (0x10000), genesis u64, bunches u64, packets u64
//	bunch:  packets u64 (at most 512), time u64 (ns from genesis); then that many
//	packet: sector u64, bytes u64, rw u32 (1: read), 4 bytes of padding
//
// The I/Os of a bunch have its time: those within 10 ms, or 8 of them, unless
// btrecord was told another. There is one volume. The counts of the header are those
// that btrecord had in mind: a real file holds 652 bunches of one packet each, where
// its header counts 586 with 653 packets. So they decide nothing, and a difference
// is noted.

const (
	btrecordVersion = 0x10000
	btrecordHeader  = 32
	btrecordBunch   = 16
	btrecordPacket  = 24
	maxBunch        = 512
)

// isBtrecord also looks at the first bunch: the version is a weak magic number.
func isBtrecord(head []byte) (string, bool) {
	if len(head) < btrecordHeader+btrecordBunch {
		return "", false
	}
	u := binary.LittleEndian.Uint64
	bunches, packets, first := u(head[16:]), u(head[24:]), u(head[32:])
	return fmt.Sprintf("a header of version 1.0 with %d bunches and %d packets", bunches, packets),
		u(head) == btrecordVersion && bunches > 0 && packets >= bunches && first > 0 && first <= maxBunch && first <= packets
}

// cutBtrecord cuts the header, or a bunch. The two are told apart by the version,
// which is no count of packets.
func cutBtrecord(b []byte, all bool) int {
	if len(b) < 8 {
		return 8
	}
	switch n := binary.LittleEndian.Uint64(b); {
	case n == btrecordVersion:
		return btrecordHeader
	case n == 0 || n > maxBunch:
		return min(8, len(b)) // damaged, and nothing to find the next one by
	default:
		return btrecordBunch + int(n)*btrecordPacket
	}
}

type btrecord struct {
	s       *scan
	bunches int64 // read
	packets int64
	counted [2]uint64 // of both, by the header
	damaged bool      // the rest cannot be told apart
	recs    []Record
	pos     int
}

func openBtrecord(s *scan) parser { return &btrecord{s: s} }

func (p *btrecord) parse(b []byte, rec *Record) verdict {
	u := binary.LittleEndian.Uint64
	switch {
	case p.damaged:
		return notRecord
	case len(b) == btrecordHeader && u(b) == btrecordVersion && !p.s.begun:
		p.s.begun = true
		p.counted = [2]uint64{u(b[16:]), u(b[24:])}
		return notRecord
	case len(b) < btrecordBunch || u(b) == btrecordVersion:
		p.damaged = true
		return p.s.badNumber("packets", fmt.Sprint(u(b)), fmt.Sprintf("1 to %d; what follows cannot be told apart", maxBunch))
	}
	n, at := u(b), u(b[8:])
	p.recs, p.pos = p.recs[:0], 0
	p.bunches++
	p.packets += int64(n)
	bad := func(field string, value uint64, want string) verdict {
		p.recs = p.recs[:0]
		p.s.lost = int64(n) - 1
		return p.s.badNumber(field, fmt.Sprint(value), want)
	}
	if at > math.MaxInt64 {
		return bad("time", at, wantNoSpan)
	}
	var ok bool
	if rec.Time, ok = p.s.clock.at(int64(at)); !ok {
		return bad("time", at, wantNoSpan)
	}
	if v := p.s.volume(rec, nil); v != isRecord {
		return v
	}
	for i := range int(n) {
		d := b[btrecordBunch+i*btrecordPacket:]
		sector, size, rw := u(d), u(d[8:]), binary.LittleEndian.Uint32(d[16:])
		unit := uint64(p.s.opts.BlockSize)
		switch {
		case sector > math.MaxInt64/unit || size > math.MaxInt64-sector*unit:
			return bad("sector", sector, wantInRange)
		case size == 0:
			return bad("bytes", size, wantBytesPos)
		case rw > 1:
			return bad("rw", uint64(rw), "0 or 1")
		}
		rec.Offset, rec.Length, rec.Op = int64(sector*unit), int64(size), Write
		if rw == 1 {
			rec.Op = Read
		}
		rec.Line = p.s.line + int64(btrecordBunch+i*btrecordPacket)
		p.recs = append(p.recs, *rec)
	}
	p.s.held = int64(n)
	return isHeld
}

func (p *btrecord) take(recs []Record, all bool) int {
	n := copy(recs, p.recs[p.pos:])
	p.pos += n
	if got := [2]uint64{uint64(p.bunches), uint64(p.packets)}; n == 0 && all && got != p.counted && !p.damaged {
		p.s.notes = append(p.s.notes, fmt.Sprintf("the header counts %d packets in %d bunches, and %d in %d were found",
			p.counted[1], p.counted[0], p.packets, p.bunches))
		p.counted = got
	}
	return n
}
