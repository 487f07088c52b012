package disk

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bell is an eventfd, by which others end the wait of a lane in the kernel. Whoever
// waits has the kernel tell when it is readable, and calls read before looking for what
// it was rung for.
type bell struct {
	fd int
	// rung saves the system call of a second ring. It is set before the write and
	// cleared after the read: so while it is set, a wait will end or has ended.
	rung atomic.Bool

	mu     sync.Mutex // leaf; held in the write
	closed bool       // fd may be somebody else's by now

	word *uint64 // what the kernel reads to and writes from: on the heap
	one  *uint64
}

func newBell() (*bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("disk: eventfd: %w", err)
	}
	b := &bell{fd: fd, word: new(uint64), one: new(uint64)}
	*b.one = 1
	return b, nil
}

// ring may be called from anywhere. The write cannot block: the counter is far from
// full.
func (b *bell) ring() {
	if b.rung.Swap(true) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(b.fd), uintptr(unsafe.Pointer(b.one)), 8)
	}
}

// read takes back what ring wrote, if anything.
func (b *bell) read() {
	_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(b.fd), uintptr(unsafe.Pointer(b.word)), 8)
	b.rung.Store(false)
}

// wait waits until the bell is rung or d has passed (d < 0: no limit), and reads it.
func (b *bell) wait(d time.Duration) {
	fds := []unix.PollFd{{Fd: int32(b.fd), Events: unix.POLLIN}}
	var limit *unix.Timespec
	if d >= 0 {
		t := unix.NsecToTimespec(int64(d))
		limit = &t
	}
	if n, err := unix.Ppoll(fds, limit, nil); err == nil && n > 0 { // EINTR: as if rung
		b.read()
	}
}

func (b *bell) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return unix.Close(b.fd)
}
