package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/blk"
	"blksim/device/disk"
	driver "blksim/driver/disk"
	"blksim/internal/loopdev"
	"blksim/internal/replay"
	"blksim/traces"
)

// The whole path in real time, as the kernel sees it: every record of the trace
// reaches the disk once, in the order of the trace and not before it is due, with each
// engine, and the run's own account says the same. How exactly, is for the benchmark
// to tell: this holds on a machine that has better things to do.
func TestReplayOnARealDiskIsInOrderAndNeverEarly(t *testing.T) {
	const size = 64 << 20
	loop := loopdev.LoopFor(t, size, loopdev.Options{})
	var undo loopdev.Undo
	t.Cleanup(func() { require.NoError(t, undo.Close()) })
	tr, err := newFtrace(t.TempDir(), &undo)
	if err != nil {
		t.Skipf("skipped: no tracefs here: %v", err)
	}
	s := bursts(400, 4000, size, 5)
	for _, kind := range []disk.EngineKind{disk.IOURing, disk.LibAIO, disk.Sync} {
		t.Run(string(kind), func(t *testing.T) {
			rd, err := traces.NewReader(bytes.NewReader(s.native()), "trace.blk", traces.Options{})
			require.NoError(t, err)
			group := lane.NewReal(1)
			defer group.Close()
			// When the lanes' clock began, on the tracer's, or a little before.
			zero := monotonic(t)
			zero -= time.Duration(group.Now())
			lanes := []lane.Lane{group.Lane(0)}
			drv, err := driver.Open(loop.Path(), driver.Options{Engine: disk.EngineOptions{Kind: kind}})
			require.NoError(t, err)
			dsk, err := blk.Open(drv, blk.Options{Queues: lanes, NoMerges: true})
			if err != nil {
				require.NoError(t, drv.Close())
				t.Skipf("skipped: %v", err)
			}
			defer func() { require.NoError(t, dsk.Close()) }()
			eng, err := replay.New(replay.Config{LateAfter: time.Hour}, group, dsk, lanes, rd, "trace.blk")
			require.NoError(t, err)

			require.NoError(t, tr.start(loop.Path(), "nobody"))
			res, err := eng.Run()
			require.NoError(t, err)
			got, err := tr.stop()
			require.NoError(t, err)

			n := int64(len(s.due))
			require.Equal(t, n, res.Completed)
			require.Equal(t, n, res.Slip.Count())
			require.Equal(t, n, res.Pace.Count)
			require.Zero(t, res.Pace.Late)
			f, err := judge(s, got)
			require.NoError(t, err)
			if kind != disk.Sync { // which has threads, and they take turns as they like
				require.Equal(t, 1.0, f.inOrder)
			}
			due := map[int64]time.Duration{}
			for i, b := range s.blocks {
				due[b] = zero + res.Start + s.due[i] - s.due[0]
			}
			for _, g := range got.issues {
				require.GreaterOrEqual(t, g.at, due[g.block])
			}
		})
	}
}
