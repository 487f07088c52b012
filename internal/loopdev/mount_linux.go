package loopdev

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Format makes a file system on a device or file, by mkfs of that type. args come
// before the path.
func Format(path, fstype string, args ...string) error {
	program, err := exec.LookPath("mkfs." + fstype)
	if err != nil {
		return unavailable("mkfs.%s", fstype)
	}
	if fstype == "ext4" {
		args = append([]string{"-q", "-F"}, args...)
	}
	if out, err := exec.Command(program, append(args, path)...).CombinedOutput(); err != nil {
		return fmt.Errorf("loopdev: mkfs.%s %s: %w: %s", fstype, path, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// MountAt mounts the file system of a device at a folder that exists. options are
// the file system's own, as for mount -o, and may be empty.
func MountAt(device, dir, fstype, options string) (*Mount, error) {
	err := unix.Mount(device, dir, fstype, unix.MS_NOATIME, options)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ENODEV):
		return nil, unavailable("mount of %s (%v)", fstype, err)
	case err != nil:
		return nil, fmt.Errorf("loopdev: mount %s at %s: %w", device, dir, err)
	}
	return &Mount{dir: dir}, nil
}

// Unmount takes the mount away. It fails if files on it stay open.
func (m *Mount) Unmount() error {
	if m.dir == "" {
		return nil
	}
	var err error
	for since := time.Now(); time.Since(since) < detachWait; time.Sleep(tryAgain) {
		if err = unix.Unmount(m.dir, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("loopdev: unmount %s: %w", m.dir, err)
	}
	m.dir = ""
	return nil
}
