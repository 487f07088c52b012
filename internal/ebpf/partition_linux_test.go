package ebpf

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func addPartition(disk *os.File, arg *unix.BlkpgIoctlArg, part *unix.BlkpgPartition) error {
	arg.Data = (*byte)(unsafe.Pointer(part))
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, disk.Fd(), unix.BLKPG, uintptr(unsafe.Pointer(arg))); errno != 0 {
		return errno
	}
	return nil
}
