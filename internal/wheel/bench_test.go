package wheel

import (
	"container/heap"
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkHold is the hold model: take the earliest event, touch it, add it
// again at a random time later, with n events pending. The queue, container/heap
// and a heap of values (what C++'s priority_queue is) run in turn in short
// windows, so that all see the same machine, and the median window counts. The
// ratios are what is of interest: on a busy machine all times grow together.
func BenchmarkHold(b *testing.B) {
	loads := []struct {
		name string
		gap  func(u uint64) int64
	}{
		{"uniform260us", func(u uint64) int64 { return int64(u >> 20 & (1<<18 - 1)) }},
		{"clustered", func(u uint64) int64 {
			return [8]int64{0, 700, 8_000, 80_000, 80_000, 80_000, 100_000, 3_000_000}[u>>20&7]
		}},
		{"sparse1s", func(u uint64) int64 { return int64(u >> 20 & (1<<30 - 1)) }},
	}
	for _, load := range loads {
		for _, n := range []int{100, 1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", load.name, n), func(b *testing.B) {
				b.ReportAllocs()
				contestants := []func(k int){holdWheel(n, load.gap), holdContainer(n, load.gap), holdValues(n, load.gap)}
				for _, hold := range contestants {
					hold(2*n + 1000) // so that the pending ones are spread as they will stay
				}
				const window = 5000
				times := make([][]time.Duration, len(contestants))
				b.ResetTimer()
				for done := 0; done < b.N; done += window {
					for i, hold := range contestants {
						start := time.Now()
						hold(window)
						times[i] = append(times[i], time.Since(start))
					}
				}
				median := func(i int) float64 {
					slices.Sort(times[i])
					return float64(times[i][len(times[i])/2]) / window
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(0), "wheel-ns")
				b.ReportMetric(median(0)/median(1), "of-container/heap")
				b.ReportMetric(median(0)/median(2), "of-value-heap")
			})
		}
	}
}

func holdWheel(n int, gap func(u uint64) int64) func(k int) {
	var q Queue[event]
	rnd := newRand(1)
	for _, e := range newEvents(n) {
		q.Add(&e.node, gap(rnd()))
	}
	return func(k int) {
		for range k {
			e := q.Pop()
			e.Owner.id++
			q.Add(e, e.At()+gap(rnd()))
		}
	}
}

// entry is an event and its place in a heap of values.
type entry struct {
	at, seq int64
	event   *event
}

func (a *entry) before(b *entry) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// containerHeap is what a Go program would otherwise use.
type containerHeap []*entry

func (h containerHeap) Len() int           { return len(h) }
func (h containerHeap) Less(i, j int) bool { return h[i].before(h[j]) }
func (h containerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *containerHeap) Push(x any)        { *h = append(*h, x.(*entry)) }
func (h *containerHeap) Pop() any {
	s := *h
	e := s[len(s)-1]
	*h = s[:len(s)-1]
	return e
}

func holdContainer(n int, gap func(u uint64) int64) func(k int) {
	var h containerHeap
	var seq int64
	rnd := newRand(1)
	for _, e := range newEvents(n) {
		seq++
		heap.Push(&h, &entry{gap(rnd()), seq, e})
	}
	return func(k int) {
		for range k {
			e := heap.Pop(&h).(*entry)
			e.event.id++
			seq++
			e.at, e.seq = e.at+gap(rnd()), seq
			heap.Push(&h, e)
		}
	}
}

func holdValues(n int, gap func(u uint64) int64) func(k int) {
	var h []entry
	var seq int64
	push := func(e entry) {
		h = append(h, e)
		siftUp(h, len(h)-1)
	}
	rnd := newRand(1)
	for _, e := range newEvents(n) {
		seq++
		push(entry{gap(rnd()), seq, e})
	}
	return func(k int) {
		for range k {
			e := h[0]
			e.event.id++
			last := len(h) - 1
			hole := siftHole(h[:last])
			h[hole] = h[last]
			h = h[:last]
			siftUp(h, hole)
			seq++
			push(entry{e.at + gap(rnd()), seq, e.event})
		}
	}
}

// siftHole moves the hole at the top to a leaf, as std::pop_heap does.
func siftHole(h []entry) (hole int) {
	for {
		child := 2*hole + 1
		if child >= len(h) {
			return hole
		}
		if child+1 < len(h) && h[child+1].before(&h[child]) {
			child++
		}
		h[hole] = h[child]
		hole = child
	}
}

func siftUp(h []entry, i int) {
	e := h[i]
	for i > 0 && e.before(&h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = e
}
