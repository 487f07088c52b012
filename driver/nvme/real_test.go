package nvme_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/driver/nvme"
	"blksim/sim"
)

// On goroutines, for the race detector: the controller, the admin queue and two
// I/O queues each have a lane of their own.
func TestRandomCancelsOnRealLanes(t *testing.T) {
	for _, c := range []struct {
		name  string
		depth int
		most  time.Duration // 0: a null medium
	}{{"null medium", 4, 0}, {"null medium, deep", 64, 0}, {"slow medium", 32, 20 * time.Microsecond}} {
		t.Run(c.name, func(t *testing.T) {
			g := lane.NewReal(firstQueueLane + 2)
			defer g.Close()
			var medium device.Medium = device.NewNull()
			if c.most > 0 {
				medium = newSlow(g.Lane(deviceLane), 1, c.most)
			}
			r := newRig(t, rigOptions{group: g, medium: medium,
				device: device.Config{Capacity: 16 << 20, AbortLimit: 2}, driver: nvme.Options{Callback: true}})
			a, b := r.openPort(0, c.depth), r.openPort(1, c.depth)
			ca, cb := newChecker(t, a, 1, 512, 0, 1<<20), newChecker(t, b, 2, 512, 8<<20, 1<<20)
			ca.cancels, cb.cancels = 0.3, 0.1
			r.runCheckers(operations(8000), ca, cb)
			r.checkIdentity(a, b)
			r.close()
		})
	}
}

func TestQueuesOpenAndCloseWhileOthersRun(t *testing.T) {
	g := lane.NewReal(firstQueueLane + 2)
	defer g.Close()
	r := newRig(t, rigOptions{group: g, device: device.Config{Capacity: 16 << 20}})
	a := r.openPort(0, 8)
	c := newChecker(t, a, 1, 512, 0, 1<<20)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.runCheckers(2000, c)
	}()
	b := r.openPort(1, 8)
	for range 100 {
		st, _ := r.do(b, aio.OpWriteZeroes, 8<<20, 4096)
		require.Equal(t, aio.OK, st)
		_ = r.driver.Stats()
	}
	<-ended
	r.close()
}

func TestAnIOAllocatesNothing(t *testing.T) {
	w := sim.NewWorld(1, firstQueueLane+2)
	r := newRig(t, rigOptions{group: w, medium: newSlow(w.Lane(deviceLane), 1, time.Microsecond),
		device: device.Config{Capacity: 16 << 20}, driver: nvme.Options{Callback: true}})
	p := r.openPort(0, 8)
	type io struct {
		op   aio.Op
		n    int64
		bufs [][]byte
	}
	buf := func(n int) []byte { return make([]byte, n) }
	ios := []io{
		{aio.OpRead, 4096, [][]byte{buf(4096)}},
		{aio.OpWrite, 8192, [][]byte{buf(8192)}},
		{aio.OpRead, 128 << 10, [][]byte{buf(128 << 10)}},
		{aio.OpWrite, 2<<20 + 8192, [][]byte{buf(2<<20 + 8192)}},
		{aio.OpRead, 1536, [][]byte{buf(512), buf(512), buf(512)}},
		{aio.OpDiscard, 4096, nil},
		{aio.OpWriteZeroes, 4096, nil},
		{aio.OpFlush, 0, nil},
	}
	for _, cancel := range []bool{false, true} {
		step := func() {
			for _, x := range ios {
				q := p.get(x.op, 0, x.n)
				q.Bufs = x.bufs
				p.submit(q)
			}
			p.commit()
			for _, q := range p.reqs {
				if cancel && p.withDriver[q.Tag] {
					p.cancel(q)
				}
			}
		}
		run := func() {
			p.lane.Post(step)
			_ = w.Run()
		}
		for range 200 { // every slot meets every size
			run()
		}
		require.Zero(t, testing.AllocsPerRun(100, run), "cancel: %v", cancel)
	}
	require.Equal(t, 8, len(p.free))
	require.Zero(t, p.ends[aio.Invalid])
	require.Positive(t, p.ends[aio.Cancelled])
	r.close()
}
