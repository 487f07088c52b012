package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// outFile is a file that is written piece by piece and takes its place in one step:
// its old content stays until the new one is on the disk whole. Symbolic links stay,
// and what they lead to is replaced. What is no regular file (a device, a pipe) is
// written to. Its errors name the file.
type outFile struct {
	path   string
	file   *os.File
	target string // that a temporary file is renamed to; "": written to itself
}

func createOut(path string) (*outFile, error) {
	o := &outFile{path: path}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		o.file, err = os.OpenFile(path, os.O_WRONLY, 0)
	case err == nil || errors.Is(err, fs.ErrNotExist):
		err = o.beside(info)
	}
	if err != nil {
		return nil, o.named(err)
	}
	return o, nil
}

// beside makes a temporary file in the folder of the target; old is nil if there is
// no file yet.
func (o *outFile) beside(old fs.FileInfo) error {
	target, err := resolve(o.path)
	if err != nil {
		return err
	}
	if old != nil {
		// A rename asks the folder alone: the file's own permission counts too.
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		f.Close()
	}
	if o.file, err = createBeside(target); err != nil {
		return err
	}
	o.target = target
	if old != nil {
		if err := o.file.Chmod(old.Mode().Perm()); err != nil {
			o.discard()
			return err
		}
	}
	return nil
}

func (o *outFile) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	return n, o.named(err)
}

// commit puts the file in its place, or leaves no trace of it.
func (o *outFile) commit() error {
	var err error
	if o.target != "" {
		err = o.file.Sync()
	}
	if e := o.file.Close(); err == nil {
		err = e
	}
	if err == nil && o.target != "" {
		err = os.Rename(o.file.Name(), o.target)
	}
	if err != nil && o.target != "" {
		os.Remove(o.file.Name())
	}
	return o.named(err)
}

// discard leaves no trace of what was written.
func (o *outFile) discard() {
	o.file.Close()
	if o.target != "" {
		os.Remove(o.file.Name())
	}
}

func (o *outFile) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", o.path, withoutPath(err))
}
