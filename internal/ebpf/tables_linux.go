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

// each calls visit for the bios in the table, and not for the pieces of split ones. The
// table changes as it is read: what is queued meanwhile may be left out.
func (p *programs) each(visit func(s *bioSlot)) error {
	m := p.Maps["bios"]
	if p.plain {
		var key uint64
		var s bioSlot
		all := m.Iterate()
		for all.Next(&key, &s) {
			if s.Parent == 0 {
				visit(&s)
			}
		}
		if err := all.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
			return fmt.Errorf("ebpf: reading the table of bios: %w", err)
		}
		return nil // aborted: it changed faster than it could be read
	}
	keys, err := mapped[uint64](p.Maps["bio_keys"])
	if err != nil {
		return err
	}
	defer keys.unmap()
	slots, err := mapped[bioSlot](m)
	if err != nil {
		return err
	}
	defer slots.unmap()
	for i := range keys.values {
		if s := &slots.values[i]; atomic.LoadUint64(&keys.values[i]) != 0 && atomic.LoadUint64(&s.Parent) == 0 {
			visit(s)
		}
	}
	return nil
}

// underway counts the bios in the table; oldest is when the first of them was queued, the
// greatest number if there is none.
func (p *programs) underway() (n uint64, oldest int64, err error) {
	oldest = math.MaxInt64
	err = p.each(func(s *bioSlot) {
		n++
		oldest = min(oldest, int64(atomic.LoadUint64(&s.Queue)))
	})
	return n, oldest, err
}

// unfinished are the bios in the table, as events that have not completed.
func (p *programs) unfinished(d *decoder) (evs []Event, err error) {
	err = p.each(func(s *bioSlot) {
		e := Event{
			Kind: Bio, Queue: int64(s.Queue), Insert: int64(s.Insert), Issue: int64(s.Issue), Sector: int64(s.Sector), Bytes: int64(s.Bytes),
			App: s.App, AppKind: AppKind(s.AppKind), Dev: Dev(s.Dev), PID: uint32(s.TIDs >> 32), TID: uint32(s.TIDs), Bios: s.Pieces,
			Requeues: uint16(s.Requeues), Status: errnoOf(s.Status), Comm: s.Comm,
		}
		d.op(s.OpF, &e)
		evs = append(evs, e)
	})
	return evs, err
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
