package uring

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrBusy says that the kernel takes no more until completions have been reaped:
// reap, and submit again. Nothing was lost.
var ErrBusy = errors.New("uring: the kernel is busy: reap first")

// Next is the next submission entry, empty, to be filled in before Submit; nil
// if there is none free.
func (r *Ring) Next() *SQE {
	if r.filled-r.sqHead.Load() == uint32(len(r.sqes)) {
		return nil
	}
	e := &r.sqes[r.filled&r.sqMask]
	r.filled++
	*e = SQE{}
	return e
}

// Free is how many entries Next can still give.
func (r *Ring) Free() int { return len(r.sqes) - int(r.filled-r.sqHead.Load()) }

// Submit shows what was filled in to the kernel, and runs what the kernel has put
// off for this thread. It never waits.
func (r *Ring) Submit() error {
	r.sqTail.Store(r.filled) // pairs with the kernel's load of the tail
	if r.Polled() {
		// The store is before this load: either we see that the thread sleeps,
		// or it sees the tail before it goes to sleep.
		if r.sqFlags.Load()&sqNeedWakeup == 0 {
			return nil
		}
		return r.enter(0, 0, enterSQWakeup)
	}
	return r.enter(r.filled-r.sqHead.Load(), 0, r.getEvents())
}

// Push is Submit without running what the kernel has put off, for which there is a better
// time: what is submitted goes to its device sooner, and what comes next does as well.
func (r *Ring) Push() error {
	if r.Polled() {
		return r.Submit()
	}
	r.sqTail.Store(r.filled) // pairs with the kernel's load of the tail
	return r.enter(r.filled-r.sqHead.Load(), 0, 0)
}

// getEvents is the flag that has task work run on the way, where it is put off.
func (r *Ring) getEvents() uint32 {
	if r.flags&setupDeferTaskrun != 0 {
		return enterGetEvents
	}
	return 0
}

// Wait is Submit, and waits until at least n completions are there to be reaped.
func (r *Ring) Wait(n int) error {
	for {
		errno := r.enterSlow(n, 0, nil, 0)
		if errno != unix.EINTR {
			return enterError(errno)
		}
	}
}

// WaitFor is Wait for at most d. That it came back early, with fewer completions,
// is no error. It needs Linux 5.11, and waits without a limit before.
func (r *Ring) WaitFor(n int, d time.Duration) error {
	if r.features&featExtArg == 0 {
		return r.Wait(n)
	}
	*r.timeout = unix.NsecToTimespec(int64(max(d, 0)))
	r.arg.ts = uint64(uintptr(unsafe.Pointer(r.timeout)))
	errno := r.enterSlow(n, enterExtArg, unsafe.Pointer(r.arg), unsafe.Sizeof(*r.arg))
	if errno == unix.ETIME || errno == unix.EINTR {
		return nil
	}
	return enterError(errno)
}

// WaitShort is WaitFor without the Go scheduler's knowledge, which saves its work and
// keeps it from giving the rest of this thread's turn to others. So it must be short:
// what wants to run here waits for it, unless it sends the thread a signal, as the
// collector does, and the wait ends. d < 0 is no limit, and saves the kernel a timer.
func (r *Ring) WaitShort(n int, d time.Duration) error {
	*r.timeout = unix.NsecToTimespec(int64(max(d, 0)))
	r.arg.ts = 0
	if d >= 0 {
		r.arg.ts = uint64(uintptr(unsafe.Pointer(r.timeout)))
	}
	submit, flags := r.toSubmit()
	_, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, r.enterFD, submit, uintptr(n), uintptr(flags|r.enterFlags|enterGetEvents|enterExtArg),
		uintptr(unsafe.Pointer(r.arg)), unsafe.Sizeof(*r.arg))
	if errno == unix.ETIME || errno == unix.EINTR {
		return nil
	}
	return enterError(errno)
}

// toSubmit shows the kernel what was filled in, and says how much that is.
func (r *Ring) toSubmit() (n uintptr, flags uint32) {
	r.sqTail.Store(r.filled)
	if !r.Polled() {
		return uintptr(r.filled - r.sqHead.Load()), 0
	}
	if r.sqFlags.Load()&sqNeedWakeup != 0 {
		flags = enterSQWakeup
	}
	return 0, flags
}

// enterSlow is a call that may wait.
func (r *Ring) enterSlow(wait int, flags uint32, arg unsafe.Pointer, size uintptr) unix.Errno {
	submit, more := r.toSubmit()
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, r.enterFD, submit, uintptr(wait),
		uintptr(flags|more|r.enterFlags|enterGetEvents), uintptr(arg), size)
	return errno
}

// enter is a call that does not wait: without the scheduler's knowledge, which
// would cost as much as the call.
func (r *Ring) enter(submit, wait, flags uint32) error {
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, r.enterFD, uintptr(submit), uintptr(wait),
			uintptr(flags|r.enterFlags), 0, 0)
		if errno != unix.EINTR {
			return enterError(errno)
		}
	}
}

func enterError(errno unix.Errno) error {
	switch errno {
	case 0:
		return nil
	case unix.EAGAIN, unix.EBUSY:
		return ErrBusy
	}
	return fmt.Errorf("uring: io_uring_enter: %w", errno)
}

// Reap moves at most len(out) completions to out and returns how many. It makes
// no system call.
func (r *Ring) Reap(out []CQE) int {
	h := r.cqHead.Load()
	n := min(r.cqTail.Load()-h, uint32(len(out))) // pairs with the kernel's store of the tail
	for i := range n {
		out[i] = r.cqes[(h+i)&r.cqMask]
	}
	if n > 0 {
		r.cqHead.Store(h + n)
	}
	return int(n)
}

// Deferred says whether the kernel has completions that it moves to the ring only
// when this thread calls Submit or waits.
func (r *Ring) Deferred() bool { return r.sqFlags.Load()&(sqTaskrun|sqOverflow) != 0 }

// Unsubmitted is how many entries that Next gave the kernel has not yet taken.
func (r *Ring) Unsubmitted() int { return int(r.filled - r.sqHead.Load()) }

// Ready is how many completions there are to be reaped.
func (r *Ring) Ready() int { return int(r.cqTail.Load() - r.cqHead.Load()) }
