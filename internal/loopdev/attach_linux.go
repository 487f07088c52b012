package loopdev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// attachTries is how often others may take the device that was free.
	attachTries = 50
	tryAgain    = 10 * time.Millisecond

	// detachWait is how long somebody else, as udev, may still have the device open.
	detachWait = 5 * time.Second
)

// Attach makes a loop device over a file that exists.
func Attach(path string, o Options) (*Loop, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	mode := os.O_RDWR
	if o.ReadOnly {
		mode = os.O_RDONLY
	}
	backing, err := os.OpenFile(path, mode, 0)
	if err != nil {
		return nil, err
	}
	defer backing.Close() // the device has it from now on
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, unavailable("loop devices (%v)", err)
	}
	defer control.Close()
	for range attachTries {
		var l *Loop
		if l, err = attachFree(control, backing, mode, o); err == nil {
			if err = l.check(o); err != nil {
				return nil, errors.Join(err, l.Detach())
			}
			return l, nil
		}
		if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENXIO) && !errors.Is(err, fs.ErrNotExist) {
			break
		}
		time.Sleep(tryAgain)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil, unavailable("loop devices (%v)", err)
	}
	return nil, fmt.Errorf("loopdev: attach %s: %w", path, err)
}

// attachFree tries with one free device, which somebody else may take meanwhile.
func attachFree(control, backing *os.File, mode int, o Options) (*Loop, error) {
	number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, err
	}
	l := &Loop{path: fmt.Sprintf("/dev/loop%d", number), backing: backing.Name()}
	if l.file, err = os.OpenFile(l.path, mode, 0); err != nil {
		return nil, err
	}
	config := unix.LoopConfig{Fd: uint32(backing.Fd()), Size: uint32(o.BlockSize)}
	config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	if o.ReadOnly {
		config.Info.Flags |= unix.LO_FLAGS_READ_ONLY
	}
	if o.PartScan {
		config.Info.Flags |= unix.LO_FLAGS_PARTSCAN
	}
	if !o.Buffered {
		config.Info.Flags |= unix.LO_FLAGS_DIRECT_IO
	}
	copy(config.Info.File_name[:len(config.Info.File_name)-1], backing.Name())
	if err := unix.IoctlLoopConfigure(int(l.file.Fd()), &config); err != nil {
		return nil, errors.Join(err, l.file.Close())
	}
	return l, nil
}

// check checks that the device is as it was asked for, and takes back what one of the
// same number may have left: a limit, and a scheduler with its number of requests.
func (l *Loop) check(o Options) error {
	info, err := unix.IoctlLoopGetStatus64(int(l.file.Fd()))
	if err != nil {
		return err
	}
	if !o.Buffered && info.Flags&unix.LO_FLAGS_DIRECT_IO == 0 {
		return unavailable("loop device over %s with direct I/O, which its file system does not have", l.backing)
	}
	if err := setLimits(l.path, Limits{}); err != nil && !errors.Is(err, ErrUnavailable) {
		return err
	}
	scheduler := filepath.Join("/sys/block", filepath.Base(l.path), "queue/scheduler")
	if err := os.WriteFile(scheduler, []byte("none"), 0); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("loopdev: %w", err)
	}
	return nil
}

// Detach takes the device away. It fails if somebody else keeps it open, as by a
// mount; the kernel takes it away when that ends.
func (l *Loop) Detach() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	for since := time.Now(); l.attached(); time.Sleep(tryAgain) {
		if time.Since(since) > detachWait {
			return errors.Join(err, fmt.Errorf("loopdev: %s, over %s, is in use", l.path, l.backing))
		}
	}
	return err
}

// attached says whether the device, or another of its number, is over the file.
func (l *Loop) attached() bool {
	name, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(l.path), "loop/backing_file"))
	return err == nil && strings.TrimSuffix(string(name), "\n") == l.backing
}
