package nvme_test

import (
	"fmt"
	"testing"

	"blksim/aio"
	device "blksim/device/nvme"
	"blksim/sim"
)

// BenchmarkRead4K is the cost of an I/O from Submit to Complete through driver
// and controller over a null medium, without data, on one goroutine.
func BenchmarkRead4K(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			w := sim.NewWorld(1, 3)
			r := newRig(b, rigOptions{group: w, device: device.Config{Data: device.Discard}})
			p := r.openPort(0, batch)
			buf := make([]byte, 4096)
			bufs := [][]byte{buf}
			step := func() {
				for range batch {
					q := p.get(aio.OpRead, 4096, 4096)
					q.Bufs = bufs
					p.submit(q)
				}
				p.commit()
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				p.lane.Post(step)
				_ = w.Run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch), "ns/IO")
		})
	}
}
