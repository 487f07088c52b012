package traces

import (
	"bytes"
	"math"
	"time"
)

// verdict is what a parser makes of a line or of a binary record.
type verdict uint8

const (
	isRecord  verdict = iota // an I/O; every field of the Record but Line is set
	notRecord                // a header, a closing summary, fio's add, open and close
	isSkipped                // a record, but no I/O to replay: scan.slot has the reason
	isBad                    // a record that cannot be read: scan.fault says why
	isHeld                   // scan.held records, which a batcher gives later
)

// parser reads one format. It belongs to its Reader, keeps no reference to the
// bytes it is given, and may hold state from one record to the next.
type parser interface {
	// parse reads a line (without its end, not blank, no comment) or a binary
	// record of the format's fixed size. CancelAfter is -1 beforehand.
	parse(b []byte, rec *Record) verdict
}

// batcher is a parser whose records do not come one from each line or block: from a
// block come many, or a record waits for a later line that says how it ended.
type batcher interface {
	parser
	// take moves records that are ready into recs and returns how many; all says
	// that no more input will come, so that none is to wait any longer.
	take(recs []Record, all bool) int
}

// bulk is a batcher with whole blocks of records in order, whose times count from
// the zero of the format.
type bulk interface {
	batcher
	// first is the time of the next record, if there is one, and whether it and
	// those behind it in the block are in order.
	first() (at int64, sorted, ok bool)
}

// scan is what a parser works with: the options, and what all formats count and
// check alike.
type scan struct {
	opts   *Options
	ops    opMap
	clock  clock
	vols   volumes
	skips  tally
	procs  processes
	slot   int   // reason of the last isSkipped
	held   int64 // records of the last isHeld
	line   int64 // Record.Line of what is being parsed
	fault  Error // of the last isBad: Field, Value, Want
	lost   int64 // records of the last isBad beyond the first
	header []byte
	begun  bool // a record was seen, so that a header can no longer come
	notes  []string
	// completions says that an event trace has them, by its beginning.
	completions bool
	// unfinished says what is missing if the content ends here, "" if it may.
	unfinished string
	flags      int64 // records with FUA or preflush, which a Record cannot carry
}

func newScan(f *format, o *Options, ops opMap) *scan {
	s := &scan{opts: o, ops: ops}
	unit := f.unit
	if o.TimeUnit != 0 {
		unit = o.TimeUnit
	}
	s.clock = newClock(unit)
	return s
}

// bad makes a field the reason why the record cannot be read.
func (s *scan) bad(field string, value []byte, want string) verdict {
	s.fault = Error{Field: field, Value: cutValue(value), Want: want}
	return isBad
}

// badNumber is bad for a value out of a binary record.
func (s *scan) badNumber(field, value, want string) verdict {
	s.fault = Error{Field: field, Value: value, Want: want, bare: true}
	return isBad
}

func (s *scan) skip(slot int) verdict {
	s.slot = slot
	return isSkipped
}

// isHeader says whether a line that is no record is the table's header: columns
// that all begin with a letter, before the first record. Concatenated shards
// repeat it, so the same line counts as a header later too.
func (s *scan) isHeader(f *fields, columns int, line []byte) bool {
	if s.begun || s.header != nil {
		return s.header != nil && bytes.Equal(s.header, line)
	}
	if !f.isHeader(columns) {
		return false
	}
	s.header = bytes.Clone(line)
	return true
}

// Phrases for Error.Want.
const (
	wantBytes      = "a decimal number of bytes"
	wantBytesPos   = "a decimal number of bytes > 0"
	wantSectors    = "a decimal number of sectors"
	wantSectorsPos = "a decimal number of sectors > 0"
	wantInRange    = "offset + size below 2^63 bytes"
	wantSeconds    = "decimal seconds"
	wantDevice     = "a decimal device number"
	wantNoSpan     = "a time within 146 years of the first record"
)

// extent sets the place of rec from two columns in units of bytes. It makes the
// record bad if a column is no number, if the size is 0 or if the end passes
// 2^63; zero is the verdict for a size of 0 where the op or the format gives it a
// meaning (a flush, a command that is no I/O).
func (s *scan) extent(rec *Record, pos, size []byte, posUnit, sizeUnit int64, zero verdict) verdict {
	posName, posWant, sizeName, sizeWant := "offset", wantBytes, "size", wantBytesPos
	if posUnit != 1 {
		posName, posWant = "sector", wantSectors
	}
	if sizeUnit != 1 {
		sizeName, sizeWant = "count", wantSectorsPos
	}
	p, ok := parseInt(pos)
	if !ok {
		return s.bad(posName, pos, posWant)
	}
	n, ok := parseInt(size)
	if !ok || n == 0 && zero == isBad {
		return s.bad(sizeName, size, sizeWant)
	}
	if p > math.MaxInt64/posUnit {
		return s.bad(posName, pos, wantInRange)
	}
	p *= posUnit
	if n > (math.MaxInt64-p)/sizeUnit {
		return s.bad(sizeName, size, wantInRange)
	}
	rec.Offset, rec.Length = p, n*sizeUnit
	if n == 0 {
		return zero
	}
	return isRecord
}

// seconds sets the time of rec from a column of decimal seconds.
func (s *scan) seconds(rec *Record, b []byte) bool {
	t, ok := parseDecimal(b, 9)
	if !ok {
		s.bad("time", b, wantSeconds)
	}
	rec.Time = t
	return ok
}

// ticks sets the time of rec from a column of whole ticks of the clock.
func (s *scan) ticks(rec *Record, b []byte, want string) bool {
	t, ok := parseInt(b)
	if !ok {
		s.bad("time", b, want)
		return false
	}
	if rec.Time, ok = s.clock.at(t); !ok {
		s.bad("time", b, wantNoSpan)
	}
	return ok
}

// volume sets the volume of rec. It comes last, so that no bad record makes one.
func (s *scan) volume(rec *Record, name []byte) verdict {
	if len(name) > maxVolumeName {
		return s.bad("volume", name, "a name of at most 255 bytes")
	}
	v, ok := s.vols.index(name)
	if !ok {
		return s.bad("volume", name, "one of at most 65536 volumes")
	}
	rec.Volume = v
	s.begun = true
	return isRecord
}

// clock turns whole ticks into nanoseconds from the first tick it is shown. The
// base matters: a FILETIME in nanoseconds does not fit in 64 bits.
type clock struct {
	unit, limit, base int64
	running           bool
}

func newClock(unit time.Duration) clock {
	c := clock{unit: int64(unit)}
	if unit > 0 {
		c.limit = (1<<62 - 1) / c.unit
	}
	return c
}

// at is the time of tick t, which is not negative.
func (c *clock) at(t int64) (ns int64, ok bool) {
	if !c.running {
		c.base, c.running = t, true
	}
	d := t - c.base
	return d * c.unit, d <= c.limit && d >= -c.limit
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
