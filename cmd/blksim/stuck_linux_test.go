package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
	"blksim/internal/report"
)

// stuckRun runs a command as a process, and wants its result in out: partial, with
// I/Os stuck. What it waits for never comes, so that it ends at all is what counts.
func stuckRun(t *testing.T, cmd *exec.Cmd, out string, code int) *report.Run {
	t.Helper()
	limit := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer limit.Stop()
	require.Error(t, cmd.Wait())
	require.Equal(t, code, cmd.ProcessState.ExitCode())
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	r := decode(t, string(text))[0]
	require.True(t, r.Partial)
	require.Positive(t, r.Accounting.Requests.Stuck)
	require.True(t, r.Accounting.Balanced, "what is stuck is accounted for: %v", r.Faults)
	require.Len(t, r.Stuck, int(min(r.Accounting.Requests.Stuck, 1024)))
	for _, s := range r.Stuck {
		require.Equal(t, s.Offset/int64(r.Setup.BlockSize), s.LBA)
		require.Positive(t, s.AgeNs)
		require.NotEmpty(t, s.ID)
	}
	return r
}

// announced calls then once, when the command has said what it will write: it has
// taken the signals over by then, and the run begins.
type announced struct {
	text bytes.Buffer
	once sync.Once
	then func()
}

func (a *announced) String() string { return a.text.String() }

func (a *announced) Write(b []byte) (int, error) {
	n, err := a.text.Write(b)
	if strings.Contains(a.String(), " writes within bytes ") {
		a.once.Do(a.then)
	}
	return n, err
}

// start starts a command that writes, and waits until its run has begun.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	begun := make(chan bool)
	cmd.Stderr = &announced{then: func() { close(begun) }}
	// What is stuck in the kernel keeps the pipe of the standard error open.
	cmd.WaitDelay = time.Second
	require.NoError(t, cmd.Start())
	select {
	case <-begun:
	case <-time.After(time.Minute):
		require.Fail(t, "the run did not begin")
	}
	time.Sleep(200 * time.Millisecond)
}

// TestAHungDeviceEndsTheRun: at its runtime and the grace, with what is stuck.
func TestAHungDeviceEndsTheRun(t *testing.T) {
	path := diskFile(t)
	plan := file(t, "hang.plan", "hang op=read\n")
	trace := file(t, "a.blk", "blksim trace 1\n0 R 0 4096\n0.05 R 8192 4096\n")
	for name, args := range map[string][]string{
		"a load":         {"run", "--rw=randread", "--iodepth=4", "--runtime=300ms", "--device-depth=2", "--device=" + path},
		"a replay":       {"replay", "--device-depth=1", "--device=" + path, trace},
		"simulated disk": {"run", "--rw=randread", "--iodepth=4", "--runtime=300ms", "--device-depth=2", "--device=sim", "--realtime", "--driver=nvme,callback=off"},
	} {
		begin := time.Now()
		code, out, errs := blksim(append(args, "--faults="+plan, "--grace=200ms", "--output-format=json")...)
		require.Equal(t, exitDevice, code, "%s: %s", name, errs)
		require.Less(t, time.Since(begin), 25*time.Second, name)
		require.Contains(t, errs, "no I/O came back for 200ms", name)
		r := decode(t, out)[0]
		require.True(t, r.Partial)
		require.Contains(t, r.Error, "stuck", name)
		q := r.Accounting.Requests
		require.Positive(t, q.Stuck, name)
		require.True(t, r.Accounting.Balanced, "%s: what is stuck is accounted for: %v", name, r.Faults)
		require.Positive(t, q.Cancelled.Skipped, "%s: what had not reached the device was cancelled", name)
		for _, s := range r.Stuck {
			require.Equal(t, "read", s.Op)
			require.Equal(t, "device", s.Stage)
			require.GreaterOrEqual(t, s.AgeNs, int64(200*time.Millisecond))
		}
		code, out, _ = blksim(append(args, "--faults="+plan, "--grace=200ms")...)
		require.Equal(t, exitDevice, code)
		require.Contains(t, out, "with the device\n", name)
	}
}

// TestASlowDeviceIsNotStuck: the grace counts from the last I/O that came back.
func TestASlowDeviceIsNotStuck(t *testing.T) {
	path := diskFile(t)
	plan := file(t, "slow.plan", "spike op=read for=120ms\n")
	r := runJSON(t, "--rw=randread", "--iodepth=1", "--number_ios=4", "--device="+path, "--faults="+plan, "--grace=400ms")
	require.EqualValues(t, 4, r.Accounting.Requests.Completed)
}

// frozen is a file on a file system that can be frozen: then what writes to it waits
// in the kernel, and cannot be killed.
func frozen(t *testing.T) (path string, freeze, thaw func()) {
	t.Helper()
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	m := loopdev.MountFor(t, l.Path(), "ext4")
	path = filepath.Join(m.Dir(), "disk")
	require.NoError(t, loopdev.Filled(path, diskSize))
	dir, err := os.Open(m.Dir())
	require.NoError(t, err)
	is := false
	ioctl := func(req uint) { require.NoError(t, unix.IoctlSetInt(int(dir.Fd()), req, 0)) }
	const fiFreeze, fiThaw = 0xc0045877, 0xc0045878 // Linux, include/uapi/linux/fs.h
	thaw = func() {
		if is {
			ioctl(fiThaw)
			is = false
		}
	}
	t.Cleanup(func() {
		thaw()
		require.NoError(t, dir.Close())
	})
	return path, func() { ioctl(fiFreeze); is = true }, thaw
}

// gone waits until what a run has left in the kernel has come back.
func gone(t *testing.T, path string) {
	t.Helper()
	require.Eventually(t, func() bool {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL, 0)
		if err != nil {
			return false
		}
		defer f.Close()
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
		return !errors.Is(err, unix.EAGAIN)
	}, time.Minute, 20*time.Millisecond)
}

// TestAFrozenDiskEndsTheRunAndTheProcess although the kernel keeps its I/Os, and
// perhaps the lane that submitted them: the result is saved, and the exit code is 4,
// or that of the signal.
func TestAFrozenDiskEndsTheRunAndTheProcess(t *testing.T) {
	path, freeze, thaw := frozen(t)
	engines := []string{"io_uring", "libaio", "sync"}
	if testing.Short() {
		engines = engines[1:2] // that with the most to wait for
	}
	for _, engine := range engines {
		for _, interrupt := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, interrupted %v", engine, interrupt), func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out.json")
				args := []string{"run", "--rw=randwrite", "--iodepth=8", "--runtime=700ms", "--grace=300ms", "--allow-write", "--device=" + path, "--ioengine=" + engine,
					"--output-format=json", "--output=" + out}
				if interrupt {
					args = append(args, "--runtime=1h")
				}
				cmd := command(t, args...)
				start(t, cmd)
				freeze()
				code := exitDevice
				if interrupt {
					time.Sleep(100 * time.Millisecond)
					require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
					code = exitInterrupted
				}
				r := stuckRun(t, cmd, out, code)
				require.LessOrEqual(t, r.Accounting.Requests.Stuck, int64(8))
				require.Equal(t, "write", r.Stuck[0].Op)
				thaw()
				gone(t, path)
			})
		}
	}
}

// TestADiskThatIsFrozenAlreadyIsToldOf: nothing of it can be opened for writing. After a
// while that is said, and at once when the user asks to end.
func TestADiskThatIsFrozenAlreadyIsToldOf(t *testing.T) {
	path, freeze, thaw := frozen(t)
	for name, c := range map[string]struct {
		interrupt bool
		code      int
		says      string
	}{
		"interrupted": {true, exitInterrupted, "the kernel did not open " + path + " within 2s: no result"},
		"left alone":  {false, exitDevice, "its file system has not answered for 10s: is it frozen (fsfreeze)?"},
	} {
		if testing.Short() && !c.interrupt {
			continue
		}
		freeze()
		cmd := command(t, "run", "--rw=randwrite", "--runtime=100ms", "--allow-write", "--device="+path)
		errs := filepath.Join(t.TempDir(), "errs") // a file: what is stuck in the kernel keeps a pipe open
		f, err := os.Create(errs)
		require.NoError(t, err)
		cmd.Stderr = f
		require.NoError(t, cmd.Start())
		if c.interrupt {
			inARow := 0 // a page that is read holds it up as well, for a moment
			require.Eventually(t, func() bool {
				inARow++
				if !heldUp(cmd.Process.Pid) {
					inARow = 0
				}
				return inARow == 20
			}, time.Minute, 10*time.Millisecond)
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		}
		require.Error(t, cmd.Wait(), name)
		text, err := os.ReadFile(errs)
		require.NoError(t, errors.Join(err, f.Close()))
		require.Equal(t, c.code, cmd.ProcessState.ExitCode(), "%s: %s", name, text)
		require.Contains(t, string(text), c.says, name)
		thaw()
		gone(t, path)
	}
}

// heldUp is whether a thread of a child of a process waits in the kernel for a disk, and
// not its main thread, which has to hear of signals.
func heldUp(pid int) bool {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	held := false
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(text)) {
			threads, _ := filepath.Glob("/proc/" + child + "/task/*")
			for _, thread := range threads {
				stat, _ := os.ReadFile(thread + "/stat")
				_, state, _ := strings.Cut(string(stat), ") ")
				held = held || strings.HasPrefix(state, "D") && filepath.Base(thread) != child
			}
		}
	}
	return held
}

// TestADeviceThatFailsMidRunIsToldOf: the backing of a loop device is cut, a file
// loses its end, a file system fills up.
func TestADeviceThatFailsMidRunIsToldOf(t *testing.T) {
	// failed wants requests to fail; then happens when the run has begun.
	failed := func(t *testing.T, then func(), args ...string) *report.Run {
		t.Helper()
		var out bytes.Buffer
		errs := &announced{then: func() { time.AfterFunc(100*time.Millisecond, then) }}
		code := run(append([]string{"run", "--output-format=json", "--allow-write"}, args...), &out, errs)
		require.Equal(t, exitDevice, code, errs.String())
		r := decode(t, out.String())[0]
		require.True(t, r.Accounting.Balanced)
		require.False(t, r.Partial)
		require.Positive(t, r.Accounting.Requests.Failed)
		require.Contains(t, errs.String(), "failed: ")
		return r
	}
	cut := func(t *testing.T, path string) func() {
		return func() {
			if err := os.Truncate(path, diskSize/4); err != nil {
				t.Error(err)
			}
		}
	}
	// One job writes, where nothing is cut, so that the run is announced.
	jobs := file(t, "a.fio", "[global]\ntime_based\nruntime=800ms\n[w]\nrw=write\nsize=64k\nrate_iops=20\n[r]\nrw=randread\nbs=64k\niodepth=4\n")
	t.Run("backing cut", func(t *testing.T) {
		l := loopdev.LoopFor(t, diskSize, loopdev.Options{})
		r := failed(t, cut(t, l.Backing()), jobs, "--device="+l.Path())
		require.Positive(t, r.Disks[0].Errors["input/output error"])
		require.Positive(t, r.Accounting.Requests.Completed)
	})
	for _, engine := range []string{"io_uring", "libaio", "sync"} {
		t.Run("file cut, "+engine, func(t *testing.T) {
			path := diskFile(t)
			r := failed(t, cut(t, path), jobs, "--device="+path, "--ioengine="+engine)
			require.Positive(t, r.Disks[0].Short)
		})
	}
	t.Run("file system full", func(t *testing.T) {
		l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
		m := loopdev.MountFor(t, l.Path(), "ext4")
		path := filepath.Join(m.Dir(), "sparse")
		require.NoError(t, loopdev.Sparse(path, 64<<20))
		r := failed(t, func() {}, "--rw=write", "--bs=64k", "--iodepth=4", "--device="+path)
		require.Positive(t, r.Disks[0].Errors["no space left on device"])
	})
}
