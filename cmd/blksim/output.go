package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/term"

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
		return writeFile(s.output, data)
	}
	if _, err := stdout.Write(data); err != nil {
		return fmt.Errorf("standard output: %w", withoutPath(err))
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

// writeFile replaces the file at path in one step; see outFile.
func writeFile(path string, data []byte) error {
	o, err := createOut(path)
	if err != nil {
		return err
	}
	if _, err := o.Write(data); err != nil {
		o.discard()
		return err
	}
	return o.commit()
}

// createBeside makes a new file in the folder of target, so that it can be
// renamed, with the mode that the umask leaves.
func createBeside(target string) (*os.File, error) {
	for try := 0; ; try++ {
		name := filepath.Join(filepath.Dir(target), ".blksim-"+rand.Text())
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		return f, err
	}
}

// resolve follows the symbolic links that path ends in, also to a file that is
// not there yet.
func resolve(path string) (string, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	for range 40 {
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link: the end of the chain
		}
		if !filepath.IsAbs(link) {
			// Not joined: Join takes "a/.." for nothing, and a may be a link.
			link = filepath.Dir(path) + string(filepath.Separator) + link
		}
		path = link
	}
	return "", errors.New("too many symbolic links")
}

// withoutPath takes the path out of an error, which names temporary files and
// targets of links that the user has never heard of.
func withoutPath(err error) error {
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		return at.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
