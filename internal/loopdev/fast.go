package loopdev

import (
	"errors"
	"os"
	"path/filepath"
)

// Fast is the fastest disk that a machine without a spare one has: a file on ext4 on
// zram, and a loop device over it.
type Fast struct {
	File string // through the file system: I/Os are complete when the system call returns
	Loop *Loop
}

// MakeFast makes one of size bytes, which it writes with zeroes: blocks are allocated
// then, and zram, which keeps such a page as one word, is as fast as it can be. undo
// gets what takes it back, also of a part when it fails.
func MakeFast(undo *Undo, size int64) (*Fast, error) {
	z, err := AddZram(size + size/4 + 128<<20) // ext4's journal and tables
	if err != nil {
		return nil, err
	}
	undo.Add(z.Remove)
	if err := Format(z.Path(), "ext4"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "blksim-fast-")
	if err != nil {
		return nil, err
	}
	undo.Add(func() error { return os.Remove(dir) })
	m, err := MountAt(z.Path(), dir, "ext4", "")
	if err != nil {
		return nil, err
	}
	undo.Add(m.Unmount)
	f := &Fast{File: filepath.Join(dir, "disk")}
	if err := zeroes(f.File, size); err != nil {
		return nil, err
	}
	if f.Loop, err = Attach(f.File, Options{}); err != nil {
		return nil, err
	}
	undo.Add(f.Loop.Detach)
	return f, nil
}

func zeroes(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	data := make([]byte, 1<<20)
	for off := int64(0); off < size && err == nil; off += int64(len(data)) {
		_, err = f.WriteAt(data[:min(int64(len(data)), size-off)], off)
	}
	return errors.Join(err, f.Sync(), f.Close())
}
