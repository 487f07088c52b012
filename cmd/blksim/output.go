package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/term"

	"blksim/internal/outfile"
	"blksim/internal/report"
)

// write writes the results: a table for each input, or one JSON value.
func (s *settings) write(all [][]*report.Run, stdout io.Writer) error {
	if len(all) == 0 {
		return nil
	}
	var b bytes.Buffer
	var err error
	switch s.outForm {
	case "json":
		err = report.WriteJSON(&b, slices.Concat(all...))
	case "json+":
		err = report.WriteFio(&b, slices.Concat(all...), s.percentiles)
	default:
		look := s.look(stdout)
		for i, runs := range all {
			if i > 0 {
				b.WriteByte('\n')
			}
			err = errors.Join(err, report.WriteTable(&b, runs, look))
		}
	}
	if err != nil {
		return err
	}
	return s.put(b.Bytes(), stdout)
}

// put puts a result where the settings say.
func (s *settings) put(data []byte, stdout io.Writer) error {
	if s.output != "" && !isFile(stdout, s.output) {
		return outfile.Put(s.sys, s.output, data)
	}
	if _, err := stdout.Write(data); err != nil {
		return fmt.Errorf("standard output: %w", outfile.WithoutPath(err))
	}
	return nil
}

// look is how tables look: on a terminal as wide as that, and in colour unless the
// user has said otherwise.
func (s *settings) look(stdout io.Writer) report.Look {
	look := report.Look{Percentiles: s.percentiles}
	f, is := stdout.(*os.File)
	if !is || s.output != "" || !term.IsTerminal(int(f.Fd())) {
		return look
	}
	if w, _, err := term.GetSize(int(f.Fd())); err == nil {
		look.Width = w
	}
	look.Color = !s.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return look
}

// isFile says whether w is the file that path leads to, as standard output is
// that of /dev/stdout: it may have been opened to append, so it is not replaced.
func isFile(w io.Writer, path string) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(open, named)
}
