package traces

import "math"

// blkreplay's .load: start ; sector ; length ; op ; delay ; duration.
//
// Start is in decimal seconds, sector and length in sectors of 512 bytes; op is R
// or W, or rwbs as blkparse writes it. Delay and duration are results of an
// earlier replay and are not used. A free text (with a licence, in the published
// files) stands before the records: it ends at the line of column names that
// begins with "start", or at the first line that is a record. There is one volume.

const blkreplayColumns = 6

type blkreplay struct {
	s    *scan
	f    fields
	body bool // the header is over
}

func openBlkreplay(s *scan) parser { return &blkreplay{s: s} }

func (p *blkreplay) parse(b []byte, rec *Record) verdict {
	p.f.split(b, ';')
	if p.f.n > 1 && equalFold(p.f.at[0], "start") {
		p.body = true
		return notRecord
	}
	v := p.record(b, rec)
	if !p.body && v == isBad {
		return notRecord
	}
	p.body = true
	return v
}

func (p *blkreplay) record(b []byte, rec *Record) verdict {
	if p.f.n < blkreplayColumns {
		return p.s.bad("line", b, "6 columns: start ; sector ; length ; op ; delay ; duration")
	}
	c := &p.f.at
	r, ok := parseRWBS(c[3])
	if !ok || r.none || r.op == Flush {
		return p.s.bad("op", c[3], "R or W, or an rwbs that begins with R, W or D")
	}
	rec.Op, rec.Flags = r.op, r.flags
	unit := p.s.opts.BlockSize
	v := p.s.extent(rec, c[1], c[2], unit, unit, isBad)
	if v == isBad || !p.s.seconds(rec, c[0]) {
		return isBad
	}
	if !isNumber(c[4]) {
		return p.s.bad("delay", c[4], wantSeconds)
	}
	if !isNumber(c[5]) {
		return p.s.bad("duration", c[5], wantSeconds)
	}
	if r.rides() {
		p.s.flags++
	}
	return p.s.volume(rec, nil)
}

// line is the fast way, see liner.
func (p *blkreplay) line(b []byte, rec *Record) int {
	if !p.body || !p.s.vols.met(nil) {
		return 0
	}
	t, i := decimalAt(b, skipBlanks(b, 0), 9)
	if i == 0 {
		return 0
	}
	at, i := p.column(b, i)
	if i == 0 {
		return 0
	}
	size, i := p.column(b, i)
	if i == 0 {
		return 0
	}
	if i = skipBlanks(b, i); i+3 >= len(b) || b[i] != ';' || b[i+1] != ' ' || b[i+3] != ' ' {
		return 0
	}
	switch b[i+2] { // alone: flags are for parse
	case 'R':
		rec.Op = Read
	case 'W':
		rec.Op = Write
	default:
		return 0
	}
	for i, k := i+3, 0; ; k++ { // delay and duration, which are not used
		if i = skipBlanks(b, i); k == 2 {
			unit := p.s.opts.BlockSize
			next := lineEnd(b, i)
			if next == 0 || !extentOf(rec, at, size, unit, unit) {
				return 0
			}
			rec.Time, rec.Volume = t, p.s.vols.last
			return next
		}
		if i >= len(b) || b[i] != ';' {
			return 0
		}
		if _, i = decimalAt(b, skipBlanks(b, i+1), 9); i == 0 {
			return 0
		}
	}
}

// column reads "; number" behind blanks, and returns the index behind it; 0: it is not
// there.
func (p *blkreplay) column(b []byte, i int) (v int64, next int) {
	if i = skipBlanks(b, i); i >= len(b) || b[i] != ';' {
		return 0, 0
	}
	i = skipBlanks(b, i+1)
	u, e := uintAt(b, i)
	if e == i || u > math.MaxInt64 {
		return 0, 0
	}
	return int64(u), e
}
