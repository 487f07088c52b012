package main

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"blksim/internal/uring"
)

// Of the kernel's linux/io_uring.h, what only this program needs.
const (
	opLinkTimeout = 15
	linked        = 1 << 2 // IOSQE_IO_LINK

	// In the user data: an answer to a cancel or a timeout, and not of a read.
	answer = 1 << 32
)

// runURing has all reads in the kernel by io_uring, and asks it by ASYNC_CANCEL, or by
// a timeout that is linked to each read which is to be cancelled.
func runURing(linkTimeout bool) func(device string, log *endings, teardown bool) error {
	return func(device string, log *endings, teardown bool) (err error) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		fd, arena, err := open(device)
		if err != nil {
			return err
		}
		r, err := uring.New(uring.Options{Entries: 2 * reads, CQEntries: 4 * reads})
		if err != nil {
			return errors.Join(err, unix.Close(fd), unix.Munmap(arena))
		}
		defer func() {
			// The memory is the kernel's until the last read is done.
			err = errors.Join(err, r.Close(), untilIdle(device), unix.Close(fd), unix.Munmap(arena))
		}()
		u := &ringRun{ring: r, log: log}
		limit := (*unix.Timespec)(extra(arena))
		*limit = unix.NsecToTimespec(int64(patience))
		log.start = monotonic()
		for i := range reads {
			e := r.Next()
			*e = uring.SQE{Opcode: uring.OpRead, FD: int32(fd), Off: uint64(offset(i)), Addr: address(arena, i), Len: readSize, UserData: uint64(i)}
			if linkTimeout && victim(i) {
				e.Flags = linked
				*r.Next() = uring.SQE{Opcode: opLinkTimeout, Addr: uint64(uintptr(unsafe.Pointer(limit))), Len: 1, UserData: answer | uint64(i)}
			}
		}
		if err := submit(r); err != nil {
			return err
		}
		for at := log.start + patience; monotonic() < at; {
			if err := r.WaitFor(1, at-monotonic()); err != nil && !errors.Is(err, uring.ErrBusy) {
				return err
			}
			if err := u.reap(); err != nil {
				return err
			}
		}
		log.asked = monotonic()
		switch {
		case teardown:
			return nil
		case linkTimeout:
			log.asked = log.start + patience // as the kernel was told
		default:
			for i := range reads {
				if victim(i) && log.how[i] == notEnded {
					*r.Next() = uring.SQE{Opcode: uring.OpAsyncCancel, FD: -1, Addr: uint64(i), UserData: answer | uint64(i)}
				}
			}
			if err := submit(r); err != nil {
				return err
			}
		}
		for u.ended < reads {
			if err := r.Wait(1); err != nil && !errors.Is(err, uring.ErrBusy) {
				return err
			}
			if err := u.reap(); err != nil {
				return err
			}
		}
		return nil
	}
}

func submit(r *uring.Ring) error {
	err := r.Submit()
	for errors.Is(err, uring.ErrBusy) {
		err = r.Submit()
	}
	return err
}

// ringRun takes completions.
type ringRun struct {
	ring  *uring.Ring
	log   *endings
	ended int
	out   [64]uring.CQE
}

func (u *ringRun) reap() error {
	for n := u.ring.Reap(u.out[:]); n > 0; n = u.ring.Reap(u.out[:]) {
		for _, c := range u.out[:n] {
			if c.UserData&answer != 0 {
				continue // what became of the read, its own completion tells
			}
			if c.UserData >= reads {
				return fmt.Errorf("a completion of %#x", c.UserData)
			}
			u.log.end(int(c.UserData), howEnded(c.Res))
			u.ended++
		}
	}
	return nil
}
