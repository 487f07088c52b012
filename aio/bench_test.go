package aio

import (
	"fmt"
	"testing"

	"blksim/aio/lane"
)

// The whole way of an I/O through the context: submit, a target that completes at
// once, reap. One op is one I/O, whatever the batch.
func BenchmarkSubmitCompleteReap(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			_, lanes := fakeLanes(1)
			c, err := New(Options{Capacity: 1024, Lanes: lanes})
			if err != nil {
				b.Fatal(err)
			}
			ios, ids, evs := make([]IO, batch), make([]ID, batch), make([]Event, batch)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += batch {
				if batch == 1 {
					_, err = c.Submit(lanes[0], null{}, ios[0])
				} else {
					_, err = c.SubmitBatch(lanes[0], nullBatch{}, ios, ids)
				}
				if err != nil {
					b.Fatal(err)
				}
				if n, err := c.Events(background, batch, evs); n != batch || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// The same with a handler on the lane.
func BenchmarkSubmitCompleteHandle(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			fakes, lanes := fakeLanes(1)
			handled := 0
			c, err := New(Options{Capacity: 1024, Lanes: lanes, OnEvents: func(_ lane.Lane, evs []Event) { handled += len(evs) }})
			if err != nil {
				b.Fatal(err)
			}
			ios, ids := make([]IO, batch), make([]ID, batch)
			b.ReportAllocs()
			b.ResetTimer()
			done := 0
			for ; done < b.N; done += batch {
				if _, err := c.SubmitBatch(lanes[0], nullBatch{}, ios, ids); err != nil {
					b.Fatal(err)
				}
				fakes[0].run()
			}
			if handled != done {
				b.Fatal(handled, done)
			}
		})
	}
}

// A cancel of one I/O of many in flight, its completion and its replacement.
func BenchmarkCancel(b *testing.B) {
	for _, inFlight := range []int{1 << 10, 1 << 16} {
		for _, callback := range []bool{false, true} {
			b.Run(fmt.Sprintf("inflight=%d/callback=%v", inFlight, callback), func(b *testing.B) {
				_, lanes := fakeLanes(1)
				c, err := New(Options{Capacity: inFlight, Lanes: lanes})
				if err != nil {
					b.Fatal(err)
				}
				ks := make([]Kiocb, inFlight)
				at := 0
				keep := targetFunc(func(_ lane.Lane, k Kiocb) {
					ks[at] = k
					if callback {
						k.SetCancelFunc(kick)
					}
				})
				for at = range ks {
					if _, err := c.Submit(lanes[0], keep, IO{}); err != nil {
						b.Fatal(err)
					}
				}
				evs := make([]Event, 1)
				victim := uint32(1)
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					victim = victim*1664525 + 1013904223
					at = int(victim>>8) % inFlight
					if c.Cancel(ks[at].id) != Accepted {
						b.Fatal("not accepted")
					}
					ks[at].Complete(lanes[0], Cancelled, 0)
					if n, err := c.Events(background, 1, evs); n != 1 || err != nil {
						b.Fatal(n, err)
					}
					if _, err := c.Submit(lanes[0], keep, IO{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
