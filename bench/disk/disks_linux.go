package main

import (
	"errors"
	"os"
	"sync"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

const diskSize = 256 << 20

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
	fast, err := loopdev.MakeFast(&d.undo, diskSize)
	if err != nil {
		return err
	}
	d.file, d.loop = fast.File, fast.Loop.Path()
	return nil
}

func (b *bench) close() error {
	if b.disks == nil {
		return nil
	}
	return b.disks.undo.Close()
}
