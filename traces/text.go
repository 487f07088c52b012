package traces

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
)

// blksim's own format, described in FORMAT.md: a first line "blksim trace 1", then
// TIME OP OFFSET LENGTH and options, NAME=VALUE.

const (
	textFirstLine = "blksim trace 1"
	textFamily    = "blksim trace "
	textShape     = "TIME OP OFFSET LENGTH [NAME=VALUE ...]"
	flagLetters   = "FPSMA" // by bit
)

type text struct {
	s    *scan
	f    fields
	name []byte // scratch for an unescaped volume name
	body bool   // the first line was read

	tail       []byte // of the last line with a volume and nothing else: " vol=NAME"
	tailVolume uint32
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
	if p.f.n < 4 || p.f.n > maxFields {
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
	if p.f.n == 4 {
		return p.s.volume(rec, nil)
	}
	v := p.options(c[4:p.f.n], rec)
	if i := bytes.LastIndex(b, []byte(" vol=")); v == isRecord && p.f.n == 5 && i >= 0 {
		p.tail, p.tailVolume = append(p.tail[:0], b[i:]...), rec.Volume
	}
	return v
}

// textOptions are the names of the options, each at most once in a line.
var textOptions = [...]string{"vol", "cancel", "issued", "completed", "pid", "comm", "app", "status", "flags"}

// options reads what stands behind the length. The volume comes last, so that no bad
// line makes one.
func (p *text) options(words [][]byte, rec *Record) verdict {
	var name, comm []byte
	var pid, status int64
	seen, buf := 0, p.name[:0]
	for _, w := range words {
		key, value, _ := bytes.Cut(w, []byte{'='})
		option := slices.Index(textOptions[:], string(key))
		if option < 0 || seen&(1<<option) != 0 || len(value) == 0 {
			return p.s.bad("option", w, "vol=, cancel=, issued=, completed=, pid=, comm=, app=, status= or flags=, each at most once")
		}
		seen |= 1 << option
		ok := true
		switch textOptions[option] {
		case "vol", "comm":
			start := len(buf)
			if buf, ok = unescape(buf, value); !ok {
				return p.s.bad(string(key), value, "a name, with %XX for blanks, control characters and %")
			}
			if option == 0 {
				name = buf[start:]
			} else {
				comm = buf[start:]
			}
		case "cancel":
			ok = p.decimal("cancel", value, &rec.CancelAfter)
		case "issued":
			ok = p.decimal("issued", value, &rec.Issued)
		case "completed":
			ok = p.decimal("completed", value, &rec.Completed)
		case "pid":
			if pid, ok = parseInt(value); !ok || pid > math.MaxUint32 {
				return p.s.bad("pid", value, "a decimal number of 32 bits")
			}
		case "app":
			v, end := uintAt(value, 0)
			if end != len(value) || len(value) > 20 || v == overflow && string(value) != "18446744073709551615" {
				return p.s.bad("app", value, "a decimal number of 64 bits")
			}
			rec.App = v
		case "status":
			if status, ok = parseInt(value); !ok || status > math.MaxUint16 {
				return p.s.bad("status", value, "an errno")
			}
			rec.Status = uint16(status)
		case "flags":
			for _, c := range value {
				i := strings.IndexByte(flagLetters, c)
				if i < 0 {
					return p.s.bad("flags", value, "letters of "+flagLetters)
				}
				rec.Flags |= 1 << i
			}
		}
		if !ok {
			return isBad
		}
	}
	p.name = buf
	if len(comm) > maxVolumeName {
		return p.s.bad("comm", comm, "a name of at most 255 bytes")
	}
	rec.Process = p.s.procs.index(uint32(pid), comm)
	return p.s.volume(rec, name)
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

// unescape appends the name that b writes to out.
func unescape(out, b []byte) ([]byte, bool) {
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
	return out, true
}

// line is the fast way, see liner.
func (p *text) line(b []byte, rec *Record) int {
	if !p.body {
		return 0
	}
	t, i := decimalAt(b, 0, 9)
	if i == 0 || i+3 >= len(b) || b[i] != ' ' || b[i+2] != ' ' {
		return 0
	}
	switch b[i+1] {
	case 'R':
		rec.Op = Read
	case 'W':
		rec.Op = Write
	default:
		return 0
	}
	at, i := number(b, i+3, ' ')
	if i == 0 {
		return 0
	}
	u, e := uintAt(b, i)
	if e == i || u > math.MaxInt64 || !extentOf(rec, at, int64(u), 1, 1) {
		return 0
	}
	rec.Time = t
	if next := lineEnd(b, e); next > 0 {
		if !p.s.vols.met(nil) {
			return 0
		}
		rec.Volume = p.s.vols.last
		return next
	}
	// The rest is a volume, the same as in the line before: it is not read again.
	if n := len(p.tail); n == 0 || !bytes.HasPrefix(b[e:], p.tail) {
		return 0
	}
	next := lineEnd(b, e+len(p.tail))
	if next > 0 {
		rec.Volume, p.s.vols.last = p.tailVolume, p.tailVolume
	}
	return next
}
