//go:build unix

package main

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestASignalSavesThePartialResult interrupts a run that would take a minute.
func TestASignalSavesThePartialResult(t *testing.T) {
	path := file(t, "long.blk", "blksim trace 1\n"+strings.Repeat("0.0 R 0 4096\n", 100)+"60 R 0 4096\n")
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: exitInterrupted, syscall.SIGTERM: exitTerminated} {
		timer := time.AfterFunc(300*time.Millisecond, func() {
			if err := syscall.Kill(os.Getpid(), sig); err != nil {
				t.Error(err)
			}
		})
		start := time.Now()
		code, out, errs := blksim("replay", "--realtime", "--output-format=json", "--baseline", path, path)
		timer.Stop()
		require.Equal(t, want, code, errs)
		require.Less(t, time.Since(start), 10*time.Second)
		r := decode(t, out)[0]
		require.True(t, r.Partial)
		require.Equal(t, "interrupted", r.Error)
		require.Contains(t, r.Odd, "not run: "+path+" (the device's driver), "+path)
		require.Equal(t, 1, strings.Count(errs, "blksim: interrupted"), errs)
		require.True(t, r.Accounting.Balanced)
		require.EqualValues(t, 100, r.Accounting.Requests.Completed)
	}
}

// TestSignalsThatComeTogetherCountOnce: timeout(1) sends two at once.
func TestSignalsThatComeTogetherCountOnce(t *testing.T) {
	ended := make(chan int, 1)
	i := catchInterrupts(func(code int) { ended <- code })
	defer i.release()
	stopped := make(chan bool, 1)
	defer i.stops(stopFunc(func() { stopped <- true }))()
	for range 4 { // the channel holds two: the others have been taken out
		i.signals <- os.Interrupt
	}
	<-stopped
	require.Equal(t, exitInterrupted, i.code())
	time.Sleep(interruptEcho + 10*time.Millisecond)
	require.Empty(t, ended)
	i.signals <- syscall.SIGTERM // and this one is meant
	require.Equal(t, exitInterrupted, <-ended)
}

// stuck is a device on which each read takes a second, one after the other.
const stuck = `description = "stuck"
[namespace]
capacity = "1GiB"
block = "4KiB"
data = "discard"
[media]
kind = "flash"
channels = 1
dies_per_channel = 1
channel = "1GB/s"
page = "4KiB"
planes = 1
pages_per_block = 64
read = "1s"
program = "1s"
erase = "1s"
`

// TestASignalSavesTheResultOfAStuckDevice although the driver cannot cancel what the
// device has: within 2 s, with what is in flight told as stuck.
func TestASignalSavesTheResultOfAStuckDevice(t *testing.T) {
	profile := file(t, "stuck.toml", stuck)
	out := filepath.Join(t.TempDir(), "out.json")
	for name, args := range map[string][]string{
		"run":    {"run", "--rw=randread", "--iodepth=32", "--runtime=1h"},
		"replay": {"replay", file(t, "a.blk", "blksim trace 1\n"+strings.Repeat("0 R 0 4096\n", 32))},
	} {
		cmd := command(t, append(args, "--realtime", "--device=sim:"+profile, "--driver=nvme,callback=off", "--output-format=json", "--output="+out)...)
		require.NoError(t, cmd.Start())
		time.Sleep(300 * time.Millisecond)
		begin := time.Now()
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit, name)
		require.Less(t, time.Since(begin), 2500*time.Millisecond, name)
		require.Equal(t, exitTerminated, exit.ExitCode(), name)
		text, err := os.ReadFile(out)
		require.NoError(t, err, name)
		r := decode(t, string(text))[0]
		require.True(t, r.Partial)
		q := r.Accounting.Requests
		require.Positive(t, q.Stuck, name)
		require.EqualValues(t, 32, q.Stuck+q.Completed+q.Cancelled.Skipped)
		require.NoError(t, os.Remove(out))
	}
}

// TestASignalAtAnyMomentLeavesAWholeResultOrNone: 200 random moments of runs that
// would not end by themselves. CI runs all of them, -short a few.
func TestASignalAtAnyMomentLeavesAWholeResultOrNone(t *testing.T) {
	moments, seed := 200, time.Now().UnixNano()
	if testing.Short() {
		moments = 4
	}
	if s := os.Getenv("BLKSIM_SIGNAL_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseInt(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("again with BLKSIM_SIGNAL_SEED=%d go test -run %s ./cmd/blksim", seed, t.Name())
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	dir := t.TempDir()
	saved := 0
	for i := range moments {
		out, ios, page := filepath.Join(dir, "out.json"), filepath.Join(dir, "ios.parquet"), filepath.Join(dir, "report.html")
		args := []string{"run", "--rw=randrw", "--iodepth=8", "--runtime=1000d", "--output-format=json", "--output=" + out}
		switch i % 4 {
		case 1:
			args = append(args, "--realtime", "--queues=2", "--numjobs=2")
		case 2:
			args = append(args, "--ios="+ios, "--report="+page)
		case 3:
			args = append(args, "--baseline", "--deadline=100us", "--device=sim:slow")
		}
		sig, want := syscall.SIGINT, exitInterrupted
		if rng.IntN(2) == 0 {
			sig, want = syscall.SIGTERM, exitTerminated
		}
		cmd := command(t, args...)
		require.NoError(t, cmd.Start())
		time.Sleep(time.Duration(rng.Int64N(int64(60 * time.Millisecond))))
		begin := time.Now()
		require.NoError(t, cmd.Process.Signal(sig))
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)
		require.Less(t, time.Since(begin), 4*time.Second, "2 s, and what a busy machine adds")
		status := exit.Sys().(syscall.WaitStatus)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		if status.Signaled() { // before it began
			require.Equal(t, sig, status.Signal())
			require.Empty(t, left)
			continue
		}
		require.Equal(t, want, exit.ExitCode(), "moment %d", i)
		for _, e := range left {
			require.NotContains(t, e.Name(), ".blksim-", "a temporary file was left")
		}
		if text, err := os.ReadFile(out); err == nil {
			for _, r := range decode(t, string(text)) {
				require.True(t, r.Accounting.Balanced)
			}
			saved++
		}
		for _, path := range []string{out, ios, page} {
			if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
				require.NoError(t, err)
			}
		}
	}
	require.Positive(t, saved)
}

func TestATimeLimitEndsARunWithItsResult(t *testing.T) {
	code, out, errs := blksim("run", "--rw=randread", "--runtime=1000d", "--time-limit=100ms", "--output-format=json")
	require.Equal(t, exitTimeLimit, code, errs)
	require.Contains(t, errs, "the time limit is over: the result is partial")
	r := decode(t, out)[0]
	require.True(t, r.Partial)
	require.True(t, r.Accounting.Balanced)
	require.Equal(t, "the time limit is over", r.Error)
	code, _, errs = blksim("run", "--number_ios=10", "--time-limit=1h")
	require.Zero(t, code, errs)
}
