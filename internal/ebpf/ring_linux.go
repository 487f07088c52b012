package ebpf

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// rings are the reader's ends of the programs' ring buffers, one for each CPU. They
// belong to one goroutine at a time.
//
// cilium/ebpf has a reader too; this one decodes where a record lies instead of copying
// it, has the records of all CPUs in the order of their times, and looks in without being
// woken, which is what rare wake-ups need.
type rings struct {
	all    []*ring
	timeAt int // where a record has its time
	epoll  int

	// strict is whether the order matters: then nothing is given that a record which is
	// being written on another CPU might be ahead of.
	strict bool
}

// ring is one ring, mapped.
type ring struct {
	consumer, producer []byte // pages; the producer's has the data behind it, twice
	data               []byte

	at, end uint64 // what is being taken
	next    uint64 // behind head
	head    []byte // the record at at; nil: there is none
	time    uint64 // of head
	busy    bool   // it is being written
}

func newRings(maps []*ebpf.Map, timeAt int) (*rings, error) {
	r := &rings{timeAt: timeAt}
	var err error
	if r.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("ebpf: waiting for the rings: %w", err)
	}
	for _, m := range maps {
		one, err := mapRing(m)
		if err == nil {
			r.all = append(r.all, one)
			err = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, m.FD(), &unix.EpollEvent{Events: unix.EPOLLIN})
		}
		if err != nil {
			r.close()
			return nil, fmt.Errorf("ebpf: mapping a ring: %w", err)
		}
	}
	return r, nil
}

func mapRing(m *ebpf.Map) (*ring, error) {
	page, size := os.Getpagesize(), int(m.MaxEntries())
	r := &ring{}
	var err error
	if r.consumer, err = unix.Mmap(m.FD(), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, err
	}
	if r.producer, err = unix.Mmap(m.FD(), int64(page), page+2*size, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		unix.Munmap(r.consumer)
		return nil, err
	}
	r.data = r.producer[page:]
	return r, nil
}

// The positions grow forever; both pages begin with theirs.
func (r *ring) read() uint64      { return atomic.LoadUint64((*uint64)(unsafe.Pointer(&r.consumer[0]))) }
func (r *ring) written() uint64   { return atomic.LoadUint64((*uint64)(unsafe.Pointer(&r.producer[0]))) }
func (r *ring) release(at uint64) { atomic.StoreUint64((*uint64)(unsafe.Pointer(&r.consumer[0])), at) }

// look finds the next record, passing over those that were given up.
func (r *ring) look(timeAt int) error {
	for r.head == nil {
		data, next, ok, err := ringNext(r.data, r.at, r.end)
		if !ok || err != nil {
			r.busy = r.at < r.end
			return err
		}
		if len(data) >= timeAt+8 {
			r.head, r.next, r.time = data, next, binary.LittleEndian.Uint64(data[timeAt:])
			return nil
		}
		r.at = next
	}
	return nil
}

// take decodes as many records as there are, and as out has room for, earliest first.
func take[T any](r *rings, out []T, decode func(data []byte, to *T) error) (n int, err error) {
	until := uint64(math.MaxUint64)
	if r.strict {
		// What is written from now on may not be seen on every ring.
		if until, err = monotonic(); err != nil {
			return 0, err
		}
	}
	for _, one := range r.all {
		one.at, one.end, one.head, one.busy = one.read(), one.written(), nil, false
		if err := one.look(r.timeAt); err != nil {
			return 0, err
		}
	}
	for n < len(out) && err == nil {
		var first *ring
		busy := false
		for _, one := range r.all {
			busy = busy || one.busy
			if one.head != nil && (first == nil || one.time < first.time) {
				first = one
			}
		}
		if first == nil || r.strict && (busy || first.time >= until) {
			break
		}
		if err = decode(first.head, &out[n]); err == nil {
			n++
		}
		first.at, first.head = first.next, nil
		if bad := first.look(r.timeAt); bad != nil {
			err = bad
		}
	}
	for _, one := range r.all {
		one.release(one.at)
	}
	return n, err
}

// monotonic is the clock of all times.
func monotonic() (uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0, fmt.Errorf("ebpf: reading the clock: %w", err)
	}
	return uint64(now.Nano()), nil
}

// wait blocks until the programs wake, or d is over.
func (r *rings) wait(d time.Duration) error {
	var evs [1]unix.EpollEvent
	_, err := unix.EpollWait(r.epoll, evs[:], int((d+time.Millisecond-1)/time.Millisecond))
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("ebpf: waiting for the rings: %w", err)
	}
	return nil
}

func (r *rings) close() {
	for _, one := range r.all {
		unix.Munmap(one.consumer)
		unix.Munmap(one.producer)
	}
	r.all = nil
	unix.Close(r.epoll)
}

const (
	maxRings  = 64
	ringsRoom = 32 << 20 // of all rings together, if the user does not say
)

// ringSize is how many rings there are, and the bytes of each.
func (o Options) ringSize() (count, size int, err error) {
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return 0, 0, fmt.Errorf("ebpf: counting the CPUs: %w", err)
	}
	count = min(cpus, maxRings)
	size = max(o.Buffer, os.Getpagesize())
	switch {
	case o.Mode == Histogram:
		count, size = 1, os.Getpagesize() // there must be one, and it stays empty
	case o.Buffer == 0:
		for size = 4 << 20; size*count > ringsRoom && size > 256<<10; size /= 2 {
		}
	}
	return count, size, nil
}

// makeRings makes the rings, and puts them into the programs' array.
func (o Options) makeRings(spec *ebpf.CollectionSpec) (maps []*ebpf.Map, err error) {
	count, size, err := o.ringSize()
	if err != nil {
		return nil, err
	}
	rings := spec.Maps["rings"]
	rings.MaxEntries = uint32(count)
	rings.InnerMap.MaxEntries = uint32(size)
	for i := range count {
		m, err := ebpf.NewMap(rings.InnerMap)
		if err != nil {
			for _, m := range maps {
				m.Close()
			}
			return nil, fmt.Errorf("ebpf: making a ring of %d bytes: %w", size, err)
		}
		maps = append(maps, m)
		rings.Contents = append(rings.Contents, ebpf.MapKV{Key: uint32(i), Value: m})
	}
	return maps, spec.Variables["ring_count"].Set(uint32(count))
}
