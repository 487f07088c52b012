package traces

// SPC ASCII, as in the UMass repository: ASU,LBA,Size,Opcode,Timestamp[,...].
//
// LBA counts blocks (512 bytes unless Options.BlockSize says otherwise), Size is
// in bytes and need not be a multiple of the block, Timestamp is decimal seconds.
// The specification allows blanks in columns and further columns. It allows a size
// of 0 too, and leaves its effect to the device: here it is bad, as everywhere.

const spcColumns = 5

type spc struct {
	s *scan
	f fields
}

func openSPC(s *scan) parser { return &spc{s: s} }

func (p *spc) parse(b []byte, rec *Record) verdict {
	p.f.split(b, ',')
	if p.s.isHeader(&p.f, spcColumns, b) {
		return notRecord
	}
	if p.f.n < spcColumns {
		return p.s.bad("line", b, "5 or more columns: ASU,LBA,Size,Opcode,Timestamp")
	}
	c := &p.f.at
	if _, ok := parseInt(c[0]); !ok {
		return p.s.bad("ASU", c[0], "a decimal number")
	}
	switch {
	case equalFold(c[3], "r"):
		rec.Op = Read
	case equalFold(c[3], "w"):
		rec.Op = Write
	default:
		return p.s.bad("opcode", c[3], "R or W")
	}
	v := p.s.extent(rec, c[1], c[2], p.s.opts.BlockSize, 1, isBad)
	if v == isBad || !p.s.seconds(rec, c[4]) {
		return isBad
	}
	return p.s.volume(rec, c[0])
}

// line is the fast way, see liner.
func (p *spc) line(b []byte, rec *Record) int {
	e := digitsEnd(b, 0)
	if e == 0 || e > 18 || e >= len(b) || b[e] != ',' {
		return 0
	}
	at, i := number(b, e+1, ',')
	if i == 0 {
		return 0
	}
	size, i := number(b, i, ',')
	if i == 0 || i+2 >= len(b) || b[i+1] != ',' {
		return 0
	}
	var ok bool
	if rec.Op, ok = opOfLetter(b[i : i+1]); !ok {
		return 0
	}
	t, i := decimalAt(b, i+2, 9)
	if i == 0 {
		return 0
	}
	next := lineEnd(b, i)
	if next == 0 || !extentOf(rec, at, size, p.s.opts.BlockSize, 1) || !p.s.vols.met(b[:e]) {
		return 0
	}
	rec.Time, rec.Volume = t, p.s.vols.last
	return next
}
