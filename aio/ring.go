package aio

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"blksim/internal/step"
)

// ring is a completion ring with one producer, the lane that completes, and one
// consumer at a time, the reaper. It holds indexes of kiocbs: what became of an I/O
// stays in its slot, which is DONE, until the reaper makes the event of it. It has
// room for every I/O of the context, and submitters reserve room before they submit,
// so it never overflows. It is made when its lane completes something for the first
// time.
//
// Staging and publishing are two steps, so that many completions cost one
// publication.
type ring struct {
	buf    atomic.Pointer[[]uint32] // for the consumer
	own    []uint32                 // the same for the producer
	staged uint64                   // indexes ever staged; the producer's
	_      [24]byte
	tail   atomic.Uint64 // of these, published; the producer's; pairs with the consumer's load
	_      [56]byte
	head   uint64 // indexes ever consumed; the consumer's
	_      [56]byte
}

// stage adds an index, for publish to show. The ring is made. Producer only.
func (r *ring) stage(index uint32) {
	slot := &r.own[r.staged&uint64(len(r.own)-1)]
	step.Write(slot)
	*slot = index
	r.staged++
}

// make makes room for capacity indexes, the first time. Producer only.
func (r *ring) make(capacity int) {
	if r.own != nil {
		return
	}
	r.own = make([]uint32, 1<<bits.Len(uint(capacity-1)))
	step.Write(&r.buf)
	r.buf.Store(&r.own)
}

// publish shows the consumer what is staged. Producer only.
func (r *ring) publish() {
	step.Write(&r.tail)
	r.tail.Store(r.staged)
}

// waits is how many indexes the consumer may take. Consumer only.
func (r *ring) waits() int {
	step.Read(&r.tail)
	return int(r.tail.Load() - r.head)
}

// shift takes an index; there is one. buf is the ring's. Consumer only.
func (r *ring) shift(buf []uint32) uint32 {
	slot := &buf[r.head&uint64(len(buf)-1)]
	step.Read(slot)
	r.head++
	return *slot
}

// published is how many indexes ever were. Any goroutine.
func (r *ring) published() int64 {
	step.Read(&r.tail)
	return int64(r.tail.Load())
}

// outsideRing is the ring for completions that are delivered outside all lanes:
// by a canceller that found a result left for it.
type outsideRing struct {
	mu sync.Mutex // leaf; makes the many producers one
	ring
}

func (r *outsideRing) push(index uint32, capacity int) {
	step.Lock(&r.mu)
	r.make(capacity)
	r.stage(index)
	r.publish()
	step.Unlock(&r.mu)
}
