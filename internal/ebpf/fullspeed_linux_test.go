package ebpf

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/loopdev"
)

var fullSpeed = flag.Duration("fullspeed", 100*time.Millisecond, "how long fio runs in each case of TestFullSpeedIsAccountedFor; CI: 100 ms")

// fastLoop is the fastest device that a machine without fast disks gives: a loop device
// over a file on ext4 on zram.
func fastLoop(t *testing.T, size int64) *loopdev.Loop {
	m := loopdev.MountFor(t, loopdev.ZramFor(t, size+size/4+64<<20).Path(), "ext4")
	file := filepath.Join(m.Dir(), "disk")
	require.NoError(t, loopdev.Filled(file, size))
	return loopdev.AttachFor(t, file, loopdev.Options{})
}

func fio(t *testing.T, path string, length time.Duration, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("fio"); err != nil {
		t.Skip("no fio, which makes the load")
	}
	ctx, cancel := context.WithTimeout(context.Background(), length+time.Minute)
	defer cancel()
	args = append([]string{"--name=load", "--filename=" + path, "--direct=1", "--ioengine=io_uring", "--iodepth=64",
		"--iodepth_batch=16", "--iodepth_batch_complete_max=16", "--bs=4k", "--rw=randread", "--time_based", "--randrepeat=1",
		"--output-format=terse", fmt.Sprintf("--runtime=%dms", length.Milliseconds())}, args...)
	out, err := exec.CommandContext(ctx, "fio", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// keep reads events until the tracer is drained, and counts them.
func keep(tr *Tracer) (n func() (int, error)) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result)
	go func() {
		evs, total := make([]Event, 4096), 0
		for {
			n, err := tr.Read(evs, time.Second)
			total += n
			if err != nil {
				done <- result{total, err}
				return
			}
		}
	}()
	return func() (int, error) { r := <-done; return r.n, r.err }
}

// TestFullSpeedIsAccountedFor has started = done + lost + never delivered, to the last
// I/O, and all of it beside what the device has counted. What the kernel keeps from the
// programs themselves (it runs none where one would interrupt itself, and some machines
// none in some of their tasks) is in the device's count alone, so that is a bound.
func TestFullSpeedIsAccountedFor(t *testing.T) {
	l := fastLoop(t, 64<<20)
	d, err := FindDevice(l.Path())
	require.NoError(t, err)
	each(t, func(t *testing.T, open func(Options) *Tracer) {
		for name, c := range map[string]struct {
			o    Options
			read bool
		}{
			"events":           {Options{}, true},
			"nobody reads":     {Options{Buffer: 4096}, false},
			"bios, requests":   {Options{Requests: true, AppIDs: true}, true},
			"queue histograms": {Options{Mode: Histogram, QueueTime: true}, false},
		} {
			t.Run(name, func(t *testing.T) {
				c.o.Devices = []Device{d}
				tr := open(c.o)
				before, err := ReadStat(d.Name)
				require.NoError(t, err)
				read := func() (int, error) { return 0, nil }
				if c.read {
					read = keep(tr)
				}
				fio(t, l.Path(), *fullSpeed)
				require.NoError(t, tr.Stop(5*time.Second))
				after, err := ReadStat(d.Name)
				require.NoError(t, err)
				n, err := read()
				if c.read {
					require.ErrorIs(t, err, io.EOF)
				}
				counts, err := tr.Counts()
				require.NoError(t, err)
				completed := after.Completed() - before.Completed()
				t.Logf("started %d = done %d + lost %d + never delivered %d; the device counted %d, of which %d were seen; programs skipped: %d",
					counts.Started, counts.Done, counts.Lost+counts.NoRoom, counts.NeverDelivered(), completed, counts.Pieces+counts.Unmatched, counts.Skipped)
				require.NoError(t, counts.Check())
				require.Positive(t, counts.Started)
				require.LessOrEqual(t, counts.Pieces+counts.Unmatched, completed)
				require.GreaterOrEqual(t, float64(counts.Pieces+counts.Unmatched), 0.99*float64(completed))
				switch {
				case c.o.Requests:
					require.EqualValues(t, n, counts.Done+counts.Requests-counts.RequestsLost)
				case c.read:
					require.EqualValues(t, n, counts.Done)
				case c.o.Mode == Events:
					require.Positive(t, counts.Lost)
				default:
					h, err := tr.Histograms()
					require.NoError(t, err)
					require.EqualValues(t, counts.Done, h.Of(TotalStage).Count())
				}
			})
		}
	})
}
