package traces

// Tencent CBS traces (2018-2020): Timestamp,Offset,Size,IOType,VolumeID.
//
// Timestamp is in whole seconds: very many records share each of them, and come at
// once unless Options.SpreadSeconds is asked for. Offset and size are in sectors of
// 512 bytes; IOType is 0 for a read and 1 for a write, unless Options.OpMap says
// another. The volumes of one file are mixed.

const tencentColumns = 5

type tencent struct {
	s   *scan
	f   fields
	ops opMap
}

func openTencent(s *scan) parser {
	p := &tencent{s: s, ops: opMap{{"0", Read}, {"1", Write}}}
	if s.opts.OpMap != "" {
		p.ops = s.ops
	}
	return p
}

func (p *tencent) parse(b []byte, rec *Record) verdict {
	p.f.split(b, ',')
	if p.s.isHeader(&p.f, tencentColumns, b) {
		return notRecord
	}
	if p.f.n != tencentColumns {
		return p.s.bad("line", b, "5 columns: Timestamp,Offset,Size,IOType,VolumeID")
	}
	c := &p.f.at
	op, ok := p.ops.find(c[3])
	if !ok {
		return p.s.bad("IOType", c[3], "one of "+p.ops.String())
	}
	rec.Op = op
	if _, ok := parseInt(c[4]); !ok {
		return p.s.bad("VolumeID", c[4], wantDevice)
	}
	unit := p.s.opts.BlockSize
	if v := p.s.extent(rec, c[1], c[2], unit, unit, zeroOf(op)); v == isBad {
		return v
	}
	if !p.s.ticks(rec, c[0], "a decimal number of seconds") {
		return isBad
	}
	return p.s.volume(rec, c[4])
}

// line is the fast way, see liner.
func (p *tencent) line(b []byte, rec *Record) int {
	ticks, i := number(b, 0, ',')
	if i == 0 {
		return 0
	}
	at, i := number(b, i, ',')
	if i == 0 {
		return 0
	}
	size, i := number(b, i, ',')
	if i == 0 || i+2 >= len(b) || b[i+1] != ',' {
		return 0
	}
	op, ok := p.ops.find(b[i : i+1])
	if !ok {
		return 0
	}
	rec.Op = op
	e := digitsEnd(b, i+2)
	next := lineEnd(b, e)
	unit := p.s.opts.BlockSize
	if e == i+2 || next == 0 || e-i > 20 || !extentOf(rec, at, size, unit, unit) || !p.s.vols.met(b[i+2:e]) {
		return 0
	}
	rec.Volume = p.s.vols.last
	return p.s.clock.set(rec, ticks, next)
}
