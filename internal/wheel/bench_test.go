package wheel

import (
	stdheap "container/heap"
	"fmt"
	"testing"
	"time"
)

// oracle is what a Go program would otherwise use.
type oracle []*oracleEvent

type oracleEvent struct {
	at, seq int64
}

func (h oracle) Len() int { return len(h) }
func (h oracle) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h oracle) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *oracle) Push(x any)   { *h = append(*h, x.(*oracleEvent)) }
func (h *oracle) Pop() any {
	s := *h
	e := s[len(s)-1]
	*h = s[:len(s)-1]
	return e
}

// BenchmarkHold is the hold model: pop the earliest, add it again at a random
// time later, with n events pending. The queue and container/heap run in turn,
// in short windows, so that both see the same machine; the ratio is what counts.
func BenchmarkHold(b *testing.B) {
	loads := []struct {
		name string
		gap  func(u uint64) int64
	}{
		{"uniform200us", func(u uint64) int64 { return int64(u % 200_000) }},
		{"clustered", func(u uint64) int64 { return []int64{0, 700, 8_000, 80_000, 80_000, 3_000_000}[u%6] }},
		{"sparse1s", func(u uint64) int64 { return int64(u % 1_000_000_000) }},
	}
	for _, load := range loads {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", load.name, n), func(b *testing.B) { hold(b, n, load.gap) })
		}
	}
}

func hold(b *testing.B, n int, gap func(u uint64) int64) {
	var q Queue[event]
	var h oracle
	var seq int64
	rnd := newRand(1)
	for _, e := range newEvents(n) {
		at := gap(rnd())
		q.Add(&e.node, at)
		seq++
		stdheap.Push(&h, &oracleEvent{at, seq})
	}
	const window = 2000
	ours, theirs := newRand(2), newRand(2)
	var tOurs, tTheirs time.Duration
	var done int
	b.ReportAllocs()
	b.ResetTimer()
	for done = 0; done < b.N; done += window {
		start := time.Now()
		for range window {
			e := q.Pop()
			q.Add(e, e.At()+gap(ours()))
		}
		middle := time.Now()
		for range window {
			e := h[0]
			seq++
			e.at, e.seq = e.at+gap(theirs()), seq
			stdheap.Fix(&h, 0)
		}
		tOurs += middle.Sub(start)
		tTheirs += time.Since(middle)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(tOurs.Nanoseconds())/float64(done), "wheel-ns")
	b.ReportMetric(float64(tTheirs.Nanoseconds())/float64(done), "heap-ns")
	b.ReportMetric(float64(tOurs)/float64(tTheirs), "ratio")
}
