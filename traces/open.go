package traces

import (
	"fmt"
	"io"
	"os"
)

// Open opens a trace file. The errors say what is wrong with it: no such file, a
// directory, ErrEmpty, ErrUnknownFormat with what came near, ErrUnsupported with
// what it was recognised as.
func Open(path string, o Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &os.PathError{Op: "open", Path: path, Err: errIsDir}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("traces: %w", err)
	}
	r, err := NewReader(f, path, o)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	if info.Mode().IsRegular() {
		r.size = info.Size()
	}
	return r, nil
}

var errIsDir = fmt.Errorf("is a directory, want a trace file")

// NewReader reads a trace from r. name stands for it in messages. Detection reads
// up to 64 KiB (decompressed) before NewReader returns. Close does not close r.
func NewReader(src io.Reader, name string, o Options) (*Reader, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := newSource(src)
	if err != nil {
		return nil, s.broken(name, err)
	}
	r := &Reader{name: name, opts: o.resolved(), src: s, in: newInput(s.content)}
	if err := r.detect(); err != nil {
		s.close()
		return nil, err
	}
	return r, nil
}
