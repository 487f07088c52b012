package traces

import (
	"bytes"
	"io"
)

const (
	// bufferSize is what the buffer grows to: small traces need less.
	bufferSize = 128 << 10
	bufferInit = 8 << 10
	maxLine    = 64 << 10
	// headSize is how much of the content detection looks at.
	headSize = 64 << 10
)

// flaw is what makes a line no line of text, whatever the format.
type flaw uint8

const (
	noFlaw flaw = iota
	tooLong
	hasNUL
)

// input cuts the content into lines, or into blocks of a binary format, inside one
// buffer. What next returns is valid until the next call.
type input struct {
	src    io.Reader
	buf    []byte
	r, w   int   // the unread part of buf
	off    int64 // of buf[r] in the content
	err    error // the end of the content: io.EOF, or why it broke off
	cutter       // nil: lines

	line   int64 // number of the last line, from 1
	start  int64 // offset of the last line or block
	flaw   flaw  // of the last line
	cut    bool  // the last line has no newline
	mayNUL bool  // there may be a NUL in the unread part
}

// cutter says how long the block at the start of b is. A block may be longer than b,
// which then holds its first bytes; all says that no more bytes will come. Damaged
// bytes are a block too, up to where the next one may begin: the parser refuses it.
type cutter func(b []byte, all bool) int

// fixed cuts blocks of one size.
func fixed(size int) cutter {
	return func([]byte, bool) int { return size }
}

func newInput(src io.Reader) *input {
	return &input{src: src, buf: make([]byte, bufferInit)}
}

// peek fills the buffer up to the head that detection looks at. all says that the
// content is no longer than that.
func (in *input) peek() (head []byte, all bool) {
	for in.err == nil && in.w-in.r < headSize {
		in.fill()
	}
	return in.buf[in.r:min(in.w, in.r+headSize)], in.err == io.EOF && in.w-in.r <= headSize
}

// discard passes over n bytes that peek has shown.
func (in *input) discard(n int) {
	in.r += n
	in.off += int64(n)
}

// fill moves the unread part to the front and reads more behind it, into a larger
// buffer if this one is full.
func (in *input) fill() {
	if in.r > 0 {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
		in.mayNUL = in.mayNUL && bytes.IndexByte(in.buf[:in.w], 0) >= 0
	}
	if in.w == len(in.buf) && in.w < bufferSize {
		bigger := make([]byte, 2*in.w)
		copy(bigger, in.buf)
		in.buf = bigger
	}
	for range 100 {
		n, err := in.src.Read(in.buf[in.w:])
		in.mayNUL = in.mayNUL || bytes.IndexByte(in.buf[in.w:in.w+n], 0) >= 0
		in.w += n
		if in.err = err; n > 0 || err != nil {
			return
		}
	}
	in.err = io.ErrNoProgress
}

// left is how many bytes stand behind the last line or record.
func (in *input) left() int64 { return int64(in.w - in.r) }

// whole is the unread part of the buffer; empty if there may be a NUL in it.
func (in *input) whole() []byte {
	if in.mayNUL {
		return nil
	}
	return in.buf[in.r:in.w]
}

// next is the next line without its end, or the next block. At the end of
// the content it is false: err says how it ended. The bytes of a line that the
// content broke off in are not returned, since half a number is a number.
func (in *input) next() ([]byte, bool) {
	if in.cutter != nil {
		return in.block()
	}
	rest := in.buf[in.r:in.w]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		return in.take(rest[:i], 1), true
	}
	return in.tail(len(rest))
}

// tail is next where the buffer holds no whole line, but the first part of one.
func (in *input) tail(scanned int) ([]byte, bool) {
	for {
		switch {
		case scanned > maxLine+1: // one more, for the \r of a line of maxLine
			return in.long(), true
		case in.err == nil:
			in.fill()
		case in.err == io.EOF && scanned > 0:
			in.cut = true
			return in.take(in.buf[in.r:in.w], 0), true
		default:
			return nil, false
		}
		if i := bytes.IndexByte(in.buf[in.r+scanned:in.w], '\n'); i >= 0 {
			return in.take(in.buf[in.r:in.r+scanned+i], 1), true
		}
		scanned = in.w - in.r
	}
}

// take passes over a line and eol more bytes, its end.
func (in *input) take(b []byte, eol int) []byte {
	in.start = in.off
	in.line++
	in.discard(len(b) + eol)
	if len(b) > 0 && b[len(b)-1] == '\r' {
		b = b[:len(b)-1]
	}
	in.flaw = noFlaw
	if len(b) > maxLine {
		in.flaw = tooLong
	} else if in.mayNUL && bytes.IndexByte(b, 0) >= 0 {
		in.flaw = hasNUL
	}
	return b
}

// long passes over a line that does not fit, however long it is, and returns its
// beginning.
func (in *input) long() []byte {
	head := bytes.Clone(in.buf[in.r : in.r+maxValue+1])
	in.start = in.off
	in.line++
	for {
		if i := bytes.IndexByte(in.buf[in.r:in.w], '\n'); i >= 0 {
			in.discard(i + 1)
			break
		}
		in.discard(in.w - in.r)
		if in.err != nil {
			in.cut = in.err == io.EOF
			break
		}
		in.fill()
	}
	in.flaw = tooLong
	return head
}

// block is the next block of a binary format. The buffer grows to the longest one,
// which the cutter bounds.
func (in *input) block() ([]byte, bool) {
	for {
		rest := in.buf[in.r:in.w]
		n := in.cutter(rest, in.err != nil)
		if n <= len(rest) && n > 0 {
			in.start = in.off
			in.discard(n)
			return rest[:n], true
		}
		if in.err != nil {
			return nil, false
		}
		if n > len(in.buf) {
			bigger := make([]byte, n)
			in.w = copy(bigger, rest)
			in.buf, in.r = bigger, 0
		}
		in.fill()
	}
}
