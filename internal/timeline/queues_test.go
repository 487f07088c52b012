package timeline_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/record"
	"blksim/internal/replay"
	"blksim/internal/stack"
	"blksim/internal/timeline"
	"blksim/sim"
)

var _ stack.QueueObserver = (*timeline.DiskQueues)(nil)

func newCollector(t *testing.T, window string) *timeline.Collector {
	t.Helper()
	w, err := timeline.ParseWindow(window)
	require.NoError(t, err)
	return timeline.NewCollector(w)
}

// written closes a collector and reads its trace back.
func written(t *testing.T, c *timeline.Collector) map[string][]event {
	t.Helper()
	require.NoError(t, c.Close())
	var b bytes.Buffer
	require.NoError(t, c.WriteTrace(&b, "test"))
	return decode(t, b.Bytes())
}

// value is a counter's event.
func value(at, v uint64) event { return event{at: at, kind: 4, counter: v} }

// occupancies are the counters of queues; each is in order of time, within the size
// that its name tells.
func occupancies(t *testing.T, tracks map[string][]event) map[string][]event {
	t.Helper()
	out := map[string][]event{}
	for name, events := range tracks {
		track, size, is := strings.Cut(name, ", of ")
		if !is || !strings.Contains(track, "Q entries not ") {
			continue
		}
		last := uint64(0)
		for _, e := range events {
			require.EqualValues(t, 4, e.kind)
			require.GreaterOrEqual(t, e.at, last, name)
			last = e.at
			require.LessOrEqual(t, e.counter, number(t, size), name)
		}
		out[track] = events
	}
	return out
}

func number(t *testing.T, s string) (n uint64) {
	t.Helper()
	for _, c := range s {
		require.True(t, c >= '0' && c <= '9', s)
		n = 10*n + uint64(c-'0')
	}
	return n
}

// TestOccupancyOfABatch of 32 through the whole stack, over a device that takes no
// time: all 32 are in the submission queue when the doorbell is handled, all 32 in
// the completion queue until the host has consumed them, and nothing is left.
func TestOccupancyOfABatch(t *testing.T) {
	c := newCollector(t, "all")
	st, err := stack.Build(stack.Spec{Device: "sim:null", Queues: 2, Seed: 1, Observe: func(i int) stack.QueueObserver { return c.Queues().Disk(i) }})
	require.NoError(t, err)
	ctx, err := aio.New(aio.Options{Capacity: 64, Lanes: st.Lanes, OnEvents: func(lane.Lane, []aio.Event) {}})
	require.NoError(t, err)
	c.Queues().Begin(st.Group.Lane(0).Now())
	buf := make([]byte, 4096)
	for i, n := range []int{32, 7} {
		ios, ids := make([]aio.IO, n), make([]aio.ID, n)
		for k := range ios {
			ios[k] = aio.IO{Op: aio.OpRead, Off: int64(k) << 20, Len: 4096, Buf: buf}
		}
		st.Lanes[i].Post(func() {
			_, err := ctx.SubmitBatch(st.Lanes[i], st.Disk, ios, ids)
			require.NoError(t, err)
		})
	}
	require.NoError(t, st.Group.(*sim.World).Run())
	tracks := occupancies(t, written(t, c))
	for track, want := range map[string]uint64{
		"queue 0/SQ entries not fetched": 32, "queue 0/CQ entries not consumed": 32,
		"queue 1/SQ entries not fetched": 7, "queue 1/CQ entries not consumed": 7,
	} {
		require.Contains(t, tracks, track)
		events := tracks[track]
		require.Equal(t, value(0, 0), events[0], track)
		most := uint64(0)
		for _, e := range events {
			most = max(most, e.counter)
		}
		require.Equal(t, want, most, track)
		require.Zero(t, events[len(events)-1].counter, track)
	}
	require.NotContains(t, tracks, "admin queue/SQ entries not fetched", "it had nothing to do in the run")
	require.NoError(t, st.Close())
}

// TestOccupancyOfARunInRealTime, with cancels, whose Aborts are in the admin queue:
// the order and the bounds hold there too.
func TestOccupancyOfARunInRealTime(t *testing.T) {
	c := newCollector(t, "all")
	st, err := stack.Build(stack.Spec{Device: "sim:slow", Queues: 2, Seed: 1, Realtime: true, Observe: func(i int) stack.QueueObserver { return c.Queues().Disk(i) }})
	require.NoError(t, err)
	ctx, err := aio.New(aio.Options{Capacity: 256, Lanes: st.Lanes})
	require.NoError(t, err)
	c.Queues().Begin(st.Group.Lane(0).Now())
	const each = 100
	buf := make([]byte, 4096)
	for _, l := range st.Lanes {
		require.NoError(t, st.Group.Do(l.Index(), func(done func()) {
			for k := range each {
				id, err := ctx.Submit(l, st.Disk, aio.IO{Op: aio.OpRead, Off: int64(k) << 20, Len: 4096, Buf: buf})
				if err == nil && k%3 == 0 {
					ctx.Cancel(id)
				}
			}
			done()
		}))
	}
	evs := make([]aio.Event, 64)
	for left := 2 * each; left > 0; {
		n, err := ctx.Events(t.Context(), 1, evs)
		require.NoError(t, err)
		left -= n
	}
	require.NoError(t, ctx.Close(t.Context()))
	require.NoError(t, st.Close())
	tracks := occupancies(t, written(t, c))
	require.GreaterOrEqual(t, len(tracks), 4)
	for track, events := range tracks {
		require.Zero(t, events[len(events)-1].counter, track)
	}
}

// TestOccupancyOfSeveralDisks is told apart.
func TestOccupancyOfSeveralDisks(t *testing.T) {
	c := newCollector(t, "all")
	q := c.Queues()
	q.Begin(0)
	q.Disk(1).SubmissionQueue(5, 1, 3, 16)
	q.Disk(0).SubmissionQueue(5, 1, 1, 16)
	q.Disk(1).SubmissionQueue(5, 1, 2, 16)
	q.Disk(1).Posted(6, 0, 64)
	tracks := written(t, c)
	require.Equal(t, map[string][]event{
		"queue 0/disk 0: SQ entries not fetched, of 15":      {value(0, 0), value(5, 1)},
		"queue 0/disk 1: SQ entries not fetched, of 15":      {value(0, 0), value(5, 3), value(5, 2)},
		"admin queue/disk 1: CQ entries not consumed, of 63": {value(0, 0), value(6, 1)},
	}, tracks)
}

// TestOccupancyBeginsWithTheWindow, at the value that it had by then, and ends with
// it.
func TestOccupancyBeginsWithTheWindow(t *testing.T) {
	slow := read(1200, 1200, 1210, 1290, 1300)
	for window, want := range map[string][]event{
		"all":                  {value(0, 2), value(0, 3), value(1000, 9), value(1000, 4), value(1250, 5), value(2000, 0)},
		"500ns:1500ns":         {value(500, 3), value(1000, 9), value(1000, 4), value(1250, 5)},
		"1300ns:1900ns":        {value(1300, 5)}, // it does not change
		"around:slowest:100ns": {value(1100, 4), value(1250, 5)},
	} {
		c := newCollector(t, window)
		q := c.Queues()
		tell := func(at lane.Time, n int) { q.Disk(0).SubmissionQueue(7_000+at, 1, n, 16) }
		tell(-10, 2) // before the run
		q.Begin(7_000)
		tell(0, 3)
		tell(1000, 9)
		tell(1000, 5)
		tell(1000, 4)
		tell(1250, 5)
		tell(2000, 0)
		// An I/O that is in each window keeps the queue's group.
		require.NoError(t, c.Write(&record.Batch{IOs: []replay.IO{slow, read(1400, 1400, 1401, 1402, 1403)}}))
		require.Equal(t, want, written(t, c)["queue 0/SQ entries not fetched, of 15"], window)
		require.Zero(t, q.Dropped())
	}
}

// TestOccupancyAroundTheSlowestIsWhole although far more changes come after it than
// are kept; one that does not change there, and of which nobody knows, is left out.
func TestOccupancyAroundTheSlowestIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a million changes")
	}
	c := newCollector(t, "around:slowest:100us")
	q := c.Queues()
	q.Begin(0)
	q.Disk(0).Posted(0, 1, 16)
	const slowest = 30_000_000
	for i := range lane.Time(4*timeline.MaxIOs + 200_000) {
		at := i * 100
		q.Disk(0).SubmissionQueue(at, 1, int(i%8), 16)
		if at == slowest {
			require.NoError(t, c.Write(&record.Batch{IOs: []replay.IO{read(at-1000, at-1000, at-999, at, at)}}))
		}
	}
	tracks := written(t, c)
	events := tracks["queue 0/SQ entries not fetched, of 15"]
	span := 2*100*time.Microsecond + 1000
	require.Len(t, events, 1+int(span/100))
	for i, e := range events[1:] {
		at := uint64(slowest-1000-100_000) + uint64(i)*100
		require.Equal(t, value(at, at/100%8), e)
	}
	require.NotContains(t, tracks, "queue 0/CQ entries not consumed, of 15")
	require.Zero(t, q.Dropped())
}

func TestOccupancyBeyondTheRoomSaysSo(t *testing.T) {
	c := newCollector(t, "0s:1s")
	q := c.Queues()
	q.Begin(0)
	for i := range 4*timeline.MaxIOs + 5 {
		q.Disk(0).SubmissionQueue(lane.Time(i), 1, i%2, 16)
	}
	require.EqualValues(t, 5, q.Dropped())
	q.Disk(0).SubmissionQueue(2e9, 1, 0, 16)
	require.EqualValues(t, 5, q.Dropped(), "not of the window")
}
