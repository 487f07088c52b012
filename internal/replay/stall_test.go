package replay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
	"blksim/internal/replay"
)

// mute is a device that takes requests and never gives them back; and that can have
// its lane wait, as in a system call that does not return, until it is freed.
type mute struct {
	free  chan struct{}
	block bool
	lane  lane.Lane
}

func (d *mute) Limits() driver.Limits {
	return driver.Limits{Capacity: 1 << 20, BlockSize: 4096, Queues: 2, QueueDepth: 2, Ops: driver.Ops(aio.OpRead)}
}
func (d *mute) Close() error { return nil }
func (d *mute) OpenQueue(l lane.Lane, _, _ int) (driver.Queue, error) {
	d.lane = l
	return d, nil
}

// Submit blocks, where it does, as a driver's engine: from the loop of the lane.
func (d *mute) Submit(*driver.Request) aio.Status {
	if d.block {
		d.block = false
		d.lane.Post(func() { <-d.free })
	}
	return aio.OK
}

// TestAStalledRunEndsWithWhatIsStuck whether its lanes answer or not: after the grace,
// with what had not reached the device cancelled, where somebody can do that.
func TestAStalledRunEndsWithWhatIsStuck(t *testing.T) {
	const grace = 150 * time.Millisecond
	for name, block := range map[string]bool{"lanes answer": false, "a lane is blocked": true} {
		t.Run(name, func(t *testing.T) {
			d := &mute{free: make(chan struct{}), block: block}
			g := lane.NewReal(1)
			defer g.Close()
			defer close(d.free)
			disk, err := blk.Open(d, blk.Options{Queues: []lane.Lane{g.Lane(0)}, NoMerges: true})
			require.NoError(t, err)
			recs := every(6, 0)
			for i := range recs {
				recs[i].Offset = int64(i) * 8192
			}
			e, err := replay.New(replay.Config{Grace: grace}, g, disk, []lane.Lane{g.Lane(0)}, &slice{recs: recs}, "test.trace")
			require.NoError(t, err)
			begin := time.Now()
			res, err := e.Run()
			var stalled *replay.StalledError
			require.ErrorAs(t, err, &stalled)
			require.GreaterOrEqual(t, time.Since(begin), grace)
			require.Less(t, time.Since(begin), 10*time.Second)
			require.True(t, res.Abandoned)
			require.Equal(t, stalled.Stuck, len(res.Stuck))
			inDevice := 0
			for i, s := range res.Stuck {
				require.Equal(t, aio.OpRead, s.Op)
				require.EqualValues(t, 4096, s.Len)
				require.GreaterOrEqual(t, s.Age, grace)
				if i > 0 {
					require.LessOrEqual(t, s.Age, res.Stuck[i-1].Age, "the oldest first")
				}
				if s.Stage == aio.StageDevice {
					inDevice++
				}
			}
			if block {
				require.Positive(t, len(res.Stuck))
				return
			}
			require.Equal(t, 2, inDevice, "what the device has")
			require.Len(t, res.Stuck, 2)
			require.EqualValues(t, 4, res.Tally.Skipped, "what had not reached it is cancelled")
		})
	}
}

// TestAbandonEndsARunWhoseLaneIsBlocked: as a second signal of the user's would.
func TestAbandonEndsARunWhoseLaneIsBlocked(t *testing.T) {
	d := &mute{free: make(chan struct{}), block: true}
	g := lane.NewReal(1)
	defer g.Close()
	defer close(d.free)
	disk, err := blk.Open(d, blk.Options{Queues: []lane.Lane{g.Lane(0)}})
	require.NoError(t, err)
	e, err := replay.New(replay.Config{}, g, disk, []lane.Lane{g.Lane(0)}, &slice{recs: every(2, 0)}, "test.trace")
	require.NoError(t, err)
	time.AfterFunc(50*time.Millisecond, func() { e.Stop(); e.Abandon() })
	res, err := e.Run()
	require.NoError(t, err)
	require.True(t, res.Abandoned)
	require.NotEmpty(t, res.Stuck)
}

// TestARunThatWaitsForItsNextRecordIsNotStalled although the device is quiet for
// longer than the grace.
func TestARunThatWaitsForItsNextRecordIsNotStalled(t *testing.T) {
	g := lane.NewReal(1)
	defer g.Close()
	disk, err := blk.Open(&serial{service: time.Millisecond}, blk.Options{Queues: []lane.Lane{g.Lane(0)}})
	require.NoError(t, err)
	recs := every(3, 200*time.Millisecond)
	e, err := replay.New(replay.Config{Grace: 60 * time.Millisecond}, g, disk, []lane.Lane{g.Lane(0)}, &slice{recs: recs}, "test.trace")
	require.NoError(t, err)
	res, err := e.Run()
	require.NoError(t, err)
	require.EqualValues(t, 3, res.Completed)
}
