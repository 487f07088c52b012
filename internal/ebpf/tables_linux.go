package ebpf

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// bioSlot is struct bio_slot of bpf/table.h.
type bioSlot struct {
	Queue, Insert, Issue, Sector, App, TIDs, Parent uint64
	Bytes                                           uint32
	Left                                            int32
	OpF, Dev                                        uint32
	Status                                          int32
	AppKind, Requeues                               uint8
	Pieces                                          uint16
	Comm                                            [16]byte
}

// underway counts the bios in the table, and not the pieces of split ones; oldest is
// when the first of them was queued, the greatest number if there is none. It changes as
// it is read: what is queued meanwhile may be left out.
func (p *programs) underway() (n uint64, oldest int64, err error) {
	oldest = math.MaxInt64
	count := func(queue, parent uint64) {
		if parent == 0 {
			n++
			oldest = min(oldest, int64(queue))
		}
	}
	m := p.Maps["bios"]
	if p.plain {
		var key uint64
		var s bioSlot
		all := m.Iterate()
		for all.Next(&key, &s) {
			count(s.Queue, s.Parent)
		}
		if err = all.Err(); errors.Is(err, ebpf.ErrIterationAborted) {
			err = nil // it changed faster than it could be read
		}
		return n, oldest, err
	}
	keys, err := mapped[uint64](p.Maps["bio_keys"])
	if err != nil {
		return 0, 0, err
	}
	defer keys.unmap()
	slots, err := mapped[bioSlot](m)
	if err != nil {
		return 0, 0, err
	}
	defer slots.unmap()
	for i := range keys.values {
		if atomic.LoadUint64(&keys.values[i]) != 0 {
			s := &slots.values[i]
			count(atomic.LoadUint64(&s.Queue), atomic.LoadUint64(&s.Parent))
		}
	}
	return n, oldest, nil
}

// Settled is a time of CLOCK_MONOTONIC: what was queued before has completed, and its
// events are in the ring already, or were read. A bio that never completes holds it back.
func (t *Tracer) Settled() (ns int64, err error) {
	now, err := monotonic()
	if err != nil {
		return 0, err
	}
	_, oldest, err := t.underway()
	return min(int64(now), oldest), err
}

// window is an array map as it lies in memory; the programs write to it meanwhile.
type window[T any] struct {
	values []T
	bytes  []byte
}

func mapped[T any](m *ebpf.Map) (w window[T], err error) {
	size := int(m.MaxEntries() * m.ValueSize())
	if w.bytes, err = unix.Mmap(m.FD(), 0, size, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return w, fmt.Errorf("ebpf: mapping a table: %w", err)
	}
	var t T
	w.values = unsafe.Slice((*T)(unsafe.Pointer(&w.bytes[0])), size/int(unsafe.Sizeof(t)))
	return w, nil
}

func (w window[T]) unmap() { unix.Munmap(w.bytes) }
