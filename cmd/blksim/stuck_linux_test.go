package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
	"blksim/internal/report"
)

// stuckRun runs a command as a process, and wants its result in out: partial, with
// I/Os stuck, within so long.
func stuckRun(t *testing.T, cmd *exec.Cmd, out string, code int, within time.Duration) *report.Run {
	t.Helper()
	begin := time.Now()
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, code, exit.ExitCode())
	require.Less(t, time.Since(begin), within)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	r := decode(t, string(text))[0]
	require.True(t, r.Partial)
	require.Positive(t, r.Accounting.Requests.Stuck)
	require.Len(t, r.Stuck, int(min(r.Accounting.Requests.Stuck, 1024)))
	for _, s := range r.Stuck {
		require.Equal(t, s.Offset/int64(r.Setup.BlockSize), s.LBA)
		require.Positive(t, s.AgeNs)
		require.NotEmpty(t, s.ID)
	}
	return r
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
		require.Less(t, time.Since(begin), 5*time.Second, name)
		require.Contains(t, errs, "no I/O came back for 200ms", name)
		r := decode(t, out)[0]
		require.True(t, r.Partial)
		require.Contains(t, r.Error, "stuck", name)
		q := r.Accounting.Requests
		require.Positive(t, q.Stuck, name)
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
	}, 10*time.Second, 20*time.Millisecond)
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
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				require.NoError(t, cmd.Start())
				time.Sleep(400 * time.Millisecond)
				freeze()
				code, within := exitDevice, 6*time.Second
				if interrupt {
					time.Sleep(100 * time.Millisecond)
					require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
					code, within = exitInterrupted, 4*time.Second
				}
				r := stuckRun(t, cmd, out, code, within)
				require.LessOrEqual(t, r.Accounting.Requests.Stuck, int64(8))
				require.Equal(t, "write", r.Stuck[0].Op)
				thaw()
				gone(t, path)
			})
		}
	}
}

// TestADeviceThatFailsMidRunIsToldOf: the backing of a loop device is cut, a file
// loses its end, a file system fills up.
func TestADeviceThatFailsMidRunIsToldOf(t *testing.T) {
	failed := func(t *testing.T, args ...string) *report.Run {
		t.Helper()
		code, out, errs := blksim(append([]string{"run", "--output-format=json"}, args...)...)
		require.Equal(t, exitDevice, code, errs)
		r := decode(t, out)[0]
		require.True(t, r.Accounting.Balanced)
		require.False(t, r.Partial)
		require.Positive(t, r.Accounting.Requests.Failed)
		require.Contains(t, errs, "failed: ")
		return r
	}
	cut := func(t *testing.T, path string) {
		timer := time.AfterFunc(150*time.Millisecond, func() {
			if err := os.Truncate(path, diskSize/4); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(func() { timer.Stop() })
	}
	t.Run("backing cut", func(t *testing.T) {
		l := loopdev.LoopFor(t, diskSize, loopdev.Options{})
		cut(t, l.Backing())
		r := failed(t, "--rw=randread", "--iodepth=4", "--runtime=400ms", "--time_based", "--device="+l.Path())
		require.Positive(t, r.Disks[0].Errors["input/output error"])
		require.Positive(t, r.Accounting.Requests.Completed)
	})
	for _, engine := range []string{"io_uring", "libaio", "sync"} {
		t.Run("file cut, "+engine, func(t *testing.T) {
			path := diskFile(t)
			cut(t, path)
			r := failed(t, "--rw=randread", "--bs=64k", "--iodepth=4", "--runtime=400ms", "--time_based", "--device="+path, "--ioengine="+engine)
			require.Positive(t, r.Disks[0].Short)
		})
	}
	t.Run("file system full", func(t *testing.T) {
		l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
		m := loopdev.MountFor(t, l.Path(), "ext4")
		path := filepath.Join(m.Dir(), "sparse")
		require.NoError(t, loopdev.Sparse(path, 64<<20))
		r := failed(t, "--rw=write", "--bs=64k", "--iodepth=4", "--allow-write", "--device="+path)
		require.Positive(t, r.Disks[0].Errors["no space left on device"])
	})
}
