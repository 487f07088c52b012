package uring

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// registerSelf has io_uring_enter find the ring without a look at the table of
// open files (5.18). It is for speed only, so it may fail.
func (r *Ring) registerSelf() {
	u := &rsrcUpdate{offset: ^uint32(0), data: uint64(r.fd)}
	n, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerRingFDs, uintptr(unsafe.Pointer(u)), 1, 0, 0)
	if errno == 0 && n == 1 {
		r.enterFD, r.enterFlags = uintptr(u.offset), enterRegisteredRing
	}
}

// unregisterSelf lets go of the ring, which would otherwise live as long as the
// thread.
func (r *Ring) unregisterSelf() {
	if r.enterFlags&enterRegisteredRing != 0 {
		u := &rsrcUpdate{offset: uint32(r.enterFD)}
		_, _, _ = unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), unregisterRingFDs, uintptr(unsafe.Pointer(u)), 1, 0, 0)
		r.enterFD, r.enterFlags = uintptr(r.fd), 0
	}
}

// RegisterFiles registers open files: entries with FixedFile name them by their
// index. Once for a ring. -1 leaves a place for UpdateFile.
func (r *Ring) RegisterFiles(fds []int32) error {
	err := r.register("files", registerFiles, unsafe.Pointer(unsafe.SliceData(fds)), len(fds))
	r.files = err == nil
	return err
}

// unregisterFiles has the kernel let go of the files now: the end of a ring is slow,
// and until then nobody can open a block device anew that was opened exclusively.
func (r *Ring) unregisterFiles() {
	if r.files {
		r.files = false
		_ = r.register("no files", unregisterFiles, nil, 0) // there are some
	}
}

// UpdateFile puts an open file in the place of a registered one, or none: -1.
func (r *Ring) UpdateFile(index int, fd int32) error {
	at := new(int32) // on the heap: the kernel gets its address as a number
	*at = fd
	u := &filesUpdate{offset: uint32(index), fds: uint64(uintptr(unsafe.Pointer(at)))}
	err := r.register("file update", updateFiles, unsafe.Pointer(u), 1)
	runtime.KeepAlive(at)
	return err
}

// RegisterBuffers pins buffers: OpReadFixed and OpWriteFixed name them by their
// index. Once for a ring.
func (r *Ring) RegisterBuffers(bufs [][]byte) error {
	r.buffers = make([]unix.Iovec, len(bufs))
	for i, b := range bufs {
		r.buffers[i].Base = unsafe.SliceData(b)
		r.buffers[i].SetLen(len(b))
	}
	return r.register("buffers", registerBuffers, unsafe.Pointer(unsafe.SliceData(r.buffers)), len(bufs))
}

func (r *Ring) register(what string, op uintptr, arg unsafe.Pointer, n int) error {
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), op, uintptr(arg), uintptr(n), 0, 0)
	if errno != 0 {
		return fmt.Errorf("uring: register %d %s: %w", n, what, errno)
	}
	return nil
}
