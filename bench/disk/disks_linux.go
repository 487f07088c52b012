package main

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

const (
	diskSize = 256 << 20
	zramSize = 512 << 20
)

// disks are the ones that are measured: a file on ext4 on zram, and a loop device
// over it.
type disks struct {
	undo       loopdev.Undo
	file, loop string
}

// interrupts has a signal take the disks away, whichever bench made them.
var interrupts sync.Once

// path is the disk of a load, which is made for the first one.
func (b *bench) path(s spec) (string, error) {
	if b.disks == nil {
		b.disks = &disks{}
		interrupts.Do(func() { b.disks.undo.OnSignal(os.Exit) })
		if err := b.disks.make(); err != nil {
			return "", b.unavailable(err)
		}
	}
	if b.disks.loop == "" {
		return "", figures.Skip("the disks could not be made")
	}
	if s.pinned {
		return b.disks.file, nil
	}
	return b.disks.loop, nil
}

// unavailable makes a skip of what a machine does not have.
func (b *bench) unavailable(err error) error {
	err = errors.Join(err, b.disks.undo.Close())
	if errors.Is(err, loopdev.ErrUnavailable) {
		return figures.Skip(err.Error())
	}
	return err
}

func (d *disks) make() error {
	z, err := loopdev.AddZram(zramSize)
	if err != nil {
		return err
	}
	d.undo.Add(z.Remove)
	if err := loopdev.Format(z.Path(), "ext4"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-disk-")
	if err != nil {
		return err
	}
	d.undo.Add(func() error { return os.Remove(dir) })
	m, err := loopdev.MountAt(z.Path(), dir, "ext4", "")
	if err != nil {
		return err
	}
	d.undo.Add(m.Unmount)
	d.file = filepath.Join(dir, "disk")
	if err := zeroes(d.file, diskSize); err != nil {
		return err
	}
	l, err := loopdev.Attach(d.file, loopdev.Options{})
	if err != nil {
		return err
	}
	d.undo.Add(l.Detach)
	d.loop = l.Path()
	return nil
}

// zeroes writes a file of zeroes: its blocks are allocated, and zram, which keeps
// such a page as one word, is as fast as it can be.
func zeroes(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	data := make([]byte, 1<<20)
	for off := int64(0); off < size && err == nil; off += int64(len(data)) {
		_, err = f.WriteAt(data, off)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func (b *bench) close() error {
	if b.disks == nil {
		return nil
	}
	return b.disks.undo.Close()
}
