package traces

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var (
	// ErrEmpty: the input holds no byte, or nothing inside its compression.
	ErrEmpty = errors.New("empty file")
	// ErrUnknownFormat: no format fits the content.
	ErrUnknownFormat = errors.New("unknown format")
	// ErrUnsupported: the content was recognised, and this package does not read it.
	ErrUnsupported = errors.New("not supported")
	// ErrTruncated: the input breaks off; every record before the break was
	// delivered.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt: compressed data is damaged; every record before the damage was
	// delivered.
	ErrCorrupt = errors.New("corrupt")
)

// maxValue is how much of a bad value an Error keeps.
const maxValue = 64

// Error is a record that cannot be read: where it is, which field, what it holds
// and what was wanted.
type Error struct {
	File  string
	Line  int64 // from 1; 0 in a binary format
	Byte  int64 // offset of the line or record in the decompressed input
	Field string
	Value string // cut to 64 bytes
	Want  string
	Cut   bool // the last line, without a newline: the file may be cut off

	bare bool // Value is a number of ours, shown without quotes
}

func (e *Error) Error() string {
	var sb strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&sb, "%s:%d: ", e.File, e.Line)
	} else {
		fmt.Fprintf(&sb, "%s: byte %d: ", e.File, e.Byte)
	}
	value := e.Value
	if !e.bare {
		value = strconv.Quote(value)
	}
	fmt.Fprintf(&sb, "%s %s: want %s", e.Field, value, e.Want)
	if e.Cut {
		sb.WriteString(" (the last line has no newline: the file may be cut off)")
	}
	return sb.String()
}

// Is makes a bad last line without a newline an ErrTruncated.
func (e *Error) Is(target error) bool { return e.Cut && target == ErrTruncated }

// StreamError is input that ends before its end: a cut or damaged compressed
// stream, a cut last binary record, a failing read.
type StreamError struct {
	File    string
	Kind    error  // ErrTruncated, ErrCorrupt, ErrUnsupported, or nil for a failing read
	What    string // "gzip stream", "file"
	Cause   error  // what the decompressor or the file said; may be nil
	Records int64  // records read before the break
	Byte    int64  // of the file as it is stored
	Inner   int64  // of the decompressed input; -1 if the file is not compressed
	Left    int64  // bytes of an unfinished line or record before the break
}

func (e *StreamError) Error() string {
	var sb strings.Builder
	sb.WriteString(e.File + ": ")
	if e.Kind == ErrTruncated || e.Kind == ErrCorrupt {
		fmt.Fprintf(&sb, "%v %s", e.Kind, e.What)
	} else {
		fmt.Fprintf(&sb, "cannot read the %s on", e.What)
	}
	fmt.Fprintf(&sb, ": %d records read, broken at byte %d", e.Records, e.Byte)
	if e.Inner >= 0 {
		fmt.Fprintf(&sb, " (%d decompressed)", e.Inner)
	}
	if e.Left > 0 {
		fmt.Fprintf(&sb, ", %d bytes of an unfinished record left over", e.Left)
	}
	if e.Cause != nil {
		fmt.Fprintf(&sb, ": %v", e.Cause)
	}
	return sb.String()
}

// Unwrap gives the kind and the cause.
func (e *StreamError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// cutValue is b as an Error keeps it.
func cutValue(b []byte) string {
	if len(b) > maxValue {
		return string(b[:maxValue]) + "..."
	}
	return string(b)
}
