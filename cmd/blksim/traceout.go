package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/term"

	"blksim/internal/outfile"
	"blksim/traces"
)

// traceOut is one trace being written: a format's writer, over a compression that
// the file's name asks for, over a file that takes its place at the end, or over
// standard output.
type traceOut struct {
	traces.Writer
	file   *outfile.Writer // nil: standard output
	buffer *bufio.Writer
	packer io.WriteCloser // nil: not compressed
}

// outKind is what to write.
type outKind struct {
	format  string
	ordered bool // the records come in order of time
	zstd    bool // frames of the native format are packed
}

// check refuses what is asked of a format that has it not.
func (k outKind) check() error {
	if k.zstd && k.format != "native" {
		return usagef("--zstd packs frames of the native format, and the output is of format %s: give the file a name that ends in .zst", k.format)
	}
	return nil
}

// formatOf is the format to write: the one asked for, else by the file's name, else
// text.
func formatOf(asked, path string) (string, error) {
	if asked != "" {
		_, err := traces.NewWriter(asked, io.Discard)
		return asked, err
	}
	if path == "" || path == stdin {
		return "blksim", nil
	}
	if f, ok := traces.WriteFormatOf(path); ok {
		return f.Name, nil
	}
	return "", fmt.Errorf("%s: no format goes by such a name: say it with --to", path)
}

func createTrace(path string, kind outKind, stdout io.Writer) (*traceOut, error) {
	if err := kind.check(); err != nil {
		return nil, err
	}
	o := &traceOut{}
	var w io.Writer
	if path == "" || path == stdin {
		if f, ok := stdout.(*os.File); ok && kind.format == "native" && term.IsTerminal(int(f.Fd())) {
			return nil, usagef("the native format is no text: write it to a file with --output")
		}
		o.buffer = bufio.NewWriterSize(stdoutNamed{stdout}, 64<<10)
		w = o.buffer
	} else {
		f, err := outfile.Create(outfile.OS{}, path)
		if err != nil {
			return nil, failed(exitOutput, err)
		}
		o.file, w = f, f
	}
	var err error
	switch {
	case strings.HasSuffix(path, ".gz"):
		o.packer = gzip.NewWriter(w)
	case strings.HasSuffix(path, ".zst"):
		o.packer, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	if o.packer != nil {
		w = o.packer
	}
	if kind.format == "native" {
		o.Writer = traces.NewNativeWriter(w, traces.NativeOptions{Zstd: kind.zstd, Ordered: kind.ordered})
	} else if err == nil {
		o.Writer, err = traces.NewWriter(kind.format, w)
	}
	if err != nil {
		o.discard()
		return nil, failed(exitInternal, err)
	}
	return o, nil
}

// commit ends the trace and puts the file in its place.
func (o *traceOut) commit() error {
	err := o.Close()
	if o.packer != nil {
		err = errors.Join(err, o.packer.Close())
	}
	if o.buffer != nil {
		err = errors.Join(err, o.buffer.Flush())
	}
	if err != nil {
		o.discard()
		return err
	}
	if o.file != nil {
		return o.file.Commit()
	}
	return nil
}

func (o *traceOut) discard() {
	if o.file != nil {
		o.file.Abort()
	}
}

// stdoutNamed names standard output in its errors.
type stdoutNamed struct{ w io.Writer }

func (s stdoutNamed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		err = fmt.Errorf("standard output: %w", outfile.WithoutPath(err))
	}
	return n, err
}

// volumeMark stands for the volume in the name of an output that is split.
const volumeMark = "{volume}"

// volumePath is the file of one volume: its name without what has a meaning in
// paths.
func volumePath(template, volume string) string {
	if volume == "" {
		volume = "unnamed"
	}
	return strings.ReplaceAll(template, volumeMark, url.PathEscape(volume))
}
