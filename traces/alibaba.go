package traces

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

// line is the fast way, see liner.
func (p *alibaba) line(b []byte, rec *Record) int {
	e := digitsEnd(b, 0)
	if e == 0 || e+3 >= len(b) || b[e] != ',' || b[e+2] != ',' {
		return 0
	}
	switch b[e+1] {
	case 'R':
		rec.Op = Read
	case 'W':
		rec.Op = Write
	default:
		return 0
	}
	at, i := number(b, e+3, ',')
	if i == 0 {
		return 0
	}
	size, i := number(b, i, ',')
	if i == 0 {
		return 0
	}
	ticks, i := lastNumber(b, i)
	if i == 0 || !extentOf(rec, at, size, 1, 1) || !p.s.vols.met(b[:e]) {
		return 0
	}
	rec.Volume = p.s.vols.last
	return p.s.clock.set(rec, ticks, i)
}
