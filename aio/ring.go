package aio

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"blksim/internal/step"
)

// ring is a completion ring with one producer, the lane that completes, and one
// consumer at a time, the reaper. It has room for every I/O of the context, and
// submitters reserve room before they submit, so it never overflows. It is made
// when its lane completes something for the first time.
type ring struct {
	buf  atomic.Pointer[[]Event]
	_    [56]byte
	tail atomic.Uint64 // events ever pushed; the producer's; pairs with the consumer's load
	_    [56]byte
	head atomic.Uint64 // events ever popped; the consumer's
	_    [56]byte
}

// push adds an event. Producer only.
func (r *ring) push(ev *Event, capacity int) {
	buf := r.buf.Load()
	if buf == nil {
		b := make([]Event, 1<<bits.Len(uint(capacity-1)))
		buf = &b
		step.Write(&r.buf)
		r.buf.Store(buf)
	}
	t := r.tail.Load()
	slot := &(*buf)[t&uint64(len(*buf)-1)]
	step.Write(slot)
	*slot = *ev
	step.Write(&r.tail)
	r.tail.Store(t + 1)
}

// pop moves at most len(evs) events to evs. Consumer only.
func (r *ring) pop(evs []Event) int {
	step.Read(&r.tail)
	t, h := r.tail.Load(), r.head.Load()
	n := int(min(t-h, uint64(len(evs))))
	if n == 0 {
		return 0
	}
	step.Read(&r.buf)
	buf := *r.buf.Load()
	for i := range n {
		slot := &buf[(h+uint64(i))&uint64(len(buf)-1)]
		step.Read(slot)
		evs[i] = *slot
	}
	step.Write(&r.head)
	r.head.Store(h + uint64(n))
	return n
}

// len is the number of events that wait. Any goroutine; exact for the consumer.
func (r *ring) len() int {
	step.Read(&r.head)
	h := r.head.Load()
	step.Read(&r.tail)
	return int(r.tail.Load() - h)
}

// outsideRing is the ring for completions that are delivered outside all lanes:
// by a canceller that found a result left for it.
type outsideRing struct {
	mu sync.Mutex // leaf; makes the many producers one
	ring
}

func (r *outsideRing) push(ev *Event, capacity int) {
	step.Lock(&r.mu)
	r.ring.push(ev, capacity)
	step.Unlock(&r.mu)
}
