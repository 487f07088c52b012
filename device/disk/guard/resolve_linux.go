package guard

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"blksim/device/disk/sysfs"
)

// Resolve says what a path leads to, and opens nothing. Any goroutine.
func Resolve(path string) (*Target, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && belowDev(path):
		return nil, fmt.Errorf("%s: no such device: %w", path, fs.ErrNotExist)
	case err != nil:
		return nil, err
	}
	info, err := os.Lstat(real)
	if err != nil {
		return nil, err
	}
	t := &Target{Path: path, Real: real, Info: info}
	switch {
	case info.Mode().IsRegular():
		t.Size = info.Size()
		return t, nil
	case info.Mode()&os.ModeDevice == 0 || info.Mode()&os.ModeCharDevice != 0:
		return nil, fmt.Errorf("%s: %w", path, ErrNotADisk)
	}
	tree, err := sysfs.Read("/")
	if err != nil {
		return nil, err
	}
	dev := deviceOf(info)
	if t.Node = tree.Find(dev); t.Node == nil {
		return nil, fmt.Errorf("%s: the kernel has no block device %s", path, dev)
	}
	t.Size = t.Node.Size
	return t, nil
}

// belowDev says whether a path is meant to be a device.
func belowDev(path string) bool {
	abs, err := filepath.Abs(path)
	return err == nil && strings.HasPrefix(abs, "/dev/")
}

// deviceOf is the number of a block device.
func deviceOf(info os.FileInfo) sysfs.Dev {
	st := info.Sys().(*syscall.Stat_t)
	return sysfs.Dev{Major: unix.Major(st.Rdev), Minor: unix.Minor(st.Rdev)}
}
