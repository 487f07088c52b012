package blk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/tagset"
	"blksim/driver"
)

// Two disks on one set of tags: never more out than there are, each has its share
// while both want some, and one has all when the other is idle.
func TestDisksShareASetOfTagsFairly(t *testing.T) {
	set := tagset.New(6)
	r := newRig(t, newFake(), 1, 1)
	var fakes []*fake
	var disks []*blk.Disk
	for i := range 2 {
		f := newFake()
		d, err := blk.Open(f, blk.Options{Queues: []lane.Lane{r.w.Lane(i)}, Tags: set, NoMerges: true})
		require.NoError(t, err)
		fakes, disks = append(fakes, f), append(disks, d)
	}
	submit := func(i int, n uint64) {
		r.disk = disks[i]
		r.write(i, n)
		r.run()
	}
	held := func() []int { return []int{len(fakes[0].queues[0].held), len(fakes[1].queues[0].held)} }
	for n := range uint64(10) {
		submit(0, n)
	}
	require.Equal(t, []int{6, 0}, held(), "the other wants none")
	for n := range uint64(10) {
		submit(1, 100+n)
	}
	for _, want := range [][]int{{5, 1}, {4, 2}, {3, 3}} {
		q := fakes[0].queues[0]
		q.finish(q.held[0].Off, aio.OK)
		r.run()
		require.Equal(t, want, held(), "what one gives back is the other's")
	}
	for i := range fakes {
		q := fakes[i].queues[0]
		for len(q.held) > 0 {
			q.finish(q.held[0].Off, aio.OK)
			r.run()
			require.LessOrEqual(t, len(fakes[0].queues[0].held)+len(fakes[1].queues[0].held), 6)
		}
	}
	require.Len(t, r.evs, 20, "none was forgotten")
	require.Equal(t, 6, set.Free())
	for _, d := range disks {
		require.NoError(t, d.Close())
	}
}

func TestAReservedTagIsKeptForFlushes(t *testing.T) {
	f := newFake()
	f.limits.WriteCache = true
	r := openWith(t, f, blk.Options{Depth: 3, ReservedTags: 1, NoMerges: true})
	for n := range uint64(5) {
		r.write(0, 10+n)
	}
	r.run()
	require.Len(t, f.queues[0].held, 2)
	r.io(1, aio.IO{Op: aio.OpFlush})
	require.Equal(t, []aio.Op{aio.OpWrite, aio.OpWrite, aio.OpFlush}, ops(f.queues[0]))
}

func TestABudgetHoldsForAllQueuesTogether(t *testing.T) {
	f := newFake()
	r := newRig(t, newFake(), 2, 1)
	lanes := []lane.Lane{r.w.Lane(0), r.w.Lane(1)}
	var err error
	r.disk, err = blk.Open(f, blk.Options{Queues: lanes, Budget: 3, NoMerges: true})
	require.NoError(t, err)
	for n := range uint64(20) {
		r.write(int(n%2), n)
	}
	r.run()
	for ended := 0; ended < 20; ended++ {
		out := len(f.queues[0].held) + len(f.queues[1].held)
		require.Equal(t, min(3, 20-ended), out)
		q := f.queues[ended%2]
		if len(q.held) == 0 {
			q = f.queues[1-ended%2]
		}
		q.finish(q.held[0].Off, aio.OK)
		r.run()
	}
	require.Len(t, r.evs, 20)
}

// resetting is a device that answers nothing; its reset works, fails, or never ends.
type resetting struct {
	*fake
	how    string
	resets int
}

func (d *resetting) Reset(done func(error)) {
	d.resets++
	q := d.queues[0]
	q.lane.Post(func() {
		held := q.held
		q.held = nil
		switch d.how {
		case "works":
			for _, r := range held {
				r.Complete(aio.TimedOut, 0)
			}
			done(nil)
		case "fails":
			done(errors.New("it is broken"))
		}
	})
}

// A device that never answers: everything ends in bounded time, also when its reset
// fails or never ends, and what a user cancelled is not sent again.
func TestEverythingEndsOverADeviceThatNeverAnswers(t *testing.T) {
	for how, want := range map[string]struct {
		resets int
		last   aio.Status
		after  aio.Status
		within time.Duration
	}{
		"works":     {3, aio.TimedOut, aio.TimedOut, 3 * time.Millisecond},
		"fails":     {1, aio.TimedOut, aio.Gone, time.Millisecond},
		"never end": {1, aio.TimedOut, aio.Gone, 6 * time.Millisecond},
	} {
		f := newFake()
		d := &resetting{fake: f, how: how}
		r := openWith(t, d, blk.Options{Depth: 2, Timeout: time.Millisecond, ResetTimeout: 5 * time.Millisecond, Retries: 2, NoMerges: true})
		r.write(0, 1)
		id := r.write(0, 2)
		r.ctx.Cancel(id)
		waits := r.write(0, 3)
		r.ctx.Cancel(waits)
		r.run()
		require.Len(t, r.evs, 3, how)
		require.Equal(t, want.last, r.evs[1].Status, how)
		require.Equal(t, aio.TimedOut, r.evs[2].Status, "that it was not done cannot be said")
		require.Equal(t, []any{aio.Cancelled, false}, []any{r.evs[3].Status, r.evs[3].Started})
		require.Equal(t, want.resets, d.resets, how)
		require.LessOrEqual(t, r.w.Now(), lane.Time(want.within), how)
		times := 0
		for _, off := range f.queues[0].seen {
			if off == 1024 {
				times++
			}
		}
		require.Equal(t, 1, times, "a user's cancel was sent again")
		r.write(0, 9)
		r.run()
		require.Equal(t, want.after, r.evs[9].Status, how)
	}
}

var _ driver.Resetter = (*resetting)(nil)
