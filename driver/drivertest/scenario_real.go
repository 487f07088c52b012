package drivertest

import (
	"sync/atomic"
	"time"

	"blksim/aio"
)

// playReal runs loads with data and cancels on all queues at once, each on a lane
// that is a goroutine.
func playReal(b *bench) {
	const patience = 30 * time.Second
	b.queues(b.lanesFor(), b.depth())
	var loads []*load
	base := int64(0)
	var left atomic.Int64
	left.Store(int64(len(b.ports)))
	home := b.group.lanes[maxQueues]
	err := b.group.Do(home.Index(), func(done func()) {
		over := home.NewTimer(func() {
			b.broke("real-lanes", nil, nil, "after %v not all requests are complete", patience)
		})
		over.Arm(patience)
		b.mu.Lock()
		b.stopped = done
		b.mu.Unlock()
		for _, p := range b.ports {
			l := b.newLoad(p, 5*jobs, p.depth)
			l.blocks = min(l.blocks, b.lim.Capacity/int64(b.lim.BlockSize)/int64(len(b.ports)))
			l.base, base = base, base+l.blocks
			l.most = min(l.most, l.blocks)
			if b.stores() && l.blocks > 0 {
				l.keep(aio.OpRead, aio.OpWrite)
				l.know(newModel(b, l), "real-lanes")
				l.fill()
			}
			if p.can.Canceler != nil {
				l.cancels, l.within = 30, b.within()
			}
			l.onDrained = func() {
				l.onDrained = nil
				if left.Add(-1) == 0 {
					done()
				}
			}
			loads = append(loads, l)
			l.start()
		}
	})
	if err != nil {
		b.broke("real-lanes", nil, nil, "%v", err)
	}
	b.close()
}

// stores says whether data that is written can be read back.
func (b *bench) stores() bool {
	return !b.o.NoData && b.lim.Ops.Has(aio.OpRead) && b.lim.Ops.Has(aio.OpWrite)
}
