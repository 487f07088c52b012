package report

import (
	"bytes"
	"encoding/json"
	"io"
)

// Several is the JSON form of more than one run.
type Several struct {
	Schema string `json:"schema"`
	Runs   []*Run `json:"runs"`
}

// SeveralSchema names the form of Several.
const SeveralSchema = "blksim.runs/v1"

// WriteJSON writes one run as an object of Schema, or several as one of
// SeveralSchema, with a line end at the end.
func WriteJSON(w io.Writer, runs []*Run) error {
	var v any = Several{SeveralSchema, runs}
	if len(runs) == 1 {
		v = runs[0]
	}
	return writeJSON(w, v)
}

// writeJSON writes v with a line for each field, but arrays and objects that hold
// no others on one line: a distribution is read at a glance, and a list of 512
// intervals does not fill a screen.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	l := &layout{in: bytes.TrimSpace(b.Bytes())}
	l.value(0)
	l.out.WriteByte('\n')
	_, err := w.Write(l.out.Bytes())
	return err
}

// layout lays valid, compact JSON out.
type layout struct {
	in  []byte
	out bytes.Buffer
}

// value lays out the value that l.in begins with, and takes it away.
func (l *layout) value(depth int) {
	open := l.in[0]
	if open != '{' && open != '[' {
		l.copy(scalar(l.in))
		return
	}
	if n := flat(l.in); n > 0 {
		l.line(n)
		return
	}
	l.copy(1)
	for {
		l.out.WriteByte('\n')
		for range depth + 1 {
			l.out.WriteString("  ")
		}
		if open == '{' {
			l.copy(scalar(l.in) + 1) // the key and its colon
			l.out.WriteByte(' ')
		}
		l.value(depth + 1)
		if l.in[0] != ',' {
			break
		}
		l.copy(1)
	}
	l.out.WriteByte('\n')
	for range depth {
		l.out.WriteString("  ")
	}
	l.copy(1)
}

func (l *layout) copy(n int) {
	l.out.Write(l.in[:n])
	l.in = l.in[n:]
}

// line copies n bytes of a flat value, with a space after each comma and colon
// that is not in a string.
func (l *layout) line(n int) {
	for end := len(l.in) - n; len(l.in) > end; {
		c := l.in[0]
		l.copy(scalar(l.in))
		if c == ',' || c == ':' {
			l.out.WriteByte(' ')
		}
	}
}

// scalar is the length of the string, number, word or sign that b begins with.
func scalar(b []byte) int {
	switch b[0] {
	case '"':
		for i := 1; ; i++ {
			switch b[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
	case '{', '}', '[', ']', ',', ':':
		return 1
	}
	if n := bytes.IndexAny(b, ",]}:"); n > 0 {
		return n
	}
	return len(b)
}

// flat is the length of the array or object that b begins with if no other is in
// it, else 0.
func flat(b []byte) int {
	for i := 1; ; {
		switch b[i] {
		case '{', '[':
			return 0
		case '}', ']':
			return i + 1
		}
		i += scalar(b[i:])
	}
}
