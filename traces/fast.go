package traces

import "math"

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

// spot is where a line or block stands, for an error.
type spot struct{ line, byte int64 }

// chunk is lines that a liner has read, and that accept has not seen yet.
type chunk struct {
	recs   []Record // lines of them: own, or the caller's where nothing is sorted
	own    [chunkLines]Record
	starts [chunkLines]int64 // of the lines, in the content
	next   int
	n      int
}

const chunkLines = 256

func (c *chunk) left() bool { return c.next < c.n }

// readLines has the liner read what it takes of the lines in the buffer: where they
// are to be sorted into the chunk, else straight into recs, from where place moves
// them if one before them is bad. It is false if the next line is none that it takes.
func (r *Reader) readLines(recs []Record) bool {
	b, c := r.in.whole(), r.chunk
	c.next, c.n = 0, 0
	c.recs = c.own[:]
	if r.opts.Order != Sort {
		c.recs = recs[:min(len(recs), chunkLines)]
	}
	used := 0
	for c.n < len(c.recs) {
		rec := &c.recs[c.n]
		*rec = Record{CancelAfter: -1, Line: r.in.line + 1}
		k := r.liner.line(b[used:], rec)
		if k == 0 || k > maxLine {
			break
		}
		c.starts[c.n] = r.in.off + int64(used)
		c.n++
		used += k
		r.in.line++
	}
	r.in.discard(used)
	return c.n > 0
}

// place takes records of the chunk: into recs, or into the window, and into recs what
// is ready there. It returns how many it has put into recs.
func (r *Reader) place(recs []Record) (n int) {
	c := r.chunk
	sorting := r.opts.Order == Sort
	for c.left() && !r.ended && n < len(recs) {
		if sorting && r.win.ready() {
			r.win.pop(&recs[n])
			r.deliver(&recs[n])
			n++
			continue
		}
		rec := &c.recs[c.next]
		r.at = spot{rec.Line, c.starts[c.next]}
		c.next++
		r.records++
		switch r.accept(rec) {
		case isRecord:
			if sorting {
				*r.win.slot() = *rec
				r.win.keep(rec.Time)
			} else {
				if rec != &recs[n] {
					recs[n] = *rec
				}
				r.deliver(&recs[n])
				n++
			}
		case isBad:
			r.ended = true
		}
	}
	return n
}

// skipBlanks is the index of the first byte from i on that is no blank.
func skipBlanks(b []byte, i int) int {
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	return i
}
