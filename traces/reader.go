package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Reader is a trace being read. It belongs to one goroutine at a time.
//
// The way of a record: input cuts a line, the parser makes a Record of it, next
// sorts out what is bad or skipped, accept what is of another volume or too late,
// the window puts it in order, deliver makes its time relative and counts it, and the
// stage looks for copies.
type Reader struct {
	name   string
	opts   Options
	src    *source
	file   *os.File
	merged *merged // instead of file: several
	size   int64
	in     *input

	format   *format
	why      string
	scan     *scan
	parser   parser
	batch    batcher // the parser, if it is one
	bulk     bulk    // the parser, if it is one
	liner    liner   // the parser, if it is one
	chunk    *chunk  // what it has read
	at       spot    // of the record in hand
	flush    bool    // the input has ended: the batcher is to give all it has
	endErr   error   // and why
	win      window
	stage    *stage
	withheld int64 // records in the stage

	records  int64 // Stats.In
	done     int64 // Stats.Delivered
	rejected int64
	other    int // tally slot of records of other volumes
	late     int64
	tooLate  int64 // of those late, the rejected
	first    []*Error

	origin   int64 // absolute time of the trace's first record, final once one is delivered
	newest   int64 // highest absolute time admitted so far
	begun    bool  // origin is set
	lastTime int64 // absolute, of the last record delivered
	lastLine int64
	given    []bool // by volume: has delivered a record
	volumes  int    // how many have
	parts    bool   // a delivered time was no whole second
	one      [1]Record
	ended    bool  // no more input
	err      error // why
}

// read is Read without the stage.
func (r *Reader) read(recs []Record) (int, error) {
	n := 0
	for n < len(recs) {
		if r.win.ready() || r.ended && r.win.len() > 0 {
			r.win.pop(&recs[n])
			r.deliver(&recs[n])
			n++
			continue
		}
		if r.ended {
			break
		}
		if r.liner != nil && (r.chunk.left() || r.readLines(recs[n:])) {
			n += r.place(recs[n:])
			continue
		}
		if r.bulk != nil {
			if k := r.takeAll(recs[n:]); k > 0 {
				n += k
				continue
			}
		}
		// A record is parsed where it is to stay: in the window, or in recs.
		sorting := r.opts.Order == Sort
		rec := &recs[n]
		if sorting {
			rec = r.win.slot()
		}
		switch r.next(rec) {
		case isRecord:
			if sorting {
				r.win.keep(rec.Time)
			} else {
				r.deliver(rec)
				n++
			}
		case isBad:
			r.ended = true
		}
	}
	if n == 0 && len(recs) > 0 {
		return 0, r.err
	}
	return n, nil
}

// next reads into rec up to the next I/O of the wanted volume. notRecord says that
// there was one, but the window has taken it already; isBad says that the input
// has ended, and r.err why.
func (r *Reader) next(rec *Record) verdict {
	for {
		if r.batch != nil {
			for r.batch.take(r.one[:], r.flush) > 0 {
				*rec = r.one[0]
				switch v := r.accept(rec); v {
				case isSkipped:
				case isBad:
					// What is behind it was not reached.
					for r.batch.take(r.one[:], true) > 0 {
						r.records--
					}
					return v
				default:
					return v
				}
			}
			if r.flush {
				r.err = r.endErr
				return isBad
			}
		}
		switch r.parse(rec) {
		case isRecord:
			if v := r.accept(rec); v != isSkipped {
				return v
			}
		case isBad: // the end
			if r.batch == nil {
				return isBad
			}
			r.flush, r.endErr = true, r.err
		}
	}
}

// parse reads one line or block. isBad says that the input ends here.
func (r *Reader) parse(rec *Record) verdict {
	b, ok := r.in.next()
	if !ok {
		r.err = r.end()
		return isBad
	}
	r.at = spot{r.in.line, r.in.start}
	r.scan.line = r.in.start
	if r.in.cutter == nil {
		r.scan.line = r.in.line
		if r.in.flaw != noFlaw {
			r.records++
			return r.refuse(r.flawed(b))
		}
		if len(b) == 0 || b[0] <= '#' && isIgnored(b) {
			return notRecord
		}
	}
	*rec = Record{CancelAfter: -1, Line: r.scan.line}
	v := r.parser.parse(b, rec)
	switch v {
	case isRecord:
		r.records++
	case isHeld:
		r.records += r.scan.held
	case isSkipped:
		r.records++
		r.scan.skips.counts[r.scan.slot].Count++
	case isBad:
		r.records += 1 + r.scan.lost
		r.rejected += r.scan.lost
		r.scan.lost = 0
		r.scan.fault.Cut = r.in.cut
		return r.refuse(&r.scan.fault)
	}
	return v
}

// refuse is reject as a verdict.
func (r *Reader) refuse(fault *Error) verdict {
	if r.reject(fault) {
		return notRecord
	}
	return isBad
}

// takeAll moves records straight to where they are wanted: those of a block that is
// in order, and needs no window, since nothing before it is missing.
func (r *Reader) takeAll(recs []Record) int {
	if r.win.len() > 0 || r.opts.Volume != "" {
		return 0
	}
	at, sorted, ok := r.bulk.first()
	for !ok && !r.flush {
		if r.parse(&r.one[0]) == isBad {
			r.flush, r.endErr = true, r.err
		}
		at, sorted, ok = r.bulk.first()
	}
	if !ok || !sorted || at < r.newest {
		return 0
	}
	k := r.batch.take(recs, false)
	r.begun = true
	r.newest = recs[k-1].Time
	r.deliverAll(recs[:k])
	return k
}

// deliverAll is deliver for records of a format whose times need no change.
func (r *Reader) deliverAll(recs []Record) {
	last := &recs[len(recs)-1]
	r.done += int64(len(recs))
	r.lastTime, r.lastLine = last.Time, last.Line
	for i := range recs {
		rec := &recs[i]
		if v := int(rec.Volume); v >= len(r.given) || !r.given[v] {
			r.firstOf(v)
		}
		if !r.parts && rec.Time%int64(time.Second) != 0 {
			r.parts = true
		}
	}
}

// accept places a record in the trace. isRecord says that it is the newest one;
// notRecord that it was late, and has gone to the window; isSkipped that it is of
// another volume, or bad and to be passed over; isBad that the stream ends.
func (r *Reader) accept(rec *Record) verdict {
	if !r.begun || rec.Time < r.origin && r.done == 0 && r.opts.Order == Sort {
		r.begun = true
		if !r.format.zero {
			r.origin = rec.Time
		}
	}
	if r.opts.Volume != "" && r.scan.vols.names[rec.Volume] != r.opts.Volume {
		r.scan.skips.counts[r.other].Count++
		return isSkipped
	}
	if rec.Time >= r.newest {
		r.newest = rec.Time
		return isRecord
	}
	r.late++
	switch {
	case r.opts.Order == AsIs:
		return isRecord
	case r.opts.Order == Sort && (r.done == 0 || rec.Time >= r.lastTime):
		r.win.pushLate(rec)
		return notRecord
	}
	r.tooLate++
	if r.reject(r.backwards(rec)) {
		return isSkipped
	}
	return isBad
}

// deliver makes the time of a record relative and counts it.
func (r *Reader) deliver(rec *Record) {
	r.done++
	r.lastTime, r.lastLine = rec.Time, rec.Line
	rec.Time -= r.origin
	if !r.parts && rec.Time%int64(time.Second) != 0 {
		r.parts = true
	}
	if v := int(rec.Volume); v >= len(r.given) || !r.given[v] {
		r.firstOf(v)
	}
}

// firstOf counts a volume that delivers its first record.
func (r *Reader) firstOf(volume int) {
	if n := volume + 1 - len(r.given); n > 0 {
		r.given = append(r.given, make([]bool, n)...)
	}
	r.given[volume] = true
	r.volumes++
}

// reject counts a bad record, and says whether the stream goes on.
func (r *Reader) reject(fault *Error) bool {
	r.rejected++
	e := *fault
	e.File, e.Byte = r.name, r.at.byte
	if r.merged != nil {
		e.File, e.Byte = r.merged.locate(r.at.byte)
	}
	if r.in.cutter == nil {
		e.Line = r.at.line
	}
	if len(r.first) < maxFirstErrors {
		r.first = append(r.first, &e)
	}
	switch {
	case r.opts.OnError == Stop:
		r.err = &e
	case r.opts.MaxErrors > 0 && r.rejected > r.opts.MaxErrors:
		r.err = fmt.Errorf("more than %d bad records, the last: %w", r.opts.MaxErrors, &e)
	default:
		return true
	}
	return false
}

// backwards is the fault of a record that is too old.
func (r *Reader) backwards(rec *Record) *Error {
	rule := "times are not to go back"
	if r.opts.Order == Sort {
		rule = fmt.Sprintf("the order is restored within %v or %d records", r.opts.Window, r.opts.WindowRecords)
	}
	at := appendSeconds(nil, r.lastTime-r.origin)
	place := fmt.Sprintf("line %d", r.lastLine)
	if r.in.cutter != nil {
		place = fmt.Sprintf("byte %d", r.lastLine)
	}
	return &Error{Field: "time", Value: string(appendSeconds(nil, rec.Time-r.origin)), bare: true,
		Want: fmt.Sprintf("at least %s, the time of %s (%s)", at, place, rule)}
}

// end is why there is no more input: io.EOF if it ended where it should.
func (r *Reader) end() error {
	err := r.in.err
	missing := r.scan.unfinished
	if err == io.EOF && r.in.left() == 0 && missing == "" {
		return io.EOF
	}
	var e *StreamError
	if errors.As(err, &e) { // of one of several files
		e.Records = r.records
		return e
	}
	if err == io.EOF {
		e = &StreamError{File: r.name, Kind: ErrTruncated, What: "file", Byte: r.src.at(), Inner: -1}
		if missing != "" {
			e.Cause = errors.New(missing)
		}
	} else {
		e = r.src.broken(r.name, err)
	}
	e.Records, e.Left = r.records, r.in.left()
	if r.src.what != "file" {
		e.Inner = r.in.off + e.Left
	}
	return e
}

// flawed is the fault of a line that is no text.
func (r *Reader) flawed(b []byte) *Error {
	if r.in.flaw == tooLong {
		return &Error{Field: "line", Value: cutValue(b), Want: fmt.Sprintf("at most %d bytes", maxLine)}
	}
	i := bytes.IndexByte(b, 0)
	return &Error{Field: fmt.Sprintf("NUL byte in column %d", i+1), Value: cutValue(b), Want: "text"}
}

// Format is the name of the format being read.
func (r *Reader) Format() string { return r.format.name }

// Name is what the trace is called in messages.
func (r *Reader) Name() string { return r.name }

// Why says what the format was recognised by.
func (r *Reader) Why() string { return r.why }

// Volumes are the names that Record.Volume indexes, of all volumes met so far. A
// trace that names no volume has one, "". The list only grows; it is not to be
// changed.
func (r *Reader) Volumes() []string {
	v := r.scan.vols.names
	return v[:len(v):len(v)]
}

// Names are what the indexes of records stand for, of all records so far.
func (r *Reader) Names() Names {
	p := r.scan.procs.list
	return Names{Volumes: r.Volumes(), Processes: p[:len(p):len(p)]}
}

var errClosed = errors.New("traces: read after Close")

// Close releases the decompressor, and the file if Open opened it.
func (r *Reader) Close() error {
	if !r.ended || r.win.len() > 0 {
		r.err = errClosed
	}
	r.ended, r.win = true, window{}
	r.src.close()
	if r.merged != nil {
		m := r.merged
		r.merged = nil
		return m.close()
	}
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}
