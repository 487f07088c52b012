package main

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"blksim/bench/figures"
	"blksim/internal/uring"
)

// newRing makes a ring, and locks the goroutine to its thread until end is called.
// Where the kernel has or allows no io_uring, the row is skipped.
func newRing(o uring.Options) (r *uring.Ring, end func(), err error) {
	runtime.LockOSThread()
	r, err = uring.New(o)
	if err != nil {
		runtime.UnlockOSThread()
		if errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM) {
			err = figures.Skip(err.Error())
		}
		return nil, nil, err
	}
	return r, func() {
		r.Close()
		runtime.UnlockOSThread()
	}, nil
}

// nops submits NOPs by the batch and reaps them: one system call for a batch, by
// the raw call, with all that makes io_uring fast.
func nops(batch int) (work piece, end func(), err error) {
	r, end, err := newRing(uring.Options{Entries: batch})
	if err != nil {
		return nil, nil, err
	}
	cqes := make([]uring.CQE, batch)
	sum := uint64(0)
	return func() (ops int, err error) {
		for ops < pieceOps {
			for i := range batch {
				e := r.Next()
				e.Opcode, e.UserData = uring.OpNop, uint64(i)
			}
			if err := r.Submit(); err != nil {
				return ops, err
			}
			n := r.Reap(cqes)
			if n != batch {
				return ops, fmt.Errorf("%d of %d NOPs completed at once", n, batch)
			}
			for i := range cqes {
				sum += cqes[i].UserData + uint64(cqes[i].Res)
			}
			ops += n
		}
		return ops, nil
	}, end, nil
}

// pollCancels keeps n polls of an eventfd outstanding that never fires, cancels a
// random one by its user data and adds another in its place. The cancel and the
// next poll go to the kernel in one call. The completion ring has room for all,
// which also gives the kernel's table of requests its largest size. (To go through
// them in an order, as cancelLoop does, would be unfair: the kernel looks through
// the newest first, so the oldest take twice as long as random ones.)
func pollCancels(n int) (work piece, end func(), err error) {
	r, endRing, err := newRing(uring.Options{Entries: 256, CQEntries: 2 * n})
	if err != nil {
		return nil, nil, err
	}
	fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC, 0)
	if errno != 0 {
		endRing()
		return nil, nil, fmt.Errorf("eventfd: %w", errno)
	}
	end = func() {
		endRing()
		syscall.Close(int(fd))
	}
	poll := func(i int) {
		const in = 1 // POLLIN
		e := r.Next()
		e.Opcode, e.FD, e.OpFlags, e.UserData = uring.OpPollAdd, int32(fd), in, uint64(i)
	}
	for i := range n {
		poll(i)
		if i%r.Entries() == r.Entries()-1 || i == n-1 {
			if err := r.Submit(); err != nil {
				end()
				return nil, nil, err
			}
		}
	}
	c := &pollCanceller{ring: r, n: n, random: 1, poll: poll}
	return c.piece, end, nil
}

type pollCanceller struct {
	ring   *uring.Ring
	n      int
	random random
	poll   func(i int) // the user data is i
	cqes   [4]uring.CQE
}

// ofCancel is the user data of cancels.
const ofCancel = 1 << 40

func (c *pollCanceller) piece() (ops int, err error) {
	const some = 16 // one takes tens of microseconds
	for ; ops < some; ops++ {
		victim := c.random.below(c.n)
		e := c.ring.Next()
		e.Opcode, e.FD, e.Addr, e.UserData = uring.OpAsyncCancel, -1, uint64(victim), ofCancel
		c.poll(victim) // takes the victim's place: the kernel works in order
		if err := c.ring.Wait(2); err != nil {
			return ops, err
		}
		n := c.ring.Reap(c.cqes[:])
		if n != 2 {
			return ops, fmt.Errorf("%d completions of a cancel: want 2", n)
		}
		for _, q := range c.cqes[:n] {
			if want := c.want(victim, &q); q.Res != want {
				return ops, fmt.Errorf("completion of %d: %d, want %d", q.UserData, q.Res, want)
			}
		}
	}
	return ops, nil
}

// want is the result that a completion must have.
func (c *pollCanceller) want(victim int, q *uring.CQE) int32 {
	if q.UserData == ofCancel {
		return 0
	}
	if q.UserData != uint64(victim) {
		return 1 // no such result: nothing else may complete
	}
	return -int32(syscall.ECANCELED)
}

// polledNops submits NOPs in batches to a ring that a kernel thread polls, and
// reaps them as they come. It looks for completions only for a moment before it
// waits for them in the kernel, and the kernel's thread sleeps 1 ms after its last
// work.
func polledNops() (work crew, end func(), err error) {
	r, endRing, err := newRing(uring.Options{Entries: pipelineDepth, PollIdle: time.Millisecond})
	if err != nil {
		return nil, nil, err
	}
	cqes := make([]uring.CQE, pipelineDepth)
	sum := uint64(0)
	return func(d time.Duration) (ops int, err error) {
		flying := 0
		for start := time.Now(); ; {
			if time.Since(start) < d {
				for flying+pipelineBatch <= pipelineDepth && prepare(r, pipelineBatch) {
					flying += pipelineBatch
				}
				err = r.Submit()
			} else if flying == 0 {
				return ops, nil
			}
			const looks = 2000
			for i := 0; i < looks && r.Ready() < pipelineBatch; i++ {
			}
			if r.Ready() == 0 && err == nil {
				err = r.WaitFor(1, time.Millisecond)
			}
			if err != nil {
				return ops, err
			}
			n := r.Reap(cqes)
			for i := range cqes[:n] {
				sum += cqes[i].UserData
			}
			flying -= n
			ops += n
		}
	}, endRing, nil
}

// prepare fills in a batch, if there is room for all of it.
func prepare(r *uring.Ring, batch int) bool {
	if r.Free() < batch {
		return false
	}
	for i := range batch {
		e := r.Next()
		e.Opcode, e.UserData = uring.OpNop, uint64(i)
	}
	return true
}
