package stack_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/stack"
	"blksim/driver"
)

// On real lanes, with cancels from other goroutines, each I/O of a hedged mirror
// ends once, and the legs are the same in the end.
func TestAMirrorOnRealLanesUnderCancels(t *testing.T) {
	const lanes, total, window = 3, 3000, 32
	g := lane.NewReal(lanes)
	defer g.Close()
	ls := []lane.Lane{g.Lane(0), g.Lane(1), g.Lane(2)}
	mems := []*memory{{cancels: true, depth: 2}, {depth: 4}}
	var disks []*blk.Disk
	for i, m := range mems {
		m.data = make([]byte, capacity)
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		m.latency = func(*driver.Request) time.Duration { return time.Duration(rng.IntN(50)) * time.Microsecond }
		d, err := blk.Open(m, blk.Options{Queues: ls[i+1 : i+2], Submitters: ls})
		require.NoError(t, err)
		disks = append(disks, d)
	}
	v, err := stack.Mirror(disks, &stack.Hedge{Delay: 20 * time.Microsecond, Budget: 500}, stack.Options{Lanes: ls, InFlight: 40})
	require.NoError(t, err)
	ctx, err := aio.New(aio.Options{Capacity: 2 * window, Lanes: ls})
	require.NoError(t, err)
	var recent [window]atomic.Uint64
	submit := func(n int) {
		l := ls[n%lanes]
		l.Post(func() {
			// One place for each I/O in flight, so that the legs can be compared.
			io := aio.IO{Op: aio.Op(n / window % 2), Off: int64(n%window) * 2048, Len: 2048, Buf: make([]byte, 2048), Data: uint64(n)}
			for i := range io.Buf {
				io.Buf[i] = byte(n)
			}
			id, err := ctx.Submit(l, v, io)
			if err != nil {
				panic(err)
			}
			recent[n%window].Store(uint64(id))
		})
	}
	for n := range window {
		submit(n)
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for c := range 2 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(c), 2))
			for !stop.Load() {
				ctx.Cancel(aio.ID(recent[rng.IntN(window)].Load()))
				time.Sleep(time.Duration(rng.IntN(60)) * time.Microsecond)
			}
		})
	}
	seen := map[uint64]bool{}
	evs := make([]aio.Event, 16)
	for len(seen) < total {
		n, err := ctx.Events(t.Context(), 1, evs)
		require.NoError(t, err)
		for _, ev := range evs[:n] {
			require.False(t, seen[ev.Data])
			seen[ev.Data] = true
			require.Contains(t, []aio.Status{aio.OK, aio.Cancelled}, ev.Status)
			if next := int(ev.Data) + window; next < total {
				submit(next)
			}
		}
	}
	stop.Store(true)
	wg.Wait()
	require.NoError(t, ctx.Close(t.Context()))
	for i := range disks { // losers may still be with their leg
		idle := make(chan bool)
		disks[i].Drain(func() { close(idle) })
		<-idle
	}
	require.Equal(t, mems[0].data, mems[1].data)
}
