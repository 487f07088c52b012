package ebpf

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// ring is the reader's end of the programs' ring buffer. It belongs to one goroutine.
//
// cilium/ebpf has a reader too; this one decodes where the record lies instead of
// copying it, and looks in without being woken, which is what rare wake-ups need.
type ring struct {
	consumer, producer []byte // pages; the producer's has the data behind it, twice
	data               []byte
	epoll              int
}

func newRing(m *ebpf.Map) (*ring, error) {
	page, size := os.Getpagesize(), int(m.MaxEntries())
	r := &ring{epoll: -1}
	var err error
	if r.consumer, err = unix.Mmap(m.FD(), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("ebpf: mapping the ring: %w", err)
	}
	if r.producer, err = unix.Mmap(m.FD(), int64(page), page+2*size, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		r.close()
		return nil, fmt.Errorf("ebpf: mapping the ring's data: %w", err)
	}
	r.data = r.producer[page:]
	if r.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err == nil {
		err = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, m.FD(), &unix.EpollEvent{Events: unix.EPOLLIN})
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("ebpf: waiting for the ring: %w", err)
	}
	return r, nil
}

// The positions grow forever; both pages begin with theirs.
func (r *ring) read() uint64      { return atomic.LoadUint64((*uint64)(unsafe.Pointer(&r.consumer[0]))) }
func (r *ring) written() uint64   { return atomic.LoadUint64((*uint64)(unsafe.Pointer(&r.producer[0]))) }
func (r *ring) release(at uint64) { atomic.StoreUint64((*uint64)(unsafe.Pointer(&r.consumer[0])), at) }

// takeRecords decodes as many records as there are, and as out has room for.
func takeRecords[T any](r *ring, out []T, decode func(data []byte, to *T) error) (n int, err error) {
	at := r.read()
	end := r.written()
	for n < len(out) && err == nil {
		data, next, ok, bad := ringNext(r.data, at, end)
		if bad != nil {
			return n, bad
		}
		if !ok {
			break
		}
		if data != nil {
			if err = decode(data, &out[n]); err == nil {
				n++
			}
		}
		at = next
	}
	r.release(at)
	return n, err
}

// wait blocks until the programs wake, or d is over.
func (r *ring) wait(d time.Duration) error {
	var evs [1]unix.EpollEvent
	_, err := unix.EpollWait(r.epoll, evs[:], int((d+time.Millisecond-1)/time.Millisecond))
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("ebpf: waiting for the ring: %w", err)
	}
	return nil
}

func (r *ring) close() {
	if r.consumer != nil {
		unix.Munmap(r.consumer)
	}
	if r.producer != nil {
		unix.Munmap(r.producer)
	}
	if r.epoll >= 0 {
		unix.Close(r.epoll)
	}
	*r = ring{epoll: -1}
}
