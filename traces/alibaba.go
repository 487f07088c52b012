package traces

import "math"

// Alibaba block traces (2020): device_id,opcode,offset,length,timestamp.
//
// Timestamp is in microseconds, offset and length in bytes, opcode is R or W. One
// file holds a thousand devices; each device's records are in order, and the file
// by time all in all. The device is the volume.

const alibabaColumns = 5

type alibaba struct {
	s *scan
	f fields
}

func openAlibaba(s *scan) parser { return &alibaba{s: s} }

func (p *alibaba) parse(b []byte, rec *Record) verdict {
	if p.fast(b, rec) {
		return isRecord
	}
	p.f.split(b, ',')
	if p.s.isHeader(&p.f, alibabaColumns, b) {
		return notRecord
	}
	if p.f.n != alibabaColumns {
		return p.s.bad("line", b, "5 columns: device_id,opcode,offset,length,timestamp")
	}
	c := &p.f.at
	if _, ok := parseInt(c[0]); !ok {
		return p.s.bad("device_id", c[0], wantDevice)
	}
	var ok bool
	if rec.Op, ok = opOfLetter(c[1]); !ok {
		return p.s.bad("opcode", c[1], "R or W")
	}
	if v := p.s.extent(rec, c[2], c[3], 1, 1, isBad); v != isRecord {
		return v
	}
	if !p.s.ticks(rec, c[4], "a decimal number of microseconds") {
		return isBad
	}
	return p.s.volume(rec, c[0])
}

// fast reads what the published file holds; whatever it takes, the slow way reads
// alike.
func (p *alibaba) fast(b []byte, rec *Record) bool {
	i := digitsEnd(b, 0)
	if i == 0 || i+2 >= len(b) || b[i] != ',' || b[i+2] != ',' || len(p.s.vols.names) == 0 {
		return false
	}
	if last := p.s.vols.names[p.s.vols.last]; string(b[:i]) != last && !p.s.vols.known(b[:i]) {
		return false
	}
	switch b[i+1] {
	case 'R':
		rec.Op = Read
	case 'W':
		rec.Op = Write
	default:
		return false
	}
	offset, e := uintAt(b, i+3)
	if e == i+3 || e == len(b) || b[e] != ',' {
		return false
	}
	size, e2 := uintAt(b, e+1)
	if e2 == e+1 || e2 == len(b) || b[e2] != ',' {
		return false
	}
	ticks, e3 := uintAt(b, e2+1)
	if e3 == e2+1 || e3 != len(b) || ticks > math.MaxInt64 || offset > math.MaxInt64 || size == 0 || size > math.MaxInt64-offset {
		return false
	}
	rec.Offset, rec.Length, rec.Volume = int64(offset), int64(size), p.s.vols.last
	t, ok := p.s.clock.at(int64(ticks))
	rec.Time = t
	return ok
}

// opOfLetter reads R or W, in either case.
func opOfLetter(b []byte) (Op, bool) {
	if len(b) == 1 {
		switch b[0] | 0x20 {
		case 'r':
			return Read, true
		case 'w':
			return Write, true
		}
	}
	return 0, false
}
