package traces

import (
	"fmt"
	"io"
	"strconv"
)

// TextWriter writes blksim's text format, see FORMAT.md. What it writes is
// canonical: reading it and writing it again gives the same bytes.
type TextWriter struct {
	w       io.Writer
	buf     []byte
	escaped []string // of the volume names, as far as they were used
	begun   bool
	err     error
}

const textBuffer = 64 << 10

// NewTextWriter returns a writer that must be flushed at the end.
func NewTextWriter(w io.Writer) *TextWriter {
	return &TextWriter{w: w, buf: make([]byte, 0, textBuffer+4<<10)}
}

// Write appends records. names are what their indexes stand for, as Reader.Names
// gives them: they may grow from call to call, never change. The zero Names means one
// volume without a name. A record that the format cannot hold is an
// error, and nothing is written from it on.
func (t *TextWriter) Write(recs []Record, names Names) error {
	t.begin()
	for i := range recs {
		if t.err != nil {
			return t.err
		}
		t.record(&recs[i], &names)
		if len(t.buf) >= textBuffer {
			t.write()
		}
	}
	return t.err
}

// Flush writes what is buffered, and the first line even of a trace without
// records.
func (t *TextWriter) Flush() error {
	t.begin()
	t.write()
	return t.err
}

// Close is Flush: nothing else ends the format.
func (t *TextWriter) Close() error { return t.Flush() }

// Comment writes a line of comment.
func (t *TextWriter) Comment(s string) error {
	t.begin()
	t.buf = append(t.buf, "# "...)
	for _, c := range []byte(s) {
		if c == '\n' {
			t.buf = append(t.buf, "\n# "...)
		} else if c >= ' ' || c == '\t' {
			t.buf = append(t.buf, c)
		}
	}
	t.buf = append(t.buf, '\n')
	return t.err
}

func (t *TextWriter) begin() {
	if !t.begun {
		t.begun = true
		t.buf = append(append(t.buf, textFirstLine...), '\n')
	}
}

func (t *TextWriter) write() {
	if t.err == nil && len(t.buf) > 0 {
		_, t.err = t.w.Write(t.buf)
	}
	t.buf = t.buf[:0]
}

func (t *TextWriter) record(r *Record, names *Names) {
	if err := checkRecord(r); err != nil {
		t.write()
		t.err = err
		return
	}
	b := appendSeconds(t.buf, r.Time)
	b = append(b, ' ', opLetters[r.Op], ' ')
	b = strconv.AppendInt(b, r.Offset, 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, r.Length, 10)
	if name := t.volume(r.Volume, names.Volumes); name != "" {
		b = append(append(b, " vol="...), name...)
	}
	if r.CancelAfter >= 0 {
		b = appendSeconds(append(b, " cancel="...), r.CancelAfter)
	}
	if r.Issued|r.Completed|int64(r.App)|int64(r.Process)|int64(r.Status)|int64(r.Flags) != 0 {
		b = t.recorded(b, r, names)
	}
	t.buf = append(b, '\n')
}

// recorded appends what a recorder saw of the I/O.
func (t *TextWriter) recorded(b []byte, r *Record, names *Names) []byte {
	if r.Issued > 0 {
		b = appendSeconds(append(b, " issued="...), r.Issued)
	}
	if r.Completed > 0 {
		b = appendSeconds(append(b, " completed="...), r.Completed)
	}
	if i := int(r.Process); i > 0 && i < len(names.Processes) {
		if p := names.Processes[i]; p.PID != 0 {
			b = strconv.AppendUint(append(b, " pid="...), uint64(p.PID), 10)
		}
		if p := names.Processes[i]; p.Name != "" {
			b = append(append(b, " comm="...), escapeName(p.Name)...)
		}
	}
	if r.App != 0 {
		b = strconv.AppendUint(append(b, " app="...), r.App, 10)
	}
	if r.Status != 0 {
		b = strconv.AppendUint(append(b, " status="...), uint64(r.Status), 10)
	}
	if r.Flags != 0 {
		b = append(b, " flags="...)
		for i := range len(flagLetters) {
			if r.Flags&(1<<i) != 0 {
				b = append(b, flagLetters[i])
			}
		}
	}
	return b
}

// checkRecord says why the format cannot hold r, if it cannot.
func checkRecord(r *Record) error {
	switch {
	case r.Time < 0:
		return fmt.Errorf("traces: record at %d ns: times before the start cannot be written (read with Sort)", r.Time)
	case int(r.Op) >= len(opLetters):
		return fmt.Errorf("traces: %v cannot be written", r.Op)
	case r.Offset < 0 || r.Length < 0 || r.Offset+r.Length < 0:
		return fmt.Errorf("traces: offset %d, length %d: want 0 or more, and a sum below 2^63", r.Offset, r.Length)
	case r.Length == 0 && r.Op != Flush:
		return fmt.Errorf("traces: %v of length 0 cannot be written", r.Op)
	case r.Issued < 0 || r.Completed < 0 || r.Flags&^allFlags != 0:
		return fmt.Errorf("traces: issued %d, completed %d, flags %#x cannot be written", r.Issued, r.Completed, r.Flags)
	}
	return nil
}

// appendSeconds writes ns as seconds with 9 decimals.
func appendSeconds(b []byte, ns int64) []byte {
	if ns < 0 {
		b, ns = append(b, '-'), -ns
	}
	b = strconv.AppendInt(b, ns/1e9, 10)
	b = append(b, '.')
	at := len(b)
	b = strconv.AppendInt(b, 1e9+ns%1e9, 10) // a 1 in front keeps the zeros
	copy(b[at:], b[at+1:])
	return b[:len(b)-1]
}

// volume is the escaped name of a volume.
func (t *TextWriter) volume(i uint32, volumes []string) string {
	if int(i) >= len(volumes) {
		return ""
	}
	for int(i) >= len(t.escaped) {
		t.escaped = append(t.escaped, escapeName(volumes[len(t.escaped)]))
	}
	return t.escaped[i]
}

// escapeName replaces blanks, control characters and % by %XX.
func escapeName(name string) string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(name))
	for _, c := range []byte(name) {
		if c <= ' ' || c == 0x7f || c == '%' {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
