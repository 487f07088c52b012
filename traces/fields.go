package traces

import "bytes"

// maxFields is how many columns of a line are looked at; no format has more.
const maxFields = 13

// fields are the columns of a line. n counts all of them, also those past
// maxFields.
type fields struct {
	at [maxFields][]byte
	n  int
}

// split cuts b at each sep and trims blanks around the columns.
func (f *fields) split(b []byte, sep byte) {
	f.n = 0
	start := 0
	for i := 0; i <= len(b); i++ {
		if i < len(b) && b[i] != sep {
			continue
		}
		if f.n < maxFields {
			f.at[f.n] = trim(b[start:i])
		}
		f.n++
		start = i + 1
	}
}

// words cuts b at runs of blanks.
func (f *fields) words(b []byte) {
	f.n = 0
	for i := 0; ; {
		w, next := word(b, i)
		if len(w) == 0 {
			return
		}
		if f.n < maxFields {
			f.at[f.n] = w
		}
		f.n++
		i = next
	}
}

// word is the next run of bytes of b from i on that are not blanks, and the
// index behind it. It is empty at the end of b.
func word(b []byte, i int) ([]byte, int) {
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	start := i
	for i < len(b) && !isBlank(b[i]) {
		i++
	}
	return b[start:i], i
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func trim(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// isIgnored says whether a line is blank or a comment, which is no record in any
// of the text formats.
func isIgnored(b []byte) bool {
	b = trim(b)
	return len(b) == 0 || b[0] == '#'
}

// isHeader says whether every column begins with a letter or a quote: a line of
// names, and no record in any format, since all of them have columns of numbers.
func (f *fields) isHeader(columns int) bool {
	if f.n < columns {
		return false
	}
	for _, c := range f.at[:min(f.n, maxFields)] {
		if len(c) == 0 || c[0] != '"' && (c[0]|0x20 < 'a' || c[0]|0x20 > 'z') {
			return false
		}
	}
	return true
}

// equalFold is bytes.EqualFold for a word known to be lower case ASCII.
func equalFold(b []byte, lower string) bool {
	return len(b) == len(lower) && bytes.EqualFold(b, []byte(lower))
}
