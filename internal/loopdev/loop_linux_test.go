package loopdev

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOptionsWithBadBlockSizes(t *testing.T) {
	for _, size := range []int{-512, 1, 511, 8192} {
		_, err := Attach("/nonexistent", Options{BlockSize: size})
		require.ErrorContains(t, err, "block size")
	}
}

func TestLoopIsItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, Filled(file, 3<<20))
	l := AttachFor(t, file, Options{BlockSize: 4096})
	require.Equal(t, file, l.Backing())
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	got, err := os.ReadFile(l.Path())
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
	size, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(l.Path()), "queue/logical_block_size"))
	require.NoError(t, err)
	require.Equal(t, "4096\n", string(size))
}

func TestReadOnlyLoopTakesNoWrites(t *testing.T) {
	l := LoopFor(t, 1<<20, Options{ReadOnly: true})
	f, err := os.OpenFile(l.Path(), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.Write(make([]byte, 512))
		f.Close()
	}
	require.Error(t, err)
}

// Many make devices at once, and each gets one of its own.
func TestLoopsAreMadeAtOnce(t *testing.T) {
	LoopFor(t, 1<<20, Options{}) // skips where there are none
	dir := t.TempDir()
	var wg sync.WaitGroup
	var mu sync.Mutex
	loops := map[string]*Loop{}
	for i := range 8 {
		wg.Go(func() {
			file := filepath.Join(dir, string(rune('a'+i)))
			if err := Sparse(file, 1<<20); err != nil {
				t.Error(err)
				return
			}
			l, err := Attach(file, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			loops[l.Path()] = l
		})
	}
	wg.Wait()
	require.Len(t, loops, 8)
	for _, l := range loops {
		require.True(t, l.attached())
		require.NoError(t, l.Detach())
		require.False(t, l.attached())
		require.NoError(t, l.Detach(), "a second time")
	}
}

func TestMissingFileIsAnError(t *testing.T) {
	_, err := Attach(filepath.Join(t.TempDir(), "none"), Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestFileSystemOnZram(t *testing.T) {
	z := ZramFor(t, 64<<20)
	m := MountFor(t, z.Path(), "ext4")
	require.NoError(t, os.WriteFile(filepath.Join(m.Dir(), "file"), []byte("text"), 0o600))
	// And a loop device above: the fast one of benchmarks.
	file := filepath.Join(m.Dir(), "disk")
	require.NoError(t, Sparse(file, 16<<20))
	AttachFor(t, file, Options{})
}

func TestThrottleIsSetAndTakenBack(t *testing.T) {
	l := LoopFor(t, 1<<20, Options{})
	undo, err := Throttle(l.Path(), Limits{ReadIOPS: 400, WriteBPS: 1 << 20})
	made(t, err, undo)
	v1, v2, err := controlGroups()
	require.NoError(t, err)
	iops, bps := filepath.Join(v1, "blkio.throttle.read_iops_device"), filepath.Join(v1, "blkio.throttle.write_bps_device")
	if v1 == "" {
		iops, bps = filepath.Join(v2, "io.max"), filepath.Join(v2, "io.max")
	}
	read := func(file string) string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(text)
	}
	require.Contains(t, read(iops), "400")
	require.Contains(t, read(bps), "1048576")
	var st syscall.Stat_t
	require.NoError(t, syscall.Stat(l.Path(), &st))
	require.NoError(t, undo())
	require.NotContains(t, read(iops), "400\n")
	require.NotContains(t, read(bps), "1048576\n")
}

// A loop device keeps the scheduler of the one that had its number before; ours begin
// without.
func TestLoopHasNoSchedulerOfAnother(t *testing.T) {
	var number string
	for range 20 { // others may take the number meanwhile
		l := LoopFor(t, 1<<20, Options{})
		file := filepath.Join("/sys/block", filepath.Base(l.Path()), "queue/scheduler")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.Contains(string(text), "mq-deadline") {
			t.Skip("skipped: the kernel has no other scheduler")
		}
		require.Contains(t, string(text), "[none]")
		if l.Path() == number {
			return
		}
		number = l.Path()
		require.NoError(t, os.WriteFile(file, []byte("mq-deadline"), 0))
		require.NoError(t, l.Detach())
	}
	t.Skip("skipped: the number never came back")
}

func TestControlGroupMounts(t *testing.T) {
	const mounts = "24 30 0:22 / /proc rw,nosuid - proc proc rw\n" +
		"40 31 0:34 / /sys/fs/cgroup/blkio rw,nosuid shared:18 - cgroup cgroup rw,blkio\n" +
		"41 31 0:35 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"42 31 0:36 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" +
		"43 31 0:37 / /half - cgroup\n"
	require.Equal(t, "/sys/fs/cgroup/blkio", cgroupMount(mounts, "cgroup", "blkio"))
	require.Equal(t, "/sys/fs/cgroup/cpu", cgroupMount(mounts, "cgroup", "cpuacct"))
	require.Equal(t, "/sys/fs/cgroup/unified", cgroupMount(mounts, "cgroup2", ""))
	require.Empty(t, cgroupMount(mounts, "cgroup", "io"))
	require.Empty(t, cgroupMount(strings.Repeat("x", 10), "cgroup", ""))
}
