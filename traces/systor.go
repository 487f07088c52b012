package traces

// SYSTOR '17 LUN traces (Lee et al.): Timestamp,Response,IOType,LUN,Offset,Size.
//
// Timestamp and response are in decimal seconds, offset and size in bytes, IOType is
// R or W. Some rows have no IOType, or no response; those without an IOType are
// skipped with their reason, and so are types that are neither. The LUN is the
// volume.

const systorColumns = 6

type systor struct {
	s      *scan
	f      fields
	noType int
	other  int
}

func openSystor(s *scan) parser {
	return &systor{s: s, noType: s.skips.slot("no IOType"), other: s.skips.slot("IOType other than R or W")}
}

func (p *systor) parse(b []byte, rec *Record) verdict {
	p.f.split(b, ',')
	if p.s.isHeader(&p.f, systorColumns, b) {
		return notRecord
	}
	if p.f.n != systorColumns {
		return p.s.bad("line", b, "6 columns: Timestamp,Response,IOType,LUN,Offset,Size")
	}
	c := &p.f.at
	if !p.s.seconds(rec, c[0]) {
		return isBad
	}
	if len(c[1]) > 0 {
		response, ok := parseDecimal(c[1], 9)
		if !ok && !isNumber(c[1]) {
			return p.s.bad("response", c[1], "decimal seconds, or nothing")
		}
		rec.Completed = response
	}
	var ok bool
	switch rec.Op, ok = opOfLetter(c[2]); {
	case ok:
	case len(c[2]) == 0:
		p.s.begun = true
		return p.s.skip(p.noType)
	case isWord(c[2]):
		p.s.begun = true
		return p.s.skip(p.other)
	default:
		return p.s.bad("IOType", c[2], "R or W")
	}
	if v := p.s.extent(rec, c[4], c[5], 1, 1, isBad); v != isRecord {
		return v
	}
	return p.s.volume(rec, c[3])
}

// isWord says whether b is one to three letters.
func isWord(b []byte) bool {
	for _, c := range b {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 3
}
