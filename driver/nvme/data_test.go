package nvme_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/driver/nvme"
	"blksim/sim"
)

func TestDataOfEverySizeComesBack(t *testing.T) {
	r := newRig(t, rigOptions{device: device.Config{Capacity: 64 << 20}})
	p := r.openPort(0, 2)
	rnd := rand.New(rand.NewPCG(1, 1))
	sizes := []int64{512, 1024, 3584, 4096, 4608, 8192, 8704, 12288, 128 << 10, 1 << 20,
		512 * 4096, 513 * 4096, 513*4096 + 512, 514 * 4096, 1024 * 4096, 1025 * 4096, 8<<20 - 512, 8 << 20}
	for _, n := range sizes {
		for _, off := range []int64{0, 512, 8<<20 + 4096} {
			w, b := make([]byte, n), make([]byte, n)
			fill(rnd, w)
			st, moved := r.do(p, aio.OpWrite, off, n, w)
			require.Equal(t, aio.OK, st)
			require.Equal(t, n, moved)
			st, moved = r.do(p, aio.OpRead, off, n, b)
			require.Equal(t, aio.OK, st)
			require.Equal(t, n, moved)
			require.True(t, slices.Equal(w, b), "%d bytes at %d", n, off)
		}
	}
	st, _ := r.do(p, aio.OpRead, 64<<20-512, 1024, make([]byte, 1024))
	require.Equal(t, aio.OutOfRange, st)
	require.Zero(t, r.driver.Stats().Bounced)
	r.close()
}

func TestRandomOperationsMatchAModel(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		block int64
		depth int
	}{{1, 512, 1}, {2, 512, 7}, {3, 4096, 16}, {4, 512, 64}} {
		t.Run(fmt.Sprintf("seed=%d", c.seed), func(t *testing.T) {
			w := sim.NewWorld(c.seed, firstQueueLane+2)
			r := newRig(t, rigOptions{group: w, medium: newSlow(w.Lane(deviceLane), c.seed, 50*time.Microsecond),
				device: device.Config{Capacity: 16 << 20, LBASize: int(c.block)}})
			a, b := r.openPort(0, c.depth), r.openPort(1, c.depth)
			r.runCheckers(operations(3000), newChecker(t, a, c.seed, c.block, 0, 1<<20), newChecker(t, b, c.seed+100, c.block, 8<<20, 2<<20))
			r.checkIdentity(a, b)
			if c.block < 4096 {
				require.Positive(t, r.driver.Stats().Bounced)
			}
			r.close()
		})
	}
}

// lateAborts is a register file that brings the admin queue's doorbells late, so
// that Aborts arrive long after they were sent. They stay in order.
type lateAborts struct {
	device.Registers
	lane lane.Lane // the admin lane, which rings that doorbell
	rnd  *rand.Rand
	most time.Duration
	last lane.Time
	on   bool
}

func (x *lateAborts) Write32(off uint32, v uint32) {
	if off != 0x1000 || !x.on {
		x.Registers.Write32(off, v)
		return
	}
	now := x.lane.Now()
	x.last = max(x.last, now.Add(time.Duration(x.rnd.Int64N(int64(x.most)))))
	x.lane.NewTimer(func() { x.Registers.Write32(off, v) }).Arm(x.last.Sub(now))
}

func TestRandomCancelsWithAbortsOnTimeAndLate(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		depth int
		slots int
		keeps float64
		late  time.Duration
	}{
		{1, 8, 0, 0, 0},
		{2, 8, 2, 0.3, 0}, // most commands are unfetched
		{3, 32, 0, 0, 0},
		{4, 2, 0, 0.2, time.Millisecond},
		{5, 1, 0, 0, 300 * time.Microsecond},
		{6, 16, 4, 0, 100 * time.Microsecond},
	} {
		t.Run(fmt.Sprintf("seed=%d", c.seed), func(t *testing.T) {
			w := sim.NewWorld(c.seed, firstQueueLane+2)
			medium := newSlow(w.Lane(deviceLane), c.seed, 10*time.Microsecond)
			medium.keeps = c.keeps
			r := newRig(t, rigOptions{group: w, medium: medium, late: &lateAborts{most: c.late, rnd: rand.New(rand.NewPCG(c.seed, 9))},
				device: device.Config{Capacity: 16 << 20, Slots: c.slots, AbortLimit: 2}, driver: nvme.Options{Callback: true}})
			a, b := r.openPort(0, c.depth), r.openPort(1, c.depth)
			r.late.on = c.late > 0
			ca, cb := newChecker(t, a, c.seed, 512, 0, 1<<20), newChecker(t, b, c.seed+100, 512, 8<<20, 1<<20)
			ca.cancels, cb.cancels = 0.3, 0.01
			r.runCheckers(operations(4000), ca, cb)
			r.late.on = false
			r.checkIdentity(a, b)
			s := r.driver.Stats()
			require.Positive(t, s.AbortsAsked)
			t.Logf("%+v", s)
			r.close()
		})
	}
}

func TestTheSeedDecidesEverything(t *testing.T) {
	run := func(seed uint64) ([]string, nvme.Stats) {
		w := sim.NewWorld(seed, firstQueueLane+2)
		r := newRig(t, rigOptions{group: w, medium: newSlow(w.Lane(deviceLane), seed, 20*time.Microsecond),
			driver: nvme.Options{Callback: true}})
		p := r.openPort(0, 16)
		c := newChecker(t, p, seed, 512, 0, 1<<20)
		c.cancels = 0.2
		r.runCheckers(1000, c)
		s := r.driver.Stats()
		r.close()
		return c.trace, s
	}
	first, stats := run(7)
	again, statsAgain := run(7)
	require.Equal(t, first, again)
	require.Equal(t, stats, statsAgain)
	other, _ := run(8)
	require.NotEqual(t, first, other)
}
