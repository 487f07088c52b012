package traces

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// csv is any table of columns, after Options.Columns: FIELD=COLUMN[:UNIT], apart by
// commas. COLUMN is a name of the header, or a number from 1.
//
//	time     s, ms, us, ns, 100ns (FILETIME); decimals may follow a dot; default s
//	offset   bytes of a unit: 1 (default), 512, 4096, ...
//	size     the same
//	op       a word that begins with R or W (or F, D, T for trim, Z), or after Options.OpMap
//	volume   any name
//	latency  as time: from the time to the completion
//	process  a name;  pid: a number
//
// time may be missing: then every record has the time 0. op may be missing if OpMap is
// one op for all: "=read". The separator is the one that the first line has: comma,
// semicolon, tab, |, or blanks.

// csvFields are the fields that Options.Columns may name.
var csvFields = [...]string{"time", "offset", "size", "op", "volume", "latency", "process", "pid"}

const (
	csvTime = iota
	csvOffset
	csvSize
	csvOp
	csvVolume
	csvLatency
	csvProcess
	csvPID
)

// maxCSVColumns is how many columns of a line are looked at.
const maxCSVColumns = 64

// csvColumn is where a field stands; at 0: nowhere.
type csvColumn struct {
	name string
	at   int   // from 1; 0: the header has to say
	unit int64 // bytes, or ns
	used bool
}

type csvColumns [len(csvFields)]csvColumn

func parseColumns(s string) (cols csvColumns, err error) {
	bad := func(format string, args ...any) (csvColumns, error) {
		return cols, fmt.Errorf("traces: columns %q: %s: want FIELD=COLUMN[:UNIT],... with the fields %s, such as time=ts:us,offset=lba:512,size=bytes,op=type",
			s, fmt.Sprintf(format, args...), strings.Join(csvFields[:], ", "))
	}
	for _, part := range strings.Split(s, ",") {
		field, rest, ok := strings.Cut(part, "=")
		i := slices.Index(csvFields[:], strings.TrimSpace(field))
		if !ok || i < 0 {
			return bad("%q is no field", strings.TrimSpace(field))
		}
		name, unit := rest, ""
		if k := strings.LastIndexByte(rest, ':'); k >= 0 {
			name, unit = rest[:k], rest[k+1:]
		}
		c := csvColumn{name: strings.TrimSpace(name), unit: 1, used: true}
		if c.name == "" || cols[i].used {
			return bad("%s is named twice, or has no column", csvFields[i])
		}
		if n, err := strconv.Atoi(c.name); err == nil {
			if n < 1 || n > maxCSVColumns {
				return bad("column %d: 1 to %d", n, maxCSVColumns)
			}
			c.at = n
		}
		if c.unit, ok = csvUnit(i, strings.TrimSpace(unit)); !ok {
			return bad("unit %q of %s", unit, csvFields[i])
		}
		cols[i] = c
	}
	if !cols[csvOffset].used || !cols[csvSize].used {
		return bad("offset and size are needed")
	}
	return cols, nil
}

// csvUnit is a unit in bytes or ns; false: the field has no such unit.
func csvUnit(field int, unit string) (int64, bool) {
	switch field {
	case csvTime, csvLatency:
		switch unit {
		case "", "s":
			return int64(time.Second), true
		case "filetime":
			return 100, true
		}
		if unit[0] < '0' || unit[0] > '9' {
			unit = "1" + unit
		}
		d, err := time.ParseDuration(unit)
		return int64(d), err == nil && d > 0 && d <= time.Hour
	case csvOffset, csvSize:
		if unit == "" {
			return 1, true
		}
		n, err := strconv.ParseInt(unit, 10, 64)
		return n, err == nil && n > 0 && n <= maxBlockSize
	}
	return 1, unit == ""
}

// csv reads a table line by line. The header, if columns are named by it, is the first
// line that is not blank; else a first line whose offset is no number is one.
type csv struct {
	s     *scan
	cols  csvColumns
	sep   byte // ' ': blanks
	least int  // columns a line must have
	at    [maxCSVColumns][]byte
	n     int
	one   bool // OpMap is one op for all
	named bool // a column is named by the header, which has not come
}

func openCSV(s *scan) parser {
	p := &csv{s: s}
	p.cols, _ = parseColumns(s.opts.Columns) // Validate has looked
	for i := range p.cols {
		c := &p.cols[i]
		p.least = max(p.least, c.at)
		p.named = p.named || c.used && c.at == 0
	}
	p.s.clock = newClock(time.Duration(max(1, p.cols[csvTime].unit)))
	p.one = len(s.ops) == 1 && s.ops[0].value == ""
	return p
}

// split cuts a line into columns, and takes quotes off.
func (p *csv) split(b []byte) {
	if p.sep == 0 {
		p.sep = ' '
		for _, sep := range []byte{',', ';', '\t', '|'} {
			if bytes.IndexByte(b, sep) >= 0 {
				p.sep = sep
				break
			}
		}
	}
	p.n = 0
	for i := 0; p.n < maxCSVColumns; p.n++ {
		var c []byte
		if p.sep == ' ' {
			if c, i = word(b, i); len(c) == 0 {
				return
			}
		} else {
			if i > len(b) {
				return
			}
			end := len(b)
			if k := bytes.IndexByte(b[i:], p.sep); k >= 0 {
				end = i + k
			}
			c = trim(b[i:end])
			i = end + 1
		}
		if len(c) >= 2 && c[0] == '"' && c[len(c)-1] == '"' {
			c = c[1 : len(c)-1]
		}
		p.at[p.n] = c
	}
}

// parse reads a line. Only the columns that are named are looked at: damage in others
// is none of the trace's.
func (p *csv) parse(b []byte, rec *Record) verdict {
	p.split(b)
	if p.named {
		return p.header(b)
	}
	if p.s.header != nil && bytes.Equal(p.s.header, b) {
		return notRecord // it recurs in concatenated files
	}
	if !p.s.begun && p.s.header == nil && p.n >= p.least && !startsWithDigit(p.at[p.cols[csvOffset].at-1]) {
		p.s.header = bytes.Clone(b)
		return notRecord
	}
	if p.n < p.least {
		return p.s.bad("line", b, fmt.Sprintf("%d columns or more", p.least))
	}
	// The header has told where every used column is.
	column := func(i int) []byte { return p.at[p.cols[i].at-1] }
	if !p.one {
		if p.cols[csvOp].used {
			if !p.op(rec, column(csvOp)) {
				return p.s.bad("op", column(csvOp), "a word that begins with R, W, F, D, T or Z, or one of the op map")
			}
		}
	} else {
		rec.Op = p.s.ops[0].op
	}
	if v := p.s.extent(rec, column(csvOffset), column(csvSize), p.cols[csvOffset].unit, p.cols[csvSize].unit, zeroOf(rec.Op)); v == isBad {
		return v
	}
	if p.cols[csvTime].used {
		t, ok := p.time(column(csvTime))
		if !ok {
			return p.s.bad("time", column(csvTime), "a decimal number, within 146 years of the first")
		}
		rec.Time = t
	}
	if p.cols[csvLatency].used {
		if ns, ok := decimalOf(column(csvLatency), p.cols[csvLatency].unit); ok {
			rec.Completed = ns
		} else if c := column(csvLatency); len(c) > 0 && !isNumber(c) {
			return p.s.bad("latency", c, "a decimal number, or nothing")
		}
	}
	var volume []byte
	if p.cols[csvVolume].used {
		volume = column(csvVolume)
	}
	v := p.s.volume(rec, volume)
	if v == isRecord && (p.cols[csvPID].used || p.cols[csvProcess].used) {
		p.process(rec)
	}
	return v
}

// process is the pid, the name, or both, as far as there are such columns.
func (p *csv) process(rec *Record) {
	var pid int64
	var name []byte
	if c := p.cols[csvPID]; c.used {
		pid, _ = parseInt(p.at[c.at-1])
	}
	if c := p.cols[csvProcess]; c.used {
		name = p.at[c.at-1]
	}
	if pid <= math.MaxUint32 {
		rec.Process = p.s.procs.index(uint32(pid), name)
	}
}

func startsWithDigit(b []byte) bool { return len(b) > 0 && b[0]-'0' <= 9 }

// header finds the columns that are named.
func (p *csv) header(b []byte) verdict {
	for i := range p.cols {
		c := &p.cols[i]
		if !c.used || c.at > 0 {
			continue
		}
		for k := range p.n {
			if strings.EqualFold(string(p.at[k]), c.name) {
				c.at = k + 1
			}
		}
		if c.at == 0 {
			return p.s.bad("header", b, fmt.Sprintf("a column %q for %s", c.name, csvFields[i]))
		}
		p.least = max(p.least, c.at)
	}
	p.named = false
	p.s.header = bytes.Clone(b)
	return notRecord
}

// op reads an op by the map, by its name, or by its first letter.
func (p *csv) op(rec *Record, b []byte) bool {
	if p.s.opts.OpMap != "" {
		op, ok := p.s.ops.find(b)
		rec.Op = op
		return ok
	}
	if len(b) == 0 {
		return false
	}
	switch b[0] | 0x20 {
	case 'r':
		rec.Op = Read
	case 'w':
		rec.Op = Write
		if bytes.EqualFold(b, []byte("write-zeroes")) || bytes.EqualFold(b, []byte("write_zeroes")) {
			rec.Op = WriteZeroes
		}
	case 'f':
		rec.Op = Flush
	case 'd', 't', 'u': // discard, trim, unmap
		rec.Op = Discard
	case 'z':
		rec.Op = WriteZeroes
	default:
		return false
	}
	return true
}

// time reads whole units through the clock, whose base keeps a FILETIME within 64
// bits, and adds the decimals.
func (p *csv) time(b []byte) (int64, bool) {
	whole, frac := b, []byte(nil)
	if i := bytes.IndexByte(b, '.'); i >= 0 {
		whole, frac = b[:i], b[i+1:]
	}
	n, ok := parseInt(whole)
	if !ok {
		return 0, false
	}
	t, ok := p.s.clock.at(n)
	if len(frac) > 0 {
		part, okFrac := fraction(frac, p.s.clock.unit)
		t, ok = t+part, ok && okFrac
	}
	return t, ok
}

// decimalOf is a decimal number of units of so many ns.
func decimalOf(b []byte, unit int64) (int64, bool) {
	whole, frac := b, []byte(nil)
	if i := bytes.IndexByte(b, '.'); i >= 0 {
		whole, frac = b[:i], b[i+1:]
	}
	n, ok := parseInt(whole)
	if !ok || n > math.MaxInt64/4/unit {
		return 0, false
	}
	part, ok := fraction(frac, unit)
	return n*unit + part, ok
}

// fraction is 0.digits of a unit, rounded down.
func fraction(digits []byte, unit int64) (int64, bool) {
	kept := digits[:min(len(digits), 9)]
	var v uint64
	for _, c := range digits {
		if c-'0' > 9 {
			return 0, false
		}
	}
	if len(kept) > 0 {
		v, _ = uintAt(kept, 0)
	}
	// A unit may be an hour: the product passes 64 bits.
	hi, lo := bits.Mul64(v*uint64(pow10[9-len(kept)]), uint64(unit))
	part, _ := bits.Div64(hi, lo, 1e9)
	return int64(part), true
}
