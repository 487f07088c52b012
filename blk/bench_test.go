package blk_test

import (
	"testing"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver/null"
	"blksim/sim"
)

// BenchmarkNullDriver is aio, blk and a driver that does nothing, on one lane of
// a simulated world: submit, complete, reap.
func BenchmarkNullDriver(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(map[int]string{1: "batch=1", 32: "batch=32"}[batch], func(b *testing.B) {
			w := sim.NewWorld(1, 1)
			l := w.Lane(0)
			drv, err := null.New(null.Options{})
			if err != nil {
				b.Fatal(err)
			}
			disk, err := blk.Open(drv, blk.Options{Queues: []lane.Lane{l}, Depth: 64})
			if err != nil {
				b.Fatal(err)
			}
			ios := make([]aio.IO, batch)
			for i := range ios {
				ios[i] = aio.IO{Op: aio.OpRead, Off: int64(i) * 4096, Len: 4096, Buf: make([]byte, 4096)}
			}
			var ctx *aio.Context
			left := b.N
			submit := func() {
				n := min(batch, left)
				left -= n
				if _, err := ctx.SubmitBatch(l, disk, ios[:n], nil); err != nil {
					b.Error(err)
				}
			}
			pending := 0
			ctx, err = aio.New(aio.Options{Capacity: 1024, Lanes: []lane.Lane{l}, OnEvents: func(_ lane.Lane, evs []aio.Event) {
				if pending += len(evs); pending >= batch && left > 0 {
					pending = 0
					submit()
				}
			}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			l.Post(submit)
			if err := w.Run(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
