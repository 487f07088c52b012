package traces

import (
	"encoding/binary"
	"fmt"
	"math"
)

// CloudPhysics vscsi, little endian records of a virtual SCSI disk:
//
//	version 1, 32 bytes: sn u32, len u32, nSG u32, cmd u16, ver u16, lbn u64, ts u64
//	version 2, 40 bytes: cmd u16, ver u16, sn u32, len u32, nSG u32, lbn u64, ts u64, rt u64
//
// The version is the high byte of ver. len is in bytes, lbn in sectors of 512
// bytes, ts in microseconds, and so is rt, the time to the response; cmd is a SCSI opcode. There is one volume.

const (
	vscsi1Size = 32
	vscsi2Size = 40
	maxRT      = math.MaxInt64 / 1000 // us; beyond it: no response time
)

// vscsiRecord is what both versions have in common.
type vscsiRecord struct {
	cmd, ver uint16
	len      uint32
	lbn, ts  uint64
	rt       uint64 // us; version 2
}

func decodeVscsi1(b []byte) vscsiRecord {
	le := binary.LittleEndian
	_ = b[vscsi1Size-1]
	return vscsiRecord{cmd: le.Uint16(b[12:]), ver: le.Uint16(b[14:]), len: le.Uint32(b[4:]),
		lbn: le.Uint64(b[16:]), ts: le.Uint64(b[24:])}
}

func decodeVscsi2(b []byte) vscsiRecord {
	le := binary.LittleEndian
	_ = b[vscsi2Size-1]
	return vscsiRecord{cmd: le.Uint16(b[0:]), ver: le.Uint16(b[2:]), len: le.Uint32(b[8:]),
		lbn: le.Uint64(b[16:]), ts: le.Uint64(b[24:]), rt: le.Uint64(b[32:])}
}

type vscsi struct {
	s       *scan
	scsi    scsi
	version uint16
	decode  func([]byte) vscsiRecord
}

func openVscsi1(s *scan) parser {
	return &vscsi{s: s, scsi: newSCSI(s), version: 1, decode: decodeVscsi1}
}
func openVscsi2(s *scan) parser {
	return &vscsi{s: s, scsi: newSCSI(s), version: 2, decode: decodeVscsi2}
}

func (p *vscsi) parse(b []byte, rec *Record) verdict {
	v := p.decode(b)
	if v.ver>>8 != p.version {
		return p.s.badNumber("ver", fmt.Sprintf("0x%04x", v.ver), fmt.Sprintf("%d in the high byte", p.version))
	}
	if v.cmd > 0xff {
		return p.s.badNumber("cmd", fmt.Sprintf("0x%04x", v.cmd), "a SCSI opcode")
	}
	unit := uint64(p.s.opts.BlockSize)
	if v.lbn > (math.MaxInt64-uint64(v.len))/unit {
		return p.s.badNumber("lbn", fmt.Sprint(v.lbn), wantInRange)
	}
	if v.ts > math.MaxInt64 {
		return p.s.badNumber("ts", fmt.Sprint(v.ts), wantNoSpan)
	}
	if w := p.scsi.op(rec, uint8(v.cmd)); w != isRecord {
		return w
	}
	if v.len == 0 && rec.Op != Flush {
		return p.s.badNumber("len", "0", "a number of bytes > 0")
	}
	t, ok := p.s.clock.at(int64(v.ts))
	if !ok {
		return p.s.badNumber("ts", fmt.Sprint(v.ts), wantNoSpan)
	}
	rec.Time, rec.Offset, rec.Length = t, int64(v.lbn*unit), int64(v.len)
	if v.rt <= maxRT {
		rec.Completed = int64(v.rt) * 1000
	}
	return p.s.volume(rec, nil)
}

func isVscsi1(head []byte) (string, bool) {
	return isVscsi(head, vscsi1Size, 1, decodeVscsi1)
}

func isVscsi2(head []byte) (string, bool) {
	return isVscsi(head, vscsi2Size, 2, decodeVscsi2)
}

// isVscsi looks at the first records. There is no magic, so three of four must
// have the version, an opcode, a size up to 64 MiB, a disk below 1 EiB, and a
// time within a year of the first of them.
func isVscsi(head []byte, size int, version uint16, decode func([]byte) vscsiRecord) (string, bool) {
	const year = 366 * 24 * 3600 * 1000 * 1000 // us
	seen, good := 0, 0
	var first uint64
	for len(head) >= size && seen < sampleRecords {
		v := decode(head)
		head = head[size:]
		seen++
		if v.ver>>8 != version || v.cmd > 0xff || v.len > 64<<20 || v.lbn > 1<<51 {
			continue
		}
		if good == 0 {
			first = v.ts
		}
		if v.ts-first < year || first-v.ts < year {
			good++
		}
	}
	return fmt.Sprintf("records of %d bytes with the version %d, a SCSI opcode, a size and a time at their places (%d of %d fit)",
		size, version, good, seen), good > 0 && good*4 >= seen*3
}
