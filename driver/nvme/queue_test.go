package nvme

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/device/nvme/spec"
	"blksim/driver"
)

// instant completes a queue's commands as its tail doorbell is rung.
type instant struct {
	q    *queue
	head uint32
	tail int
	lap  bool
}

func (d *instant) Read32(uint32) uint32   { return 0 }
func (d *instant) Read64(uint32) uint64   { return 0 }
func (d *instant) Write64(uint32, uint64) {}

func (d *instant) Write32(off, v uint32) {
	r := &d.q.rings
	if off != r.sqDoorbell {
		return
	}
	for d.head != v {
		cid := spec.SQEAt(r.sq, int(d.head)).CID()
		if d.head++; d.head == r.sqSize {
			d.head = 0
		}
		spec.CQEAt(r.cq, d.tail).Publish(0, uint16(d.head), r.id, spec.MakeDword3(cid, !d.lap, 0))
		if d.tail++; d.tail == int(r.cqSize) {
			d.tail, d.lap = 0, !d.lap
		}
	}
}

type ends struct{ n int }

func (e *ends) CompleteRequest(_ *driver.Request, _ aio.Status, n int64) { e.n += int(n) }

// BenchmarkQueue is the driver's own part of an I/O: Submit, Commit and the
// handler, with next to no device.
func BenchmarkQueue(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			d := &Driver{stats: make([]queueStats, 3)}
			d.format = format{nsid: 1, shift: 9, ops: driver.Ops(aio.OpRead), longest: [aio.NumOps]int64{maxTransfer}}
			q := &d.newQueue(nil, 2, batch).queue
			q.rings.connect(&instant{q: q}, 0)
			var e ends
			reqs := make([]*driver.Request, batch)
			for i := range reqs {
				r := driver.NewRequest(&e, i)
				r.Op, r.Len, r.Bufs = aio.OpRead, 4096, [][]byte{make([]byte, 4096)}
				reqs[i] = r
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				for _, r := range reqs {
					q.Submit(r)
				}
				q.Commit()
				q.handle()
				n += batch * 4096
			}
			require.Equal(b, n, e.n)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch), "ns/IO")
		})
	}
}
