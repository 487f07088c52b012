package traces

// MQSim, SSDsim and FlashSim ASCII: time device lsa sectors type.
//
// Time is in nanoseconds, lsa and sectors in sectors of 512 bytes. MQSim and
// SSDsim write 1 for a read and 0 for a write; other tools of the same shape have
// it the other way round, so the meaning taken is noted and Options.OpMap can say
// another.

const mqsimColumns = 5

type mqsim struct {
	s *scan
	f fields
}

func openMQSim(s *scan) parser {
	s.notes = append(s.notes, "the type column was read as "+s.ops.String())
	return &mqsim{s: s}
}

func (p *mqsim) parse(b []byte, rec *Record) verdict {
	p.f.words(b)
	if p.s.isHeader(&p.f, mqsimColumns, b) {
		return notRecord
	}
	if p.f.n != mqsimColumns {
		return p.s.bad("line", b, "5 columns: time device lsa sectors type")
	}
	c := &p.f.at
	if _, ok := parseInt(c[1]); !ok {
		return p.s.bad("device", c[1], wantDevice)
	}
	op, ok := p.s.ops.find(c[4])
	if !ok {
		return p.s.bad("type", c[4], "one of "+p.s.ops.String())
	}
	rec.Op = op
	unit := p.s.opts.BlockSize
	if v := p.s.extent(rec, c[2], c[3], unit, unit, zeroOf(op)); v == isBad {
		return v
	}
	if !p.s.ticks(rec, c[0], "a decimal number of nanoseconds") {
		return isBad
	}
	return p.s.volume(rec, c[1])
}

// zeroOf is what a size of 0 makes of a record with this op.
func zeroOf(op Op) verdict {
	if op == Flush {
		return isRecord
	}
	return isBad
}

// line is the fast way, see liner.
func (p *mqsim) line(b []byte, rec *Record) int {
	ticks, i := number(b, 0, ' ')
	if i == 0 {
		return 0
	}
	device := i
	_, i = number(b, i, ' ')
	if i == 0 {
		return 0
	}
	name := b[device : i-1]
	at, i := number(b, i, ' ')
	if i == 0 {
		return 0
	}
	size, i := number(b, i, ' ')
	if i == 0 || i >= len(b) {
		return 0
	}
	op, ok := p.s.ops.find(b[i : i+1])
	next := lineEnd(b, i+1)
	unit := p.s.opts.BlockSize
	if !ok || next == 0 || !extentOf(rec, at, size, unit, unit) || !p.s.vols.met(name) {
		return 0
	}
	rec.Op, rec.Volume = op, p.s.vols.last
	return p.s.clock.set(rec, ticks, next)
}
