package main

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iocb and ioEvent are the kernel's structs (linux/aio_abi.h).
type iocb struct {
	data    uint64
	key     uint32
	flags   uint32
	opcode  uint16 // 0: pread
	prio    int16
	fd      uint32
	buf     uint64
	size    uint64
	offset  int64
	_       uint64
	evFlags uint32
	evFD    uint32
}

type ioEvent struct {
	data, obj uint64
	res, res2 int64
}

// runAIO has all reads in the kernel by Linux AIO, and asks it by io_cancel.
func runAIO(device string, log *endings, teardown bool) (err error) {
	fd, arena, err := open(device)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd), unix.Munmap(arena)) }()
	var ctx uintptr
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, reads, uintptr(unsafe.Pointer(&ctx)), 0); errno != 0 {
		return fmt.Errorf("io_setup: %w", errno)
	}
	// Where the kernel knows them by their addresses, nothing may move them.
	cbs := unsafe.Slice((*iocb)(extra(arena)), reads)
	ptrs := make([]*iocb, reads)
	for i := range cbs {
		cbs[i] = iocb{data: uint64(i), fd: uint32(fd), buf: address(arena, i), size: readSize, offset: offset(i)}
		ptrs[i] = &cbs[i]
	}
	log.start = monotonic()
	for n := 0; n < reads; {
		got, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, ctx, uintptr(reads-n), uintptr(unsafe.Pointer(&ptrs[n])))
		switch errno {
		case 0:
			n += int(got)
		case unix.EAGAIN, unix.EINTR:
		default:
			return fmt.Errorf("io_submit: %w", errno)
		}
	}
	events := make([]ioEvent, reads)
	ended := 0
	// reap waits for events until a time; 0: for the next.
	reap := func(until int64) error {
		var limit *unix.Timespec
		if until != 0 {
			ts := unix.NsecToTimespec(max(until-int64(monotonic()), 0))
			limit = &ts
		}
		n, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, ctx, 1, reads, uintptr(unsafe.Pointer(&events[0])), uintptr(unsafe.Pointer(limit)), 0)
		switch errno {
		case 0:
		case unix.EINTR:
			return nil
		default:
			return fmt.Errorf("io_getevents: %w", errno)
		}
		for _, ev := range events[:int(n)] {
			log.end(int(ev.data), howEnded(int32(ev.res)))
			ended++
		}
		return nil
	}
	for at := log.start + patience; monotonic() < at; {
		if err := reap(int64(at)); err != nil {
			return err
		}
	}
	log.asked = monotonic()
	if teardown {
		// It waits for all of them.
		if _, _, errno := unix.Syscall(unix.SYS_IO_DESTROY, ctx, 0, 0); errno != 0 {
			return fmt.Errorf("io_destroy: %w", errno)
		}
		return nil
	}
	for i := range cbs {
		if victim(i) && log.how[i] == notEnded {
			// EINVAL says that it cannot, which is what it says of all block I/O. Of what it
			// has cancelled, the event comes as of all others.
			var ev ioEvent
			_, _, errno := unix.Syscall(unix.SYS_IO_CANCEL, ctx, uintptr(unsafe.Pointer(&cbs[i])), uintptr(unsafe.Pointer(&ev)))
			if errno != 0 && errno != unix.EINVAL && errno != unix.EAGAIN && errno != unix.EINPROGRESS {
				return fmt.Errorf("io_cancel: %w", errno)
			}
		}
	}
	for ended < reads {
		if err := reap(0); err != nil {
			return err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_IO_DESTROY, ctx, 0, 0); errno != 0 {
		return fmt.Errorf("io_destroy: %w", errno)
	}
	return nil
}

// extraSize is memory behind that of the reads, which extra gives, for what else the
// kernel is told the address of.
const extraSize = reads * 64

func extra(arena []byte) unsafe.Pointer { return unsafe.Pointer(&arena[reads*readSize]) }

// open opens the disk, and maps memory for all reads.
func open(device string) (fd int, arena []byte, err error) {
	if fd, err = unix.Open(device, unix.O_RDONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0); err != nil {
		return -1, nil, fmt.Errorf("%s: %w", device, err)
	}
	arena, err = unix.Mmap(-1, 0, reads*readSize+extraSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_POPULATE)
	if err != nil {
		return -1, nil, errors.Join(err, unix.Close(fd))
	}
	return fd, arena, nil
}

// address is where read i goes to.
func address(arena []byte, i int) uint64 { return uint64(uintptr(unsafe.Pointer(&arena[i*readSize]))) }

// howEnded is what a result means.
func howEnded(res int32) how {
	switch unix.Errno(-res) {
	case unix.ECANCELED, unix.EINTR:
		return cancelled
	}
	if res == readSize {
		return completed
	}
	return failed
}
