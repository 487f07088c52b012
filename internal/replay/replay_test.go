package replay_test

import (
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
	"blksim/internal/replay"
	"blksim/sim"
	"blksim/traces"
)

// serial is a device that serves one request at a time, each in the same time,
// and notes when it got it. With cancels it lets a waiting request go.
type serial struct {
	service time.Duration
	cancels bool

	l     lane.Lane
	queue []*driver.Request
	timer lane.Timer
	got   []lane.Time
	most  int
}

func (d *serial) Limits() driver.Limits {
	return driver.Limits{Capacity: 1 << 20, BlockSize: 4096, Queues: 4, QueueDepth: 8,
		Ops: driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush)}
}
func (d *serial) Close() error { return nil }
func (d *serial) OpenQueue(l lane.Lane, _, _ int) (driver.Queue, error) {
	if d.l == nil {
		d.l = l
		d.timer = l.NewTimer(d.next)
	}
	if d.cancels {
		return serialCancel{d}, nil
	}
	return d, nil
}

func (d *serial) Submit(r *driver.Request) aio.Status {
	d.got = append(d.got, d.l.Now())
	d.queue = append(d.queue, r)
	d.most = max(d.most, len(d.queue))
	if len(d.queue) == 1 {
		d.timer.Arm(d.service)
	}
	return aio.OK
}

func (d *serial) next() {
	r := d.queue[0]
	d.queue = d.queue[1:]
	if len(d.queue) > 0 {
		d.timer.Arm(d.service)
	}
	r.Complete(aio.OK, r.Len)
}

type serialCancel struct{ *serial }

func (d serialCancel) Cancel(r *driver.Request) {
	for i, q := range d.queue[1:] {
		if q == r {
			d.serial.queue = append(d.queue[:i+1:i+1], d.queue[i+2:]...)
			r.Complete(aio.Cancelled, 0)
			return
		}
	}
}

type slice struct {
	recs []traces.Record
	err  error // after them; nil: io.EOF
}

func (s *slice) Read(recs []traces.Record) (int, error) {
	n := copy(recs, s.recs)
	s.recs = s.recs[n:]
	if len(s.recs) > 0 {
		return n, nil
	}
	if s.err != nil {
		return n, s.err
	}
	return n, io.EOF
}

// every makes n reads of a block, one each period.
func every(n int, period time.Duration) []traces.Record {
	recs := make([]traces.Record, n)
	for i := range recs {
		recs[i] = traces.Record{Time: int64(i) * int64(period), Length: 4096, CancelAfter: -1, Line: int64(i + 1)}
	}
	return recs
}

func run(t *testing.T, cfg replay.Config, d *serial, src replay.Source) (*replay.Result, error) {
	t.Helper()
	w := sim.NewWorld(1, 1)
	lanes := []lane.Lane{w.Lane(0)}
	disk, err := blk.Open(d, blk.Options{Queues: lanes})
	require.NoError(t, err)
	e, err := replay.New(cfg, w, disk, lanes, src, "test.trace")
	require.NoError(t, err)
	return e.Run()
}

func TestTraceTimingSubmitsEachWhenItIsDue(t *testing.T) {
	d := &serial{service: time.Microsecond}
	res, err := run(t, replay.Config{TimeScale: 2}, d, &slice{recs: every(1000, 10*time.Microsecond)})
	require.NoError(t, err)
	for i, at := range d.got {
		require.EqualValues(t, i*20_000, at)
	}
	require.EqualValues(t, 1000, res.Completed)
	require.EqualValues(t, 999*20*time.Microsecond+time.Microsecond, res.Elapsed)
	require.EqualValues(t, 999*10*time.Microsecond, res.Span)
	require.EqualValues(t, 1000, res.Ops[aio.OpRead].Latency.Max(), "ns: the service time")
	require.Zero(t, res.Slip.Max())
}

func TestAnOverloadedDeviceShowsInLatencyNotInTheSchedule(t *testing.T) {
	d := &serial{service: 100 * time.Microsecond}
	res, err := run(t, replay.Config{}, d, &slice{recs: every(100, 10*time.Microsecond)})
	require.NoError(t, err)
	require.Zero(t, res.Slip.Max())
	// The last is due at 990 us and done at 10,000 us.
	require.EqualValues(t, 9_010_000, res.Ops[aio.OpRead].Latency.Max())
	require.Equal(t, 8, d.most, "the rest waits in the block layer")
}

func TestClosedKeepsDepthInFlight(t *testing.T) {
	for _, depth := range []int{1, 3, 8} {
		d := &serial{service: 10 * time.Microsecond}
		res, err := run(t, replay.Config{Timing: replay.Closed, Depth: depth}, d, &slice{recs: every(500, time.Hour)})
		require.NoError(t, err)
		require.Equal(t, depth, d.most)
		require.EqualValues(t, 5*time.Millisecond, res.Elapsed)
	}
}

func TestDeadlineCancelsWhatIsLateAndEveryIOIsCountedOnce(t *testing.T) {
	for _, cancels := range []bool{true, false} {
		d := &serial{service: 100 * time.Microsecond, cancels: cancels}
		cfg := replay.Config{Deadline: 500 * time.Microsecond}
		res, err := run(t, cfg, d, &slice{recs: every(1000, 50*time.Microsecond)})
		require.NoError(t, err)
		require.EqualValues(t, 1000, res.Submitted)
		require.EqualValues(t, 1000, res.Completed+res.Cancelled())
		require.EqualValues(t, 1000-res.Tally.Skipped, len(d.got), "the device saw all but the skipped ones")
		require.Positive(t, res.Cancelled())
		require.Equal(t, res.CancelAccepted, res.Cancelled()+res.TooLate)
		if cancels {
			require.Positive(t, res.Aborted)
		} else {
			require.Zero(t, res.Aborted)
			require.Positive(t, res.Tally.Skipped)
		}
	}
}

func TestRandomCancelsFollowTheSeed(t *testing.T) {
	count := func(seed uint64) int64 {
		d := &serial{service: 100 * time.Microsecond, cancels: true}
		cfg := replay.Config{CancelChance: 300_000, CancelWithin: 50 * time.Microsecond, Seed: seed}
		res, err := run(t, cfg, d, &slice{recs: every(2000, 90*time.Microsecond)})
		require.NoError(t, err)
		require.InDelta(t, 600, res.CancelAsked, 120)
		return res.CancelAsked
	}
	require.Equal(t, count(1), count(1))
	require.NotEqual(t, [3]int64{count(1), count(1), count(1)}, [3]int64{count(2), count(3), count(4)})
}

func TestExtentsAreMadeToFitBlocksAndWrapped(t *testing.T) {
	recs := []traces.Record{
		{Offset: 100, Length: 200, CancelAfter: -1},                    // in one block
		{Offset: 4000, Length: 200, CancelAfter: -1},                   // over a border
		{Offset: 8192, Length: 4096, CancelAfter: -1},                  // fits
		{Offset: 1<<20 + 4096, Length: 8192, CancelAfter: -1},          // beyond: wraps to 4096
		{Offset: 1<<20 - 4096, Length: 8192, CancelAfter: -1},          // over the end: moved back
		{Op: traces.Flush, Offset: 77, Length: 5, CancelAfter: -1},     // has no extent
		{Op: traces.Discard, Offset: 0, Length: 4096, CancelAfter: -1}, // not supported
	}
	d := &serial{service: time.Microsecond}
	res, err := run(t, replay.Config{Redirect: replay.Redirect{Kind: replay.RedirectWrap}, SkipBad: true}, d, &slice{recs: recs})
	require.NoError(t, err)
	require.EqualValues(t, 2, res.Expanded)
	require.EqualValues(t, 2, res.Wrapped)
	require.EqualValues(t, 6, res.Completed)
	require.EqualValues(t, 4096+8192+4096+8192+8192, res.Ops[aio.OpRead].Bytes)
	require.Equal(t, map[string]int64{"operation not supported by the device": 1}, res.Skipped)
}

func TestARecordBeyondTheDeviceEndsTheRunWithItsPlace(t *testing.T) {
	recs := every(10, time.Microsecond)
	recs[6].Offset = 1 << 20
	res, err := run(t, replay.Config{}, &serial{service: time.Microsecond}, &slice{recs: recs})
	var bad *replay.RecordError
	require.ErrorAs(t, err, &bad)
	require.EqualError(t, err, "test.trace:7: read of 4096 bytes at 1048576: beyond the end of the device (1048576 bytes)")
	require.EqualValues(t, 6, res.Completed, "those before it were done")
	require.Equal(t, map[string]int64{"beyond the end of the device": 1}, res.Skipped)
	require.EqualValues(t, 7, res.Records)
}

func TestATransferThatNoMemoryIsForIsRefused(t *testing.T) {
	recs := every(2, time.Microsecond)
	recs[1].Length = 1 << 40
	_, err := run(t, replay.Config{}, &serial{service: time.Microsecond}, &slice{recs: recs})
	require.EqualError(t, err, "test.trace:2: read of 1099511627776 bytes at 0: longer than the largest transfer (268435456 bytes)")
}

func TestWhatTheLimitHeldBackIsSaid(t *testing.T) {
	d := &serial{service: 100 * time.Microsecond}
	res, err := run(t, replay.Config{Depth: 1}, d, &slice{recs: every(10, 10*time.Microsecond)})
	require.NoError(t, err)
	require.EqualValues(t, 9, res.Held)
	require.Positive(t, res.Slip.Max())
	require.Zero(t, res.Ops[aio.OpRead].Queue.Max(), "not the stack's time")
}

func TestConfigurationsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []replay.Config{
		{TimeScale: -1}, {TimeScale: math.NaN()}, {TimeScale: math.Inf(1)}, {TimeScale: 1e300}, {Depth: -1}, {Depth: 1 << 20},
		{Deadline: -1}, {Deadline: math.MaxInt64}, {CancelChance: -1}, {CancelChance: 2e6}, {CancelChance: 1},
	} {
		require.Error(t, c.Validate(), "%+v", c)
	}
}

func TestAnErrorOfTheSourceEndsTheRunAfterTheRecordsBeforeIt(t *testing.T) {
	broken := errors.New("broken")
	res, err := run(t, replay.Config{}, &serial{service: time.Microsecond}, &slice{recs: every(700, time.Microsecond), err: broken})
	require.ErrorIs(t, err, broken)
	require.EqualValues(t, 700, res.Completed)
}

func TestADeviceThatNeverAnswersIsAnErrorWithTheStuckCounted(t *testing.T) {
	d := &serial{service: -1}
	w := sim.NewWorld(1, 1)
	lanes := []lane.Lane{w.Lane(0)}
	disk, err := blk.Open(hung{d}, blk.Options{Queues: lanes})
	require.NoError(t, err)
	e, err := replay.New(replay.Config{}, w, disk, lanes, &slice{recs: every(3, time.Microsecond)}, "x")
	require.NoError(t, err)
	res, err := e.Run()
	require.ErrorIs(t, err, sim.ErrIdle)
	require.EqualValues(t, 3, res.Submitted)
	require.Zero(t, res.Completed+res.Cancelled()+res.FailedTotal())
}

// hung takes requests and forgets them.
type hung struct{ *serial }

func (h hung) OpenQueue(lane.Lane, int, int) (driver.Queue, error) { return h, nil }
func (h hung) Submit(*driver.Request) aio.Status                   { return aio.OK }

func TestStopCancelsWhatIsInFlight(t *testing.T) {
	d := &serial{service: 100 * time.Microsecond, cancels: true}
	w := sim.NewWorld(1, 1)
	lanes := []lane.Lane{w.Lane(0)}
	disk, err := blk.Open(d, blk.Options{Queues: lanes})
	require.NoError(t, err)
	e, err := replay.New(replay.Config{}, w, disk, lanes, &slice{recs: every(10_000, 10*time.Microsecond)}, "x")
	require.NoError(t, err)
	w.Lane(0).Post(func() {
		w.Lane(0).NewTimer(e.Stop).Arm(time.Millisecond)
	})
	res, err := e.Run()
	require.NoError(t, err)
	require.True(t, res.Stopped)
	require.Less(t, res.Submitted, int64(200))
	require.Equal(t, res.Submitted, res.Completed+res.Cancelled())
	require.Less(t, res.Elapsed, 3*time.Millisecond)
}

func TestStopBeforeTheBeginningAndAfterTheEnd(t *testing.T) {
	g := lane.NewReal(1)
	defer g.Close()
	lanes := []lane.Lane{g.Lane(0)}
	disk, err := blk.Open(&serial{service: time.Microsecond}, blk.Options{Queues: lanes})
	require.NoError(t, err)
	e, err := replay.New(replay.Config{}, g, disk, lanes, &slice{recs: every(100, time.Hour)}, "x")
	require.NoError(t, err)
	e.Stop()
	res, err := e.Run()
	require.NoError(t, err)
	require.True(t, res.Stopped)
	require.Zero(t, res.Submitted)
	e.Stop()
	require.NoError(t, g.Do(0, func(done func()) { done() }))
}

func TestSeveralLanesShareTheRecords(t *testing.T) {
	const n = 4
	w := sim.NewWorld(1, n)
	var lanes []lane.Lane
	for i := range n {
		lanes = append(lanes, w.Lane(i))
	}
	d := &perLane{counts: make([]int, n)}
	disk, err := blk.Open(d, blk.Options{Queues: lanes})
	require.NoError(t, err)
	e, err := replay.New(replay.Config{Timing: replay.AFAP, Depth: 64}, w, disk, lanes, &slice{recs: every(4000, 0)}, "x")
	require.NoError(t, err)
	res, err := e.Run()
	require.NoError(t, err)
	require.EqualValues(t, 4000, res.Completed)
	require.Equal(t, []int{1000, 1000, 1000, 1000}, d.counts)
}

// perLane counts what each queue gets.
type perLane struct {
	serial
	counts []int
}

func (d *perLane) OpenQueue(l lane.Lane, qid, _ int) (driver.Queue, error) {
	return laneQueue{&d.counts[qid]}, nil
}

type laneQueue struct{ n *int }

func (q laneQueue) Submit(r *driver.Request) aio.Status {
	*q.n++
	r.Complete(aio.OK, r.Len)
	return aio.OK
}
