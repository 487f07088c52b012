package ebpf

import (
	"context"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/loopdev"
)

var fullSpeed = flag.Duration("fullspeed", time.Second, "how long fio runs in TestFullSpeedIsAccountedFor, for each way to attach; CI: 1 s")

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
	t.Logf("fio: %.300s", out)
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

func TestFullSpeedIsAccountedFor(t *testing.T) {
	l := fastLoop(t, 64<<20)
	d, err := FindDevice(l.Path())
	require.NoError(t, err)
	each(t, func(t *testing.T, open func(Options) *Tracer) {
		before, err := ReadStat(d.Name)
		require.NoError(t, err)
		tr := open(Options{Devices: []Device{d}, Buffer: 1 << 20})
		fio(t, l.Path(), *fullSpeed)
		require.NoError(t, tr.Stop(5*time.Second))
		after, err := ReadStat(d.Name)
		require.NoError(t, err)
		c, err := tr.Counts()
		require.NoError(t, err)
		t.Logf("%+v; the device's stat: %d completed", c, after.Completed()-before.Completed())
	})
}
