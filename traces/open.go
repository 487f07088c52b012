package traces

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Open opens a trace file. The errors say what is wrong with it: no such file, a
// directory, ErrEmpty, ErrUnknownFormat with what came near, ErrUnsupported with
// what it was recognised as. Where there is no such file, but files of each CPU by
// that name, as blktrace writes them (NAME.blktrace.0 and so on), they are one trace.
func Open(path string, o Options) (*Reader, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if paths := blktracePaths(path); len(paths) > 0 {
			return openMany(paths, path, o)
		}
	}
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
	if note := siblingsNote(path); note != "" && r.format.name == "blktrace" {
		r.scan.notes = append(r.scan.notes, note)
	}
	if info.Mode().IsRegular() {
		r.size = info.Size()
	}
	return r, nil
}

// openMany opens the files of several CPUs as one trace.
func openMany(paths []string, name string, o Options) (*Reader, error) {
	m, size, err := openMerged(paths)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	r, err := NewReader(m, name, o)
	if err != nil {
		m.close()
		return nil, err
	}
	r.merged, r.size = m, size
	r.why += fmt.Sprintf("; the files of %d CPUs, merged by time", len(paths))
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
