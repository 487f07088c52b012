package traces

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Writer writes a trace in one format, of those that WriteFormats lists with what they
// do not hold. A recorder writes to a NativeWriter: one pass, bounded memory, and no
// more than the last frame lost if it is killed. It belongs to one goroutine at a time, and
// keeps nothing of what it is given.
type Writer interface {
	// Write appends records; names are what their indexes stand for, as Reader.Names
	// gives them: they may grow from call to call, never change. An error ends the
	// trace, but for a *HoldError: everything before its record was taken, and
	// writing may go on behind it.
	Write(recs []Record, names Names) error
	// Close writes what is left. It does not close what is written to.
	Close() error
}

// A HoldError is a record that the format written cannot hold.
type HoldError struct {
	Format string
	Index  int // of the record in the call of Write
	Record Record
	Why    string
}

func (e *HoldError) Error() string {
	return fmt.Sprintf("the format %s cannot hold the record %d (%v of %d bytes at %d): %s",
		e.Format, e.Record.Line, e.Record.Op, e.Record.Length, e.Record.Offset, e.Why)
}

// WriteFormat is a format that can be written.
type WriteFormat struct {
	Name       string // as in Formats: what is written is read as that
	Title      string
	Extensions []string // that stand for it in a file's name
	Loses      string   // what it does not carry; "" if it carries everything
	open       func(w io.Writer) Writer
}

var writeFormats = []WriteFormat{
	{"native", "blksim native binary trace", []string{".blkt"}, "",
		func(w io.Writer) Writer { return NewNativeWriter(w, NativeOptions{}) }},
	{"blksim", "blksim trace, text", []string{".blk", ".txt"}, "", func(w io.Writer) Writer { return NewTextWriter(w) }},
	{"fio3", "fio iolog, version 3", []string{".iolog", ".fio"},
		"ns within a microsecond, cancels, issue and completion times, processes, flags; write zeroes",
		func(w io.Writer) Writer { return newLineWriter(w, &fioLines{}) }},
	{"msr", "MSR Cambridge CSV", []string{".csv"},
		"ns within 100, cancels, issue times, processes, flags, status; all but reads and writes",
		func(w io.Writer) Writer { return newLineWriter(w, &msrLines{}) }},
	{"blkparse", "blkparse-like text", []string{".blkparse"},
		"names of volumes, cancels, application ids; write zeroes, and what is no whole sector of 512 bytes",
		func(w io.Writer) Writer { return newLineWriter(w, &blkparseLines{}) }},
}

// WriteFormats lists the formats that can be written.
func WriteFormats() []WriteFormat { return writeFormats }

// WriteFormatOf is the format that a file's name stands for by its extension, with
// or without that of a compression behind it.
func WriteFormatOf(path string) (WriteFormat, bool) {
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst")
	for _, f := range writeFormats {
		for _, e := range f.Extensions {
			if strings.HasSuffix(path, e) {
				return f, true
			}
		}
	}
	return WriteFormat{}, false
}

// NewWriter returns a writer of the format of this name.
func NewWriter(format string, w io.Writer) (Writer, error) {
	var names []string
	for _, f := range writeFormats {
		if f.Name == format {
			return f.open(w), nil
		}
		names = append(names, f.Name)
	}
	return nil, fmt.Errorf("traces: format %q cannot be written: want one of %s", format, strings.Join(names, ", "))
}

// lineFormat makes the lines of one text format.
type lineFormat interface {
	format() string
	// append adds the lines of a record to b, or says why there are none.
	append(b []byte, r *Record, names *Names) ([]byte, string)
	// end adds what is left.
	end(b []byte) []byte
}

// lineWriter writes lines through a buffer.
type lineWriter struct {
	w   io.Writer
	l   lineFormat
	buf []byte
	err error
}

func newLineWriter(w io.Writer, l lineFormat) Writer {
	return &lineWriter{w: w, l: l, buf: make([]byte, 0, textBuffer+4<<10)}
}

func (l *lineWriter) Write(recs []Record, names Names) error {
	for i := range recs {
		if l.err != nil {
			return l.err
		}
		r := &recs[i]
		why := ""
		if err := checkRecord(r); err != nil {
			why = strings.TrimPrefix(err.Error(), "traces: ")
		} else {
			l.buf, why = l.l.append(l.buf, r, &names)
		}
		if why != "" {
			return &HoldError{Format: l.l.format(), Index: i, Record: *r, Why: why}
		}
		if len(l.buf) >= textBuffer {
			l.write()
		}
	}
	return l.err
}

func (l *lineWriter) write() {
	if l.err == nil && len(l.buf) > 0 {
		_, l.err = l.w.Write(l.buf)
	}
	l.buf = l.buf[:0]
}

func (l *lineWriter) Close() error {
	l.buf = l.l.end(l.buf)
	l.write()
	if l.err == nil {
		l.err = errWriterClosed
		return nil
	}
	if errors.Is(l.err, errWriterClosed) {
		return nil
	}
	return l.err
}

var errWriterClosed = errors.New("traces: write after Close")

var (
	_ Writer = (*NativeWriter)(nil)
	_ Writer = (*TextWriter)(nil)
	_ Writer = (*lineWriter)(nil)
)
