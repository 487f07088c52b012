package traces

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
