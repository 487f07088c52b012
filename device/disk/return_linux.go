package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// place gives an I/O its place in the table: the kernel gets to know it by token.
func (e *Engine) place(io *IO) {
	if n := len(e.free); n > 0 {
		io.index = e.free[n-1]
		e.free = e.free[:n-1]
		e.table[io.index] = io
	} else {
		io.index = uint32(len(e.table))
		e.table = append(e.table, io)
	}
	io.stage = inKernel
	e.inKernel++
}

// unplace takes it away again: the kernel did not take the I/O, or has ended it.
func (e *Engine) unplace(io *IO) {
	e.table[io.index] = nil
	e.free = append(e.free, io.index)
	io.stage = pending
	e.inKernel--
}

// token names an I/O to the kernel. The generation is cut to 24 bits: the token of
// a use is free again when its event has come.
func (io *IO) token() uint64 { return uint64(io.gen&(1<<24-1))<<32 | uint64(io.index) }

// returned is the event of an I/O: res is what the system call would have returned.
func (e *Engine) returned(token uint64, res int64) {
	index := uint32(token)
	if int(index) >= len(e.table) || e.table[index] == nil || e.table[index].token() != token {
		panic(fmt.Sprintf("disk: the kernel completed %#x, which it does not have", token))
	}
	io := e.table[index]
	e.unplace(io)
	switch {
	case res == -int64(unix.EAGAIN) && io.tries < 8, res == -int64(unix.EINTR):
		io.tries++
		e.pending = append(e.pending, io)
	case res < 0:
		e.finish(io, 0, unix.Errno(-res))
	case io.Op.HasData():
		e.finish(io, res, 0)
	default:
		e.finish(io, io.Len, 0)
	}
}

// expect says that the event of an I/O has come.
func (e *Engine) expect(token uint64) {
	if index := uint32(token); int(index) < len(e.table) {
		if io := e.table[index]; io != nil {
			io.Done.ExpectIO(io)
		}
	}
}

// refused is the end of an I/O with a place that the kernel did not take.
func (e *Engine) refused(io *IO, errno unix.Errno) {
	e.unplace(io)
	io.stage, io.n, io.errno = nowhere, 0, uint32(errno)
	e.ended = append(e.ended, io)
}

// finish gives an I/O back.
func (e *Engine) finish(io *IO, n int64, errno unix.Errno) {
	io.stage = nowhere
	e.came++
	if io.Done != e.last {
		if e.last != nil {
			e.before = append(e.before, e.last)
		}
		e.last = io.Done
	}
	io.Done.CompleteIO(io, n, errno)
}

// endRun tells all who got an IO back that no more come now; some of them twice, if
// theirs were between others.
func (e *Engine) endRun() {
	if e.last == nil {
		return
	}
	e.last.EndRun()
	e.last = nil
	for _, c := range e.before {
		c.EndRun()
	}
	clear(e.before)
	e.before = e.before[:0]
}
