package blk_test

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
	"blksim/driver"
)

// slowDriver completes each request a little later, by a timer, and with Cancel
// at once if it still has it.
type slowDriver struct {
	fake
	cancels bool
}

func (d *slowDriver) OpenQueue(l lane.Lane, _, depth int) (driver.Queue, error) {
	q := &slowQueue{slots: make([]slowSlot, depth)}
	for i := range q.slots {
		s := &q.slots[i]
		s.timer = l.NewTimer(func() { s.end(aio.OK) })
	}
	if d.cancels {
		return &slowCancelQueue{q}, nil
	}
	return q, nil
}

type slowQueue struct {
	slots []slowSlot
	turn  int
}

type slowSlot struct {
	r     *driver.Request
	timer lane.Timer
}

func (s *slowSlot) end(st aio.Status) {
	r := s.r
	s.r = nil
	s.timer.Stop()
	r.Complete(st, r.Len)
}

func (q *slowQueue) Submit(r *driver.Request) aio.Status {
	if q.turn++; q.turn%7 == 0 {
		return aio.Busy
	}
	s := &q.slots[r.Tag]
	if s.r != nil {
		panic("two requests with one tag")
	}
	s.r = r
	s.timer.Arm(time.Duration(q.turn%5) * 20 * time.Microsecond)
	return aio.OK
}

type slowCancelQueue struct{ *slowQueue }

func (q *slowCancelQueue) Cancel(r *driver.Request) {
	if s := &q.slots[r.Tag]; s.r == r {
		s.end(aio.Cancelled)
	}
}

// TestExactlyOneEventEachWithCancelsFromManyGoroutines runs the block layer on
// real lanes, with more submitting lanes than queues, and cancels at any moment.
func TestExactlyOneEventEachWithCancelsFromManyGoroutines(t *testing.T) {
	t.Run("callback", func(t *testing.T) { race(t, true) })
	t.Run("no callback", func(t *testing.T) { race(t, false) })
}

func race(t *testing.T, callback bool) {
	const lanes, queues, perLane, window = 3, 2, 4000, 64
	g := lane.NewReal(lanes)
	defer g.Close()
	d := &slowDriver{fake: *newFake(), cancels: callback}
	ls := []lane.Lane{g.Lane(0), g.Lane(1), g.Lane(2)}
	disk, err := blk.Open(d, blk.Options{Queues: ls[:queues], Submitters: ls, Depth: 16})
	require.NoError(t, err)
	ctx, err := aio.New(aio.Options{Capacity: lanes * window, Lanes: ls})
	require.NoError(t, err)

	// The last IDs of each lane, for the cancellers to aim at.
	var recent [lanes][window]atomic.Uint64
	var next [lanes]int
	submit := func(l, n int) {
		id, err := ctx.Submit(ls[l], disk, aio.IO{Op: aio.OpWrite, Off: int64(n) * 512, Len: 512,
			Buf: make([]byte, 512), Data: uint64(l)<<32 | uint64(n)})
		if err != nil {
			panic(err)
		}
		recent[l][n%window].Store(uint64(id))
	}
	for l := range lanes {
		next[l] = window
		ls[l].Post(func() {
			for n := range window {
				submit(l, n)
			}
		})
	}
	var wg sync.WaitGroup
	var stop atomic.Bool
	for c := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(c), 1))
			for !stop.Load() {
				ctx.Cancel(aio.ID(recent[rng.IntN(lanes)][rng.IntN(window)].Load()))
				time.Sleep(time.Duration(rng.IntN(50)) * time.Microsecond)
			}
		})
	}
	seen := map[uint64]bool{}
	byStatus := map[aio.Status]int{}
	skipped := 0
	evs := make([]aio.Event, 32)
	for len(seen) < lanes*perLane {
		n, err := ctx.Events(t.Context(), 1, evs)
		require.NoError(t, err)
		for _, ev := range evs[:n] {
			require.False(t, seen[ev.Data])
			seen[ev.Data] = true
			byStatus[ev.Status]++
			if ev.Status == aio.Cancelled {
				require.True(t, ev.CancelAsked)
			}
			if !ev.Started {
				require.Equal(t, aio.Cancelled, ev.Status)
				skipped++
			}
			if l := int(ev.Data >> 32); next[l] < perLane {
				n := next[l]
				next[l]++
				ls[l].Post(func() { submit(l, n) })
			}
		}
	}
	stop.Store(true)
	wg.Wait()
	require.NoError(t, ctx.Close(t.Context()))
	require.Equal(t, lanes*perLane, byStatus[aio.OK]+byStatus[aio.Cancelled])
	require.Zero(t, ctx.Stats().StaleCompletes)
	st := disk.Stats()
	require.Zero(t, st.DoubleCompletes)
	require.EqualValues(t, skipped, st.Skipped)
	require.EqualValues(t, lanes*perLane-skipped, st.TotalDispatched()+st.Merged-st.Again)
	require.Positive(t, skipped, "no I/O was cancelled in the queue: the test did not test it")
	if callback {
		require.Positive(t, st.Kicks)
	}
}
