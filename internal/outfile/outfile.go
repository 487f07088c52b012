// Package outfile writes result files so that there is never half a one under the
// right name: to a temporary name beside it, synced, then renamed. Until then the
// old file stays as it is.
//
// Symbolic links stay, and what they lead to is replaced. What is no regular file
// (a device, a pipe) is written to directly. Errors name the path that the user
// gave, and no other.
package outfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// System is the part of the operating system that writes files; OS is the real one.
type System interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	Rename(from, to string) error
	Remove(name string) error
}

// File is an open file that is written to.
type File interface {
	io.WriteCloser
	Name() string
	Chmod(mode fs.FileMode) error
	Sync() error
}

// OS is the operating system itself.
type OS struct{}

// OpenFile is os.OpenFile.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // and no File that is not nil
	}
	return f, nil
}

// Rename is os.Rename.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is os.Remove.
func (OS) Remove(name string) error { return os.Remove(name) }

// Writer writes one file. Its first error stays, and Commit returns it.
type Writer struct {
	sys    System
	path   string // as the user gave it
	target string // what is replaced; "": f is written to directly
	f      File
	err    error
	done   bool
}

// Create begins to write the file at path.
func Create(sys System, path string) (*Writer, error) {
	w := &Writer{sys: sys, path: path}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Mode()&(fs.ModeDevice|fs.ModeCharDevice) == fs.ModeDevice:
		err = errors.New("is a block device, and what is on it would be lost: want a file")
	case err == nil && !info.Mode().IsRegular():
		w.f, err = sys.OpenFile(path, os.O_WRONLY, 0)
	case err == nil || errors.Is(err, fs.ErrNotExist):
		err = w.beside(info)
	}
	if err != nil {
		return nil, w.named(err)
	}
	return w, nil
}

// beside opens the temporary file; old is the file to be replaced, nil if there is
// none.
func (w *Writer) beside(old fs.FileInfo) error {
	target, err := resolve(w.path)
	if err != nil {
		return err
	}
	if old != nil {
		// A rename asks the folder alone: the file's own permission counts too.
		f, err := w.sys.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		f.Close()
	}
	w.target = target
	for try := 0; ; try++ {
		name := filepath.Join(filepath.Dir(target), ".blksim-"+rand.Text())
		w.f, err = w.sys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) || try >= 100 {
			break
		}
	}
	if err == nil && old != nil {
		if err = w.f.Chmod(old.Mode().Perm()); err != nil {
			w.Abort()
		}
	}
	return err
}

// Write writes to the temporary file.
func (w *Writer) Write(data []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	w.err = w.named(err)
	return n, w.err
}

// Commit puts the file in its place, if all went well; else it is as Abort, and
// returns what went wrong.
func (w *Writer) Commit() error {
	if w.target == "" {
		return w.close()
	}
	if w.err == nil {
		w.err = w.named(w.f.Sync())
	}
	if w.close() == nil {
		w.err = w.named(w.sys.Rename(w.f.Name(), w.target))
	}
	if w.err != nil {
		w.sys.Remove(w.f.Name())
	}
	w.done = true
	return w.err
}

func (w *Writer) close() error {
	if err := w.f.Close(); w.err == nil {
		w.err = w.named(err)
	}
	return w.err
}

// Abort takes back what was written; after Commit it does nothing.
func (w *Writer) Abort() {
	if w.done {
		return
	}
	w.done = true
	w.f.Close()
	if w.target != "" {
		w.sys.Remove(w.f.Name())
	}
}

// Put writes a whole file.
func Put(sys System, path string, data []byte) error {
	w, err := Create(sys, path)
	if err != nil {
		return err
	}
	w.Write(data) // Commit tells
	return w.Commit()
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

// named is err with the user's path in place of any other.
func (w *Writer) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", w.path, WithoutPath(err))
}

// WithoutPath takes the path out of an error, which names temporary files and
// targets of links that the user has never heard of.
func WithoutPath(err error) error {
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
