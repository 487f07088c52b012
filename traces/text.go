package traces

import "strconv"

// blksim's own format, described in FORMAT.md: a first line "blksim trace 1", then
// TIME OP OFFSET LENGTH [vol=NAME] [cancel=DURATION].

const (
	textFirstLine = "blksim trace 1"
	textFamily    = "blksim trace "
	textShape     = "TIME OP OFFSET LENGTH [vol=NAME] [cancel=DURATION]"
)

type text struct {
	s    *scan
	f    fields
	name []byte // scratch for an unescaped volume name
	body bool   // the first line was read
}

func openText(s *scan) parser { return &text{s: s} }

func isText(head []byte) (string, bool) {
	line := firstLine(head)
	return "the first line is " + strconv.Quote(line), len(line) >= len(textFamily) && line[:len(textFamily)] == textFamily
}

func (p *text) parse(b []byte, rec *Record) verdict {
	if !p.body {
		p.body = true
		if string(trim(b)) != textFirstLine {
			return p.s.bad("first line", b, strconv.Quote(textFirstLine))
		}
		return notRecord
	}
	p.f.words(b)
	if p.f.n < 4 || p.f.n > 6 {
		return p.s.bad("line", b, textShape)
	}
	c := &p.f.at
	if !p.decimal("time", c[0], &rec.Time) {
		return isBad
	}
	op := -1
	if len(c[1]) == 1 {
		for i := range len(opLetters) {
			if c[1][0] == opLetters[i] {
				op = i
			}
		}
	}
	if op < 0 {
		return p.s.bad("op", c[1], "R, W, F, D or Z")
	}
	rec.Op = Op(op)
	if v := p.s.extent(rec, c[2], c[3], 1, 1, zeroOf(rec.Op)); v == isBad {
		return v
	}
	name, ok := p.options(c[4:p.f.n], rec)
	if !ok {
		return isBad
	}
	return p.s.volume(rec, name)
}

// options reads vol= and cancel=, each at most once.
func (p *text) options(words [][]byte, rec *Record) (name []byte, ok bool) {
	var haveVol, haveCancel bool
	for _, w := range words {
		switch {
		case len(w) > 4 && string(w[:4]) == "vol=" && !haveVol:
			haveVol = true
			if name, ok = p.unescape(w[4:]); !ok {
				p.s.bad("vol", w[4:], "a name, with %XX for blanks, control characters and %")
				return nil, false
			}
		case len(w) > 7 && string(w[:7]) == "cancel=" && !haveCancel:
			haveCancel = true
			if !p.decimal("cancel", w[7:], &rec.CancelAfter) {
				return nil, false
			}
		default:
			p.s.bad("option", w, "vol=NAME or cancel=DURATION, each at most once")
			return nil, false
		}
	}
	return name, true
}

// decimal reads seconds with up to 9 decimals. More would not survive a round
// trip, so they are an error here, other than in the formats of others.
func (p *text) decimal(field string, b []byte, v *int64) bool {
	t, ok := parseDecimal(b, 9)
	for i, c := range b {
		if c == '.' && len(b)-i-1 > 9 {
			ok = false
		}
	}
	if !ok {
		p.s.bad(field, b, "decimal seconds with at most 9 decimals")
		return false
	}
	*v = t
	return true
}

func (p *text) unescape(b []byte) ([]byte, bool) {
	out := p.name[:0]
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' {
			if i+3 > len(b) {
				return nil, false
			}
			v, ok := parseHex(b[i+1 : i+3])
			if !ok {
				return nil, false
			}
			c = byte(v)
			i += 2
		}
		out = append(out, c)
	}
	p.name = out
	return out, true
}
