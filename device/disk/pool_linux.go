package disk

import (
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pool does I/Os by goroutines that wait for the kernel: all of the engine sync, and
// of the others those that the kernel does no other way. It is shared between a lane
// and its goroutines. Its lock is a leaf; system calls are made without it.
type pool struct {
	wake  func() // the lane
	most  int    // goroutines
	ready atomic.Int32

	mu sync.Mutex
	// mu guards what follows.
	work    sync.Cond
	todo    []*IO // first come, first served
	done    []*IO // with their results; ready is how many
	workers int
	idle    int
	closed  bool
}

func newPool(most int, wake func()) *pool {
	p := &pool{wake: wake, most: most}
	p.work.L = &p.mu
	return p
}

// put gives an I/O to the pool.
func (p *pool) put(io *IO) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.todo = append(p.todo, io)
	if p.idle < len(p.todo) && p.workers < p.most {
		p.workers++
		go p.serve()
		return
	}
	p.work.Signal()
}

// cancel takes back an I/O that nobody has begun.
func (p *pool) cancel(io *IO) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.todo, io)
	if i >= 0 {
		p.todo = slices.Delete(p.todo, i, i+1)
	}
	return i >= 0
}

// take moves what is done to out.
func (p *pool) take(out []*IO) []*IO {
	if p.ready.Load() == 0 {
		return out
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out = append(out, p.done...)
	clear(p.done)
	p.done = p.done[:0]
	p.ready.Store(0)
	return out
}

// close ends the goroutines; those that are in the kernel, once they return.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.work.Broadcast()
}

// serve is a goroutine's life.
func (p *pool) serve() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.todo) == 0 && !p.closed {
			p.idle++
			p.work.Wait()
			p.idle--
		}
		if p.closed {
			p.workers--
			return
		}
		io := p.todo[0]
		p.todo = slices.Delete(p.todo, 0, 1)
		p.mu.Unlock()
		n, errno := io.do()
		io.n, io.errno = n, uint32(errno)
		p.mu.Lock()
		p.done = append(p.done, io)
		p.ready.Store(int32(len(p.done)))
		p.mu.Unlock()
		p.wake()
		p.mu.Lock()
	}
}

// do does an I/O and waits for it.
func (io *IO) do() (n int64, errno unix.Errno) {
	for {
		switch f := io.File.file; {
		case io.Op.HasData():
			n, errno = io.transfer(f.fd)
		case io.Op == Flush:
			_, _, errno = unix.Syscall(unix.SYS_FDATASYNC, uintptr(f.fd), 0, 0)
		default:
			errno = f.zero(io.Op, io.Off, io.Len)
		}
		if errno != unix.EINTR {
			break
		}
	}
	if errno == 0 && !io.Op.HasData() {
		n = io.Len
	}
	return n, errno
}

// transfer reads or writes by preadv2 or pwritev2.
func (io *IO) transfer(fd int) (int64, unix.Errno) {
	v := io.fillVector()
	call, flags := uintptr(unix.SYS_PREADV2), 0
	if io.Op == Write {
		call = unix.SYS_PWRITEV2
		if io.FUA {
			flags = unix.RWF_DSYNC
		}
	}
	n, _, errno := unix.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&v[0])), uintptr(len(v)),
		uintptr(io.Off), uintptr(uint64(io.Off)>>32), uintptr(flags)) // the upper half is for machines of 32 bits
	if errno != 0 {
		return 0, errno
	}
	return int64(n), 0
}

// zero discards or zeroes an extent.
func (f *File) zero(op Op, off, n int64) unix.Errno {
	if f.info.Kind == BlockDevice {
		req := uintptr(unix.BLKDISCARD)
		if op == WriteZeroes {
			req = unix.BLKZEROOUT
		}
		extent := [2]uint64{uint64(off), uint64(n)}
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(f.fd), req, uintptr(unsafe.Pointer(&extent)))
		return errno
	}
	const keep = unix.FALLOC_FL_KEEP_SIZE
	if op == WriteZeroes { // keeps the blocks allocated; not every file system can
		if errno := errnoOf(unix.Fallocate(f.fd, keep|unix.FALLOC_FL_ZERO_RANGE, off, n)); errno != unix.EOPNOTSUPP {
			return errno
		}
	}
	return errnoOf(unix.Fallocate(f.fd, keep|unix.FALLOC_FL_PUNCH_HOLE, off, n))
}

// errnoOf is the number of an error of package unix.
func errnoOf(err error) unix.Errno {
	if err == nil {
		return 0
	}
	return err.(unix.Errno) // all that it returns
}
