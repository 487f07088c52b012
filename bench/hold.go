package main

import (
	"container/heap"
	"fmt"

	"blksim/bench/figures"
	"blksim/internal/wheel"
)

// eventRows are the simulator's event queue under the hold model: take the
// earliest event, touch it, and add it again at a random time later, with a
// number of events pending. Events of one time keep their order in all of them.
func eventRows() []row {
	pending := []struct {
		name string
		n    int
	}{{"1k", 1e3}, {"10k", 1e4}, {"100k", 1e5}}
	var all []row
	for _, p := range pending {
		all = append(all, row{"event-queue-vs-container-heap-" + p.name, "of container/heap's time", figures.AtMost(0.40, 0.25),
			func(m *meter) (*figures.Reading, error) {
				return m.compare("wheel", onCPU(holdWheel(p.n)), "container/heap", onCPU(holdHeap(p.n)))
			}})
	}
	for _, p := range pending {
		all = append(all, row{"event-queue-vs-priority-queue-" + p.name, "of C++ std::priority_queue's time", figures.AtMost(0.40, 0.25),
			func(m *meter) (*figures.Reading, error) {
				cpp, end, err := holdCPP(p.n)
				if err != nil {
					return nil, err
				}
				defer end()
				return m.compare("wheel", onCPU(holdWheel(p.n)), "priority_queue", cpp)
			}})
	}
	return all
}

const holdPiece = 2048

// holdGap is how much later an event is added again: evenly up to 262 us, so
// about what a flash medium arms its timers for. hold.cc has the same.
func holdGap(r *random) int64 { return int64(r.next() >> (64 - 18)) }

// holdWarm is how many holds spread the pending events as they will stay.
func holdWarm(n int) int { return 3 * n }

// wheelEvent is an event as a lane's timer is one.
type wheelEvent struct {
	node wheel.Node[wheelEvent]
	hits uint64
}

func holdWheel(n int) piece {
	var q wheel.Queue[wheelEvent]
	rnd := random(1)
	events := make([]wheelEvent, n)
	for i := range events {
		e := &events[i]
		e.node.Owner = e
		q.Add(&e.node, holdGap(&rnd))
	}
	hold := func(k int) {
		for range k {
			e := q.Pop()
			e.Owner.hits++
			q.Add(e, e.At()+holdGap(&rnd))
		}
	}
	hold(holdWarm(n))
	return func() (int, error) {
		hold(holdPiece)
		return holdPiece, nil
	}
}

// heapEvent is an event in container/heap, which has pointers to them.
type heapEvent struct {
	at, seq int64
	hits    uint64
	_       [5]uint64 // as large as the others
}

type eventHeap []*heapEvent

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(*heapEvent)) }
func (h *eventHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	*h = (*h)[:last]
	return e
}

func holdHeap(n int) piece {
	var h eventHeap
	var seq int64
	rnd := random(1)
	events := make([]heapEvent, n)
	add := func(e *heapEvent, at int64) {
		seq++
		e.at, e.seq = at, seq
		heap.Push(&h, e)
	}
	for i := range events {
		add(&events[i], holdGap(&rnd))
	}
	hold := func(k int) {
		for range k {
			e := heap.Pop(&h).(*heapEvent)
			e.hits++
			add(e, e.at+holdGap(&rnd))
		}
	}
	hold(holdWarm(n))
	return func() (int, error) {
		hold(holdPiece)
		return holdPiece, nil
	}
}

// sameHolds checks that both queues give the same events in the same order.
func sameHolds(n, k int) error {
	var q wheel.Queue[wheelEvent]
	var h eventHeap
	a, b := random(1), random(1)
	wheelEvents, heapEvents := make([]wheelEvent, n), make([]heapEvent, n)
	for i := range n {
		wheelEvents[i].node.Owner = &wheelEvents[i]
		q.Add(&wheelEvents[i].node, holdGap(&a))
		heapEvents[i].at, heapEvents[i].seq = holdGap(&b), int64(i)
		heap.Push(&h, &heapEvents[i])
	}
	for i := range k {
		w, e := q.Pop(), heap.Pop(&h).(*heapEvent)
		if w.At() != e.at {
			return fmt.Errorf("hold %d: the wheel has %d, the heap %d", i, w.At(), e.at)
		}
		q.Add(w, w.At()+holdGap(&a))
		e.at, e.seq = e.at+holdGap(&b), int64(n+i)
		heap.Push(&h, e)
	}
	return nil
}
