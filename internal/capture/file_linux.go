package capture

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"blksim/device/disk/sysfs"
)

// fileDevice is the number of the file system that a path is on.
func fileDevice(path string) (sysfs.Dev, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return sysfs.Dev{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return sysfs.Dev{Major: unix.Major(st.Dev), Minor: unix.Minor(st.Dev)}, nil
}

// nodeDevice is the number of a block device's file.
func nodeDevice(path string) (sysfs.Dev, bool) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFBLK {
		return sysfs.Dev{}, false
	}
	return sysfs.Dev{Major: unix.Major(st.Rdev), Minor: unix.Minor(st.Rdev)}, true
}

// memoryFile is a file in memory.
func memoryFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
