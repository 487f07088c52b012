package traces

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow bounds what a zstd stream may ask us to keep. zstd -19 needs
// 8 MiB; --ultra and --long may need more, and are refused with a word.
const maxZstdWindow = 32 << 20

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// source is the stored input behind its compression. Reading it gives the bytes
// of the trace; it knows how many stored bytes that took.
type source struct {
	raw     *counter
	buf     *bufio.Reader
	content io.Reader
	what    string // "file", "gzip stream", "zstd stream", "bzip2 stream"
	close   func()
}

// counter counts the bytes that were read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

// newSource looks at the magic and opens the decompressor. An error is the
// decompressor's.
func newSource(r io.Reader) (*source, error) {
	raw := &counter{r: r}
	s := &source{raw: raw, buf: bufio.NewReaderSize(raw, 16<<10), what: "file", close: func() {}}
	s.content = s.buf
	// A Peek that fails is an input shorter than a magic, or a failing read that
	// the first Read will meet again.
	magic, _ := s.buf.Peek(len(zstdMagic))
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		s.what = "gzip stream"
		z, err := gzip.NewReader(s.buf)
		if err != nil {
			return s, err
		}
		s.content = z
	case isBzip2(magic):
		s.what, s.content = "bzip2 stream", bzip2.NewReader(s.buf)
	case bytes.Equal(magic, zstdMagic) || isZstdSkippable(magic):
		s.what = "zstd stream"
		// One decoder in this goroutine: no goroutines to leak, and errors come
		// at their place in the stream.
		z, err := zstd.NewReader(s.buf, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return s, err
		}
		s.content, s.close = z, z.Close
	}
	return s, nil
}

// isBzip2: BZh and the level.
func isBzip2(magic []byte) bool {
	return len(magic) == 4 && string(magic[:3]) == "BZh" && magic[3] >= '1' && magic[3] <= '9'
}

// isZstdSkippable: a zstd file may begin with a skippable frame (pzstd does).
func isZstdSkippable(magic []byte) bool {
	return len(magic) == 4 && magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:], []byte{0x2a, 0x4d, 0x18})
}

// at is how many stored bytes the content read so far has taken.
func (s *source) at() int64 { return s.raw.n - int64(s.buf.Buffered()) }

// broken makes the error of a stream that ended early: cut, damaged, or failing.
func (s *source) broken(name string, err error) *StreamError {
	e := &StreamError{File: name, What: s.what, Cause: err, Byte: s.at(), Inner: -1}
	var read *readError
	switch {
	case errors.As(err, &read):
		e.Cause = read.err
	case s.what == "file":
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Kind, e.Cause = ErrTruncated, nil
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		e.Kind = ErrUnsupported
		e.Cause = errors.New("its window is larger than 32 MiB: compress it again without --long or --ultra")
	default:
		e.Kind = ErrCorrupt
	}
	return e
}

// readError is a failure of the stored input itself, kept apart from what the
// decompressor thinks of the bytes.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }
