package live

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/ebpf"
	"blksim/internal/loopdev"
	"blksim/traces"
)

// disk is a loop device of the test's own, open without the page cache.
func disk(t *testing.T) (path string, do func(op traces.Op, block int64)) {
	t.Helper()
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
	f, err := os.OpenFile(l.Path(), os.O_RDWR|unix.O_DIRECT, 0)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Munmap(b) })
	return l.Path(), func(op traces.Op, block int64) {
		if op == traces.Read {
			_, err = f.ReadAt(b, block*4096)
		} else {
			_, err = f.WriteAt(b, block*4096)
		}
		require.NoError(t, err)
	}
}

// opened skips where tracing is not possible.
func opened(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, ebpf.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

// unseen is how many completions the kernel may not tell: see ebpf's tests.
const unseen = 2

func TestSnoopOfALoopDeviceHasEachOfItsIOs(t *testing.T) {
	path, do := disk(t)
	src, err := Open(Config{Devices: []string{path}, Own: true, AppIDs: true})
	opened(t, err)
	defer src.Close()
	for i := range int64(50) {
		do(traces.Write, i)
		do(traces.Read, 1000+i)
	}
	var b bytes.Buffer
	require.NoError(t, Snoop(src, &b, Options{JSON: true, Stop: func() bool { return true }}))
	lines := jsonLines(t, b.String())
	end := lines[len(lines)-1]
	require.GreaterOrEqual(t, end["shown"], 100.0-unseen)
	require.Equal(t, 100.0, end["started"])
	require.Equal(t, end["done"], end["shown"])
	check := end["cross_check"].(map[string]any)
	require.Equal(t, 100.0, check["device_counters"])
	require.InDelta(t, 100, check["seen"], unseen)
	want := map[float64]string{}
	for i := range 50 {
		want[float64(i*8)], want[float64((1000+i)*8)] = "write", "read"
	}
	for _, l := range lines[:len(lines)-1] {
		sector := l["sector"].(float64)
		require.Equal(t, want[sector], l["op"])
		require.Equal(t, float64(os.Getpid()), l["pid"])
		require.True(t, strings.HasSuffix(path, l["device"].(string)))
		require.InDelta(t, l["total_ns"], l["queue_ns"].(float64)+l["device_ns"].(float64), 0)
		delete(want, sector)
	}
	require.LessOrEqual(t, len(want), unseen)
}

// TestFlushesAreInBothCounts: a write to stable storage is a write and flushes, which the
// block layer tells of more often than it counts.
func TestFlushesAreInBothCounts(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	f, err := os.OpenFile(l.Path(), os.O_RDWR|unix.O_SYNC, 0)
	require.NoError(t, err)
	defer f.Close()
	src, err := Open(Config{Devices: []string{l.Path()}, Own: true})
	opened(t, err)
	defer src.Close()
	for i := range int64(20) {
		_, err := f.WriteAt(make([]byte, 4096), i*4096)
		require.NoError(t, err)
	}
	var b bytes.Buffer
	require.NoError(t, Snoop(src, &b, Options{JSON: true, Stop: func() bool { return true }}))
	lines := jsonLines(t, b.String())
	check := lines[len(lines)-1]["cross_check"].(map[string]any)
	require.GreaterOrEqual(t, check["device_counters"], 40.0, "20 writes, and a flush for each")
	require.InDelta(t, check["device_counters"], check["seen"], unseen)
}

func TestFiltersAreTheKernels(t *testing.T) {
	path, do := disk(t)
	for name, c := range map[string]struct {
		config Config
		want   float64
	}{
		"op":          {Config{Ops: []traces.Op{traces.Write}}, 20},
		"min latency": {Config{MinLatency: time.Minute}, 0},
		"own":         {Config{}, 0},
		"pid":         {Config{PIDs: []uint32{uint32(os.Getpid())}}, 40},
		"other pid":   {Config{PIDs: []uint32{1}}, 0},
		"requests":    {Config{Requests: true}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "op" && name != "min latency" {
				t.Skip("short: two filters of six")
			}
			c.config.Devices, c.config.Own = []string{path}, name != "own"
			src, err := Open(c.config)
			opened(t, err)
			defer src.Close()
			for i := range int64(20) {
				do(traces.Write, i)
				do(traces.Read, i)
			}
			var b bytes.Buffer
			require.NoError(t, Snoop(src, &b, Options{JSON: true, Stop: func() bool { return true }}))
			lines := jsonLines(t, b.String())
			require.InDelta(t, c.want, lines[len(lines)-1]["shown"], unseen)
			if name == "min latency" {
				require.InDelta(t, 40, lines[len(lines)-1]["brief"], unseen)
			}
		})
	}
}

func TestDistributionsOfALoopDeviceHaveEachOfItsIOs(t *testing.T) {
	path, do := disk(t)
	for _, queue := range []bool{false, true} {
		src, err := OpenHistograms(Config{Devices: []string{path}, Queue: queue, PerDevice: true})
		opened(t, err)
		for i := range int64(30) {
			do(traces.Write, i)
		}
		var b bytes.Buffer
		require.NoError(t, Latency(src, &b, LatencyOptions{Options: Options{JSON: true, Stop: func() bool { return true }}}))
		lines := jsonLines(t, b.String())
		stages := []string{}
		for _, l := range lines[:len(lines)-1] {
			require.Equal(t, "write", l["op"])
			require.InDelta(t, 30, l["latency_ns"].(map[string]any)["count"], unseen)
			require.True(t, strings.HasSuffix(path, l["device"].(string)))
			stages = append(stages, l["stage"].(string))
		}
		if queue {
			require.Equal(t, []string{"total", "queue", "device"}, stages)
		} else {
			require.Equal(t, []string{"device"}, stages)
		}
		require.InDelta(t, 30, lines[len(lines)-1]["shown"], unseen)
		require.NoError(t, src.Close())
	}
}

func TestWhatIsNoDeviceIsRefused(t *testing.T) {
	_, err := Open(Config{Devices: []string{"/dev/null"}})
	require.ErrorContains(t, err, "/dev/null: is no block device")
	_, err = OpenHistograms(Config{Devices: []string{"no-such-disk"}})
	require.ErrorContains(t, err, "no-such-disk")
}

// TestADriverThatTakesBiosHasNoQueue: of zram the kernel issues no requests.
func TestADriverThatTakesBiosHasNoQueue(t *testing.T) {
	z := loopdev.ZramFor(t, 16<<20)
	f, err := os.OpenFile(z.Path(), os.O_RDWR|unix.O_DIRECT, 0)
	require.NoError(t, err)
	defer f.Close()
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer unix.Munmap(b)
	src, err := Open(Config{Devices: []string{z.Path()}, Own: true})
	opened(t, err)
	defer src.Close()
	for i := range int64(10) {
		_, err := f.WriteAt(b, i*4096)
		require.NoError(t, err)
	}
	var out bytes.Buffer
	require.NoError(t, Snoop(src, &out, Options{JSON: true, Stop: func() bool { return true }}))
	lines := jsonLines(t, out.String())
	require.GreaterOrEqual(t, len(lines), 1+10-unseen)
	for _, l := range lines[:len(lines)-1] {
		require.Nil(t, l["queue_ns"])
		require.Equal(t, l["total_ns"], l["device_ns"])
	}
	require.NotContains(t, lines[len(lines)-1], "cross_check")
}
