package replay_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
	"blksim/internal/replay"
	"blksim/traces"
)

// ledger is a device that answers at once and notes what it got. Each Submit is of
// one lane's, and the test looks when the run has ended.
type ledger struct {
	mu  sync.Mutex
	off []int64
	at  []lane.Time
}

func (d *ledger) Limits() driver.Limits {
	return driver.Limits{Capacity: 1 << 40, BlockSize: 512, Queues: 4, QueueDepth: 64, Ops: driver.Ops(aio.OpRead)}
}
func (d *ledger) Close() error { return nil }
func (d *ledger) OpenQueue(l lane.Lane, _, _ int) (driver.Queue, error) {
	return ledgerQueue{d, l}, nil
}

type ledgerQueue struct {
	*ledger
	l lane.Lane
}

func (q ledgerQueue) Submit(r *driver.Request) aio.Status {
	q.mu.Lock()
	q.off = append(q.off, r.Off)
	q.at = append(q.at, q.l.Now())
	q.mu.Unlock()
	r.Complete(aio.OK, r.Len)
	return aio.OK
}

// bursty makes n reads at increasing offsets, in bursts, and their times.
func bursty(n int, gap time.Duration) []traces.Record {
	rnd := rand.New(rand.NewPCG(1, 2))
	recs := make([]traces.Record, n)
	at := int64(0)
	for i := range recs {
		if rnd.IntN(4) == 0 {
			at += rnd.Int64N(int64(gap))
		}
		recs[i] = traces.Record{Time: at, Offset: int64(i) * 1024, Length: 512, CancelAfter: -1, Line: int64(i + 1)}
	}
	return recs
}

// realRun runs records over a ledger on real lanes.
func realRun(t *testing.T, cfg replay.Config, lanes int, src replay.Source) (*replay.Result, *ledger, error) {
	t.Helper()
	g := lane.NewReal(lanes)
	defer g.Close()
	var ls []lane.Lane
	for i := range lanes {
		ls = append(ls, g.Lane(i))
	}
	d := &ledger{}
	disk, err := blk.Open(d, blk.Options{Queues: ls, NoMerges: true})
	require.NoError(t, err)
	e, err := replay.New(cfg, g, disk, ls, src, "test.trace")
	require.NoError(t, err)
	res, err := e.Run()
	return res, d, err
}

// In real time nothing is early and nothing overtakes, whatever the machine does
// meanwhile.
func TestRealTimeTraceTimingIsInOrderAndNeverEarly(t *testing.T) {
	recs := bursty(4000, 200*time.Microsecond)
	res, d, err := realRun(t, replay.Config{}, 1, &slice{recs: recs})
	require.NoError(t, err)
	require.EqualValues(t, len(recs), res.Completed)
	require.EqualValues(t, len(recs), res.Slip.Count())
	require.EqualValues(t, len(recs), res.Pace.Count)
	require.GreaterOrEqual(t, res.Elapsed, time.Duration(recs[len(recs)-1].Time))
	require.Len(t, d.off, len(recs))
	for i := range recs {
		require.Equal(t, recs[i].Offset, d.off[i], "record %d", i)
		require.GreaterOrEqual(t, d.at[i], lane.Time(res.Start)+lane.Time(recs[i].Time), "record %d", i)
	}
}

func TestRealTimeScaleStretchesTheTrace(t *testing.T) {
	recs := every(20, time.Millisecond)
	res, _, err := realRun(t, replay.Config{TimeScale: 3}, 1, &slice{recs: recs})
	require.NoError(t, err)
	require.GreaterOrEqual(t, res.Elapsed, 57*time.Millisecond)
}

func TestRealTimeOverSeveralLanesLosesNothing(t *testing.T) {
	for _, timing := range []replay.Timing{replay.TraceTiming, replay.AFAP, replay.Closed} {
		res, d, err := realRun(t, replay.Config{Timing: timing}, 3, &slice{recs: bursty(5000, 20*time.Microsecond)})
		require.NoError(t, err)
		require.EqualValues(t, 5000, res.Completed, timing)
		seen := map[int64]bool{}
		for _, off := range d.off {
			require.False(t, seen[off])
			seen[off] = true
		}
		require.Len(t, seen, 5000)
		if timing == replay.TraceTiming {
			require.EqualValues(t, 5000, res.Pace.Count)
		} else {
			require.Zero(t, res.Pace.Count, "these are due when they are taken")
		}
	}
}

// slow gives its records one at a time, and each late.
type slow struct {
	slice
	pause time.Duration
}

func (s *slow) Read(recs []traces.Record) (int, error) {
	time.Sleep(s.pause)
	if len(s.recs) == 0 {
		return 0, io.EOF
	}
	return s.slice.Read(recs[:1])
}

// A source that cannot keep up makes the I/Os late, and that shows; none is lost.
func TestASlowSourceShowsAsSlip(t *testing.T) {
	res, _, err := realRun(t, replay.Config{LateAfter: 2 * time.Millisecond}, 1, &slow{slice{recs: every(20, time.Microsecond)}, 3 * time.Millisecond})
	require.NoError(t, err)
	require.EqualValues(t, 20, res.Completed)
	require.GreaterOrEqual(t, res.Slip.Max(), int64(19*3*time.Millisecond-20*time.Microsecond))
	require.EqualValues(t, 19, res.Pace.Late, "the first starts the clock")
	require.Greater(t, res.Pace.Drift(), 100.0)
}

func TestRealTimeErrorOfTheSourceEndsTheRunAfterTheRecordsBeforeIt(t *testing.T) {
	broken := errors.New("broken")
	res, _, err := realRun(t, replay.Config{}, 1, &slice{recs: every(1000, time.Microsecond), err: broken})
	require.ErrorIs(t, err, broken)
	require.EqualValues(t, 1000, res.Completed)
	res, _, err = realRun(t, replay.Config{}, 1, &slice{err: broken})
	require.ErrorIs(t, err, broken)
	require.Zero(t, res.Completed)
}

// A stop finds a pump that waits for its reader.
func TestStopWhileTheSourceHasNothing(t *testing.T) {
	g := lane.NewReal(1)
	defer g.Close()
	lanes := []lane.Lane{g.Lane(0)}
	disk, err := blk.Open(&ledger{}, blk.Options{Queues: lanes})
	require.NoError(t, err)
	src := &slow{slice{recs: every(1000, 0)}, 20 * time.Millisecond}
	e, err := replay.New(replay.Config{}, g, disk, lanes, src, "x")
	require.NoError(t, err)
	go func() {
		for e.Live.Ended.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		e.Stop()
	}()
	res, err := e.Run()
	require.NoError(t, err)
	require.True(t, res.Stopped)
	require.Equal(t, res.Submitted, res.Completed+res.Cancelled())
	require.Less(t, res.Submitted, int64(1000))
}
