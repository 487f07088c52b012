package traces

import "bytes"

// DiskSim's ascii format: time devno blkno bcount flags.
//
// Time is in decimal milliseconds, blkno and bcount in blocks of 512 bytes. flags
// is a hexadecimal word as in DiskSim's own source, and bit 0 is 1 for a read.

const disksimColumns = 5

type disksim struct {
	s   *scan
	f   fields
	ops [2]Op // by bit 0 of the flags
}

func openDiskSim(s *scan) parser {
	p := &disksim{s: s, ops: [2]Op{Write, Read}}
	for bit, value := range []string{"0", "1"} {
		if op, ok := s.ops.find([]byte(value)); ok {
			p.ops[bit] = op
		}
	}
	return p
}

func (p *disksim) parse(b []byte, rec *Record) verdict {
	p.f.words(b)
	if p.s.isHeader(&p.f, disksimColumns, b) {
		return notRecord
	}
	if p.f.n != disksimColumns {
		return p.s.bad("line", b, "5 columns: time devno blkno bcount flags")
	}
	c := &p.f.at
	if _, ok := parseInt(c[1]); !ok {
		return p.s.bad("devno", c[1], wantDevice)
	}
	flags, ok := parseHex(c[4])
	if !ok {
		return p.s.bad("flags", c[4], "a hexadecimal word whose bit 0 is 1 for a read")
	}
	rec.Op = p.ops[flags&1]
	unit := p.s.opts.BlockSize
	if v := p.s.extent(rec, c[2], c[3], unit, unit, zeroOf(rec.Op)); v == isBad {
		return v
	}
	if rec.Time, ok = parseDecimal(c[0], 6); !ok {
		return p.s.bad("time", c[0], "decimal milliseconds")
	}
	return p.s.volume(rec, c[1])
}

// isTypicalDiskSim: a decimal time. With whole milliseconds the lines may as well
// be mqsim's, and a factor of a million in time hangs on the answer.
func isTypicalDiskSim(line []byte) bool { return bytes.IndexByte(line, '.') >= 0 }

// line is the fast way, see liner.
func (p *disksim) line(b []byte, rec *Record) int {
	t, i := decimalAt(b, 0, 6)
	if i == 0 || i >= len(b) || !isBlank(b[i]) {
		return 0
	}
	sep := b[i]
	device := i + 1
	_, i = number(b, device, sep)
	if i == 0 {
		return 0
	}
	name := b[device : i-1]
	at, i := number(b, i, sep)
	if i == 0 {
		return 0
	}
	size, i := number(b, i, sep)
	if i == 0 || i >= len(b) || b[i]-'0' > 1 {
		return 0
	}
	next := lineEnd(b, i+1)
	unit := p.s.opts.BlockSize
	if next == 0 || !extentOf(rec, at, size, unit, unit) || !p.s.vols.met(name) {
		return 0
	}
	rec.Time, rec.Op, rec.Volume = t, p.ops[b[i]-'0'], p.s.vols.last
	return next
}
