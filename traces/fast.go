package traces

import (
	"bytes"
	"math"
)

// liner is a parser with a fast way through the lines that most files consist of. It
// works in the input's buffer and finds the end of the line as it goes, which saves a
// pass over the bytes and most of the calls that a line costs otherwise.
//
// Whatever line takes, parse reads alike; what it does not take (blanks, other cases
// of letters, headers, a volume that is new, anything wrong) parse reads. It changes
// nothing of the parser's state unless it takes the line.
type liner interface {
	parser
	// line reads the line at the start of b into rec, which is empty but for its Line
	// and CancelAfter, and returns the length of the line with its end; 0: not taken.
	line(b []byte, rec *Record) int
}

// lineEnd is the index behind the end of the line at b[i:], 0 if there is none.
func lineEnd(b []byte, i int) int {
	if i < len(b) {
		if b[i] == '\n' {
			return i + 1
		}
		if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
			return i + 2
		}
	}
	return 0
}

// number reads digits at b[i:] that sep follows, and returns the index behind sep; 0:
// there are none, or they pass 2^63.
func number(b []byte, i int, sep byte) (v int64, next int) {
	u, e := uintAt(b, i)
	if e == i || e >= len(b) || b[e] != sep || u > math.MaxInt64 {
		return 0, 0
	}
	return int64(u), e + 1
}

// lastNumber is number before the end of a line.
func lastNumber(b []byte, i int) (v int64, next int) {
	u, e := uintAt(b, i)
	if e == i || u > math.MaxInt64 {
		return 0, 0
	}
	return int64(u), lineEnd(b, e)
}

// decimalAt reads whole.decimals at b[i:] in units of 10^-scale and returns the index
// behind them; 0: it is no such number, or has more decimals.
func decimalAt(b []byte, i, scale int) (v int64, next int) {
	whole, e := uintAt(b, i)
	if e == i || e >= len(b) || whole > uint64(math.MaxInt64/pow10[scale&15]-1) {
		return 0, 0
	}
	v = int64(whole) * pow10[scale&15]
	if b[e] != '.' {
		return v, e
	}
	frac, e2 := uintAt(b, e+1)
	digits := e2 - e - 1
	if digits == 0 || digits > scale {
		return 0, 0
	}
	return v + int64(frac)*pow10[(scale-digits)&15], e2
}

// extentOf sets the offset and the length of rec, in units of bytes; false: they do not
// fit, or the length is 0.
func extentOf(rec *Record, at, size, unit, sizeUnit int64) bool {
	if size <= 0 || at > math.MaxInt64/unit || size > (math.MaxInt64-at*unit)/sizeUnit {
		return false
	}
	rec.Offset, rec.Length = at*unit, size*sizeUnit
	return true
}

// met makes a volume the last one, if it was met before.
func (v *volumes) met(name []byte) bool {
	return int(v.last) < len(v.names) && string(name) == v.names[v.last] || v.known(name)
}

func (p *alibaba) line(b []byte, rec *Record) int {
	e := digitsEnd(b, 0)
	if e == 0 || e+3 >= len(b) || b[e] != ',' || b[e+2] != ',' {
		return 0
	}
	switch b[e+1] {
	case 'R':
		rec.Op = Read
	case 'W':
		rec.Op = Write
	default:
		return 0
	}
	at, i := number(b, e+3, ',')
	if i == 0 {
		return 0
	}
	size, i := number(b, i, ',')
	if i == 0 {
		return 0
	}
	ticks, i := lastNumber(b, i)
	if i == 0 || !extentOf(rec, at, size, 1, 1) || !p.s.vols.met(b[:e]) {
		return 0
	}
	rec.Volume = p.s.vols.last
	return p.s.clock.set(rec, ticks, i)
}

// set sets the time of rec, and returns next; 0: the tick is too far off.
func (c *clock) set(rec *Record, ticks int64, next int) int {
	t, ok := c.at(ticks)
	if !ok {
		return 0
	}
	rec.Time = t
	return next
}

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

func (p *fio) line(b []byte, rec *Record) int {
	if p.version != 3 || !p.body || len(p.s.vols.names) == 0 {
		return 0
	}
	ticks, i := number(b, 0, ' ')
	if i == 0 {
		return 0
	}
	name := p.s.vols.names[p.s.vols.last]
	e := i + len(name)
	if e+6 >= len(b) || string(b[i:e]) != name || b[e] != ' ' {
		return 0
	}
	switch rest := b[e+1:]; {
	case string(rest[:5]) == "read ":
		rec.Op, i = Read, e+6
	case len(rest) > 6 && string(rest[:6]) == "write ":
		rec.Op, i = Write, e+7
	default:
		return 0
	}
	at, i := number(b, i, ' ')
	if i == 0 {
		return 0
	}
	size, i := lastNumber(b, i)
	if i == 0 || !extentOf(rec, at, size, 1, 1) {
		return 0
	}
	rec.Volume = p.s.vols.last
	return p.s.clock.set(rec, ticks, i)
}

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
