package blk_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
)

func TestCancelledBioIsSkippedAtDispatchAndTheDriverNeverSeesIt(t *testing.T) {
	for _, callback := range []bool{true, false} {
		f := newFake()
		f.callback = callback
		r := newRig(t, f, 1, 1)
		r.write(0, 1) // takes the only tag
		id := r.write(0, 2)
		r.write(0, 3)
		r.run()
		require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
		q := f.queues[0]
		q.finish(512, aio.OK)
		r.run()
		require.Equal(t, []int64{512, 3 * 512}, q.seen)
		q.finish(3*512, aio.OK)
		r.run()
		ev := r.evs[2]
		require.Equal(t, aio.Cancelled, ev.Status)
		require.False(t, ev.Started)
		require.Zero(t, ev.Dispatched)
		require.Equal(t, aio.OK, r.evs[3].Status)
		require.Empty(t, q.cancels, "the driver was asked to cancel what it never had")
		require.EqualValues(t, 1, r.disk.Stats().Skipped)
		require.EqualValues(t, 2, r.disk.Stats().TotalDispatched())
	}
}

func TestCancelOfFirstInLineDoesNotWaitForATag(t *testing.T) {
	f := newFake()
	r := newRig(t, f, 1, 1)
	r.write(0, 1)
	id := r.write(0, 2)
	r.run()
	r.ctx.Cancel(id)
	r.write(0, 3) // runs the queue; the tag is still taken
	r.run()
	require.Equal(t, aio.Cancelled, r.evs[2].Status)
	require.NotContains(t, r.evs, uint64(1))
}

func TestACancelledBioLeavesTheMiddleOfTheQueueAtOnce(t *testing.T) {
	for _, callback := range []bool{true, false} {
		f := newFake()
		f.callback = callback
		r := newRig(t, f, 1, 2)
		ids := map[uint64]aio.ID{}
		for n := range uint64(20) {
			ids[n] = r.write(0, n)
		}
		r.run()
		for _, n := range []uint64{19, 2, 10, 11, 3} { // the last, the first that waits, the middle
			require.Equal(t, aio.Accepted, r.ctx.Cancel(ids[n]))
		}
		r.run() // the device does nothing meanwhile
		require.Len(t, r.evs, 5)
		for _, n := range []uint64{19, 2, 10, 11, 3} {
			require.Equal(t, aio.Cancelled, r.evs[n].Status)
			require.False(t, r.evs[n].Started)
		}
		q := f.queues[0]
		for len(q.held) > 0 {
			q.finish(q.held[0].Off, aio.OK)
			r.run()
		}
		require.Len(t, r.evs, 20)
		require.Len(t, q.seen, 15)
		require.IsIncreasing(t, q.seen, "the others keep their order")
		require.Empty(t, q.cancels)
		require.EqualValues(t, 5, r.disk.Stats().Skipped)
	}
}

func TestACancelThatWaitedReachesTheDriverThatHasIt(t *testing.T) {
	f := newFake()
	f.callback = true
	r := newRig(t, f, 1, 1)
	r.write(0, 1)
	id := r.write(0, 2) // waits, so it has its callback before the driver has it
	r.run()
	q := f.queues[0]
	q.finish(512, aio.OK)
	r.run()
	require.Equal(t, []int64{512, 1024}, q.seen)
	require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
	r.run()
	require.Len(t, q.cancels, 1)
	q.finish(1024, aio.Cancelled)
	r.run()
	require.True(t, r.evs[2].Started)
}

func TestDriverWithCancelIsKickedOnceOnItsLane(t *testing.T) {
	f := newFake()
	f.callback = true
	r := newRig(t, f, 1, 4)
	f.onCancel = func(q *fakeQueue, req *driver.Request) { q.finish(req.Off, aio.Cancelled) }
	id := r.write(0, 1)
	r.run()
	require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
	require.Empty(t, f.queues[0].cancels, "Cancel ran on the canceller")
	require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
	r.run()
	require.Len(t, f.queues[0].cancels, 1)
	ev := r.evs[1]
	require.Equal(t, aio.Cancelled, ev.Status)
	require.True(t, ev.Started)
	require.EqualValues(t, 1, r.disk.Stats().Kicks)
}

func TestDriverWithoutCancelFinishesAndTheEventSaysTooLate(t *testing.T) {
	f := newFake()
	r := newRig(t, f, 1, 4)
	id := r.write(0, 1)
	r.run()
	require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
	f.queues[0].finish(512, aio.OK)
	r.run()
	ev := r.evs[1]
	require.Equal(t, aio.OK, ev.Status)
	require.True(t, ev.CancelAsked)
	require.EqualValues(t, 512, ev.N)
}

func TestKickForACompletedRequestDoesNotCancelTheNextInItsSlot(t *testing.T) {
	f := newFake()
	f.callback = true
	r := newRig(t, f, 1, 1)
	id := r.write(0, 1)
	r.write(0, 2)
	r.run()
	q := f.queues[0]
	// The completion is on its way before the kick, so the kick finds I/O 2 in
	// the only slot.
	q.finish(512, aio.OK)
	require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
	r.run()
	require.Equal(t, []int64{512, 1024}, q.seen)
	require.Empty(t, q.cancels)
	q.finish(1024, aio.OK)
	r.run()
	require.Equal(t, aio.OK, r.evs[2].Status)
	require.False(t, r.evs[2].CancelAsked)
}

func TestBusyIsTriedAgainAfterACompletion(t *testing.T) {
	f := newFake()
	room := 1
	f.refuse = func(*driver.Request) aio.Status {
		if room == 0 {
			return aio.Busy
		}
		room--
		return aio.OK
	}
	r := newRig(t, f, 1, 8)
	for n := range uint64(3) {
		r.write(0, n)
	}
	r.run()
	q := f.queues[0]
	for n := range int64(3) {
		require.Len(t, q.seen, int(n)+1, "order kept, one at a time")
		room++
		q.finish(n*512, aio.OK)
		r.run()
	}
	require.Equal(t, []int64{0, 512, 1024}, q.seen)
	require.Positive(t, r.disk.Stats().Busy)
}

func TestBusyWithNothingInFlightIsTriedAgainByATimer(t *testing.T) {
	f := newFake()
	f.limits.RetryDelay = 3 * time.Millisecond
	f.inline = true
	tries := 0
	f.refuse = func(*driver.Request) aio.Status {
		if tries++; tries < 4 {
			return aio.Busy
		}
		return aio.OK
	}
	r := newRig(t, f, 1, 8)
	r.write(0, 1)
	r.run()
	require.Equal(t, aio.OK, r.evs[1].Status)
	require.EqualValues(t, 9*time.Millisecond, r.w.Now())
}

func TestCancelWhileBusyIsSkipped(t *testing.T) {
	f := newFake()
	f.refuse = func(*driver.Request) aio.Status { return aio.Busy }
	r := newRig(t, f, 1, 8)
	id := r.write(0, 1)
	require.NoError(t, r.w.RunUntil(lane.Time(time.Millisecond)))
	require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
	r.run() // ends: the retry timer finds it cancelled
	require.Equal(t, aio.Cancelled, r.evs[1].Status)
	require.False(t, r.evs[1].Started)
	require.Empty(t, f.queues[0].seen)
}

func TestRefusedRequestEndsWithTheDriversStatus(t *testing.T) {
	f := newFake()
	f.refuse = func(*driver.Request) aio.Status { return aio.MediaError }
	r := newRig(t, f, 1, 8)
	r.write(0, 1)
	r.run()
	require.Equal(t, aio.MediaError, r.evs[1].Status)
	require.False(t, r.evs[1].Started)
}

func TestBatchIsCommittedOnce(t *testing.T) {
	f := newFake()
	r := newRig(t, f, 1, 64)
	ios := make([]aio.IO, 20)
	for i := range ios {
		ios[i] = aio.IO{Op: aio.OpRead, Off: int64(i) * 512, Len: 512, Buf: make([]byte, 512), Data: uint64(i)}
	}
	r.on(0, func() {
		n, err := r.ctx.SubmitBatch(r.w.Lane(0), r.disk, ios, nil)
		require.NoError(t, err)
		require.Equal(t, 20, n)
	})
	require.Len(t, f.queues[0].seen, 20)
	require.Equal(t, 1, f.queues[0].commits)
}

func TestCompletionInsideSubmitDoesNotRecurse(t *testing.T) {
	f := newFake()
	f.inline = true
	r := newRig(t, f, 1, 4)
	left := 1000
	r.each = func(aio.Event) {
		if left--; left > 0 {
			r.writeHere(0, uint64(1000-left))
		}
	}
	r.write(0, 0)
	r.run()
	require.Len(t, r.evs, 1000)
	require.Zero(t, f.queues[0].nested)
}

func TestSubmittersOnOtherLanesReachTheirQueue(t *testing.T) {
	f := newFake()
	f.service = time.Microsecond
	r := newRig(t, f, 2, 4)
	for n := range uint64(30) {
		r.write(int(n%3), n)
	}
	r.run()
	require.Len(t, r.evs, 30)
	// Lane 2 has no queue of its own: its I/Os go to queue 2 mod 2.
	require.Len(t, f.queues[0].seen, 20)
	require.Len(t, f.queues[1].seen, 10)
}

func TestBoundsAreCheckedBeforeAnyQueue(t *testing.T) {
	f := newFake()
	f.limits.MaxTransfer = 1 << 20
	r := newRig(t, f, 1, 4)
	end := f.limits.Capacity
	for _, c := range []struct {
		op       aio.Op
		off, len int64
		want     aio.Status
	}{
		{aio.OpRead, 0, 512, aio.OK},
		{aio.OpRead, end - 512, 512, aio.OK},
		{aio.OpRead, end, 512, aio.OutOfRange},
		{aio.OpRead, end - 512, 1024, aio.OutOfRange},
		{aio.OpRead, math.MaxInt64 - 511, 512, aio.OutOfRange},
		{aio.OpRead, -512, 512, aio.Invalid},
		{aio.OpRead, 0, 0, aio.Invalid},
		{aio.OpRead, 0, -512, aio.Invalid},
		{aio.OpRead, 100, 512, aio.Invalid},
		{aio.OpRead, 0, 100, aio.Invalid},
		{aio.OpRead, 0, 1<<20 + 512, aio.OK}, // it will be split
		{aio.OpFlush, 0, 0, aio.OK},
		{aio.OpDiscard, 0, 512, aio.NotSupported},
	} {
		require.Equal(t, c.want, r.disk.Check(c.op, c.off, c.len), "%v", c)
	}
	r.on(0, func() {
		_, err := r.ctx.Submit(r.w.Lane(0), r.disk, aio.IO{Op: aio.OpRead, Off: end, Len: 512, Buf: make([]byte, 512), Data: 1})
		require.NoError(t, err)
		_, err = r.ctx.Submit(r.w.Lane(0), r.disk, aio.IO{Op: aio.OpRead, Len: 512, Data: 2})
		require.NoError(t, err, "no buffer at all")
	})
	r.run()
	require.Equal(t, aio.OutOfRange, r.evs[1].Status)
	require.Equal(t, aio.Invalid, r.evs[2].Status)
	require.Empty(t, f.queues[0].seen)
	require.EqualValues(t, 2, r.disk.Stats().Rejected)
}

func TestFlushReachesOnlyADeviceWithAWriteCache(t *testing.T) {
	for _, cache := range []bool{true, false} {
		f := newFake()
		f.inline = true
		f.limits.WriteCache = cache
		r := newRig(t, f, 1, 4)
		r.on(0, func() {
			_, err := r.ctx.Submit(r.w.Lane(0), r.disk, aio.IO{Op: aio.OpFlush, Data: 1})
			require.NoError(t, err)
		})
		r.run()
		require.Equal(t, aio.OK, r.evs[1].Status)
		require.Equal(t, cache, r.evs[1].Started)
		require.Equal(t, cache, len(f.queues[0].seen) == 1)
		require.Equal(t, cache, r.disk.Stats().NeedlessFlushes == 0)
	}
}

func TestDoubleCompletionIsCountedAndHarmless(t *testing.T) {
	f := newFake()
	r := newRig(t, f, 1, 1)
	r.write(0, 1)
	r.run()
	req := f.queues[0].held[0]
	r.on(0, func() {
		req.Complete(aio.OK, 512)
		req.Complete(aio.IOError, 0)
	})
	r.run()
	require.Equal(t, aio.OK, r.evs[1].Status)
	require.EqualValues(t, 1, r.disk.Stats().DoubleCompletes)
	r.write(0, 2)
	r.run()
	require.Equal(t, []int64{512, 1024}, f.queues[0].seen)
}

func TestShutdownEndsWhatIsQueuedAndWaitsForTheDevice(t *testing.T) {
	f := newFake()
	r := newRig(t, f, 1, 2)
	for n := range uint64(10) {
		r.write(0, n)
	}
	r.run()
	r.ctx.Shutdown()
	require.Equal(t, 10, r.ctx.InFlight())
	f.queues[0].finish(0, aio.OK)
	r.run()
	require.Len(t, r.evs, 9)
	require.Equal(t, 1, r.ctx.InFlight())
	f.queues[0].finish(512, aio.OK)
	r.run()
	require.NoError(t, r.ctx.Close(t.Context()))
	_, err := r.ctx.Submit(r.w.Lane(0), r.disk, aio.IO{})
	require.ErrorIs(t, err, aio.ErrClosed)
}

func TestOpenRefusesWhatTheDriverDoesNotHave(t *testing.T) {
	f := newFake()
	f.limits.Queues = 1
	w := newRig(t, newFake(), 2, 1).w
	_, err := blk.Open(f, blk.Options{Queues: []lane.Lane{w.Lane(0), w.Lane(1)}})
	require.EqualError(t, err, "blk: 2 hardware queues: the driver has 1")
	_, err = blk.Open(f, blk.Options{})
	require.ErrorContains(t, err, "want at least one")
	_, err = blk.Open(f, blk.Options{Queues: []lane.Lane{w.Lane(0)}, Depth: -1})
	require.ErrorContains(t, err, "depth -1")
}

func TestNoAllocationPerIO(t *testing.T) {
	f := newFake()
	f.inline = true
	f.callback = true
	r := newRig(t, f, 2, 16)
	r.each = func(ev aio.Event) { delete(r.evs, ev.Data) }
	buf := make([]byte, 512)
	q := f.queues
	var submits []func() // on lanes 0 and 1, which have their queue, and on lane 2, which posts
	for l := range 3 {
		submits = append(submits, func() {
			for n := range uint64(8) {
				io := aio.IO{Op: aio.OpRead, Len: 512, Buf: buf, Data: n + uint64(l)<<8}
				if _, err := r.ctx.Submit(r.w.Lane(l), r.disk, io); err != nil {
					panic(err)
				}
			}
		})
	}
	round := func() {
		for l, f := range submits {
			r.w.Lane(l).Post(f)
		}
		if err := r.w.Run(); err != nil {
			panic(err)
		}
		q[0].seen, q[1].seen = q[0].seen[:0], q[1].seen[:0]
	}
	for range 10 {
		round()
	}
	require.Zero(t, testing.AllocsPerRun(100, round))
}
