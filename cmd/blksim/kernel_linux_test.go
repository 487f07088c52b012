package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"blksim/internal/ebpf"
	"blksim/internal/loopdev"
)

// crowd is a trace of reads and writes at once, each of a place of its own, of which
// three in four are cancelled as soon as they wait: with a disk that takes one at a time,
// nearly all of them before dispatch.
func crowd(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("blksim trace 1\n")
	for i := range n {
		fmt.Fprintf(&b, "0 %c %d 4096", "RW"[i/4%2], i*65536)
		if i%4 != 0 {
			b.WriteString(" cancel=0.000001")
		}
		b.WriteByte('\n')
	}
	return file(t, "crowd.blk", b.String())
}

// traceable skips the test of a command that has said that it cannot trace, if this
// process cannot either.
func traceable(t *testing.T, errs string) {
	t.Helper()
	if !strings.Contains(errs, "is missing") {
		return
	}
	tr, err := ebpf.Open(ebpf.Options{})
	if err == nil {
		require.NoError(t, tr.Close())
		t.Fatalf("it can trace here, and says: %s", errs)
	}
	require.ErrorIs(t, err, ebpf.ErrUnavailable)
	t.Skip(errs)
}

// TestNoIOCancelledBeforeDispatchReachesTheKernel: by blksim's own account, and by a
// tracer of this process's, which knows nothing of it.
func TestNoIOCancelledBeforeDispatchReachesTheKernel(t *testing.T) {
	l := loopdev.LoopFor(t, 256<<20, loopdev.Options{})
	d, err := ebpf.FindDevice(l.Path())
	require.NoError(t, err)
	outside, err := ebpf.Open(ebpf.Options{Devices: []ebpf.Device{d}, AppIDs: true})
	if errors.Is(err, ebpf.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer outside.Close()

	// Reading its events takes turns with the run: the ring has room for all.
	ios, result := filepath.Join(t.TempDir(), "ios.parquet"), filepath.Join(t.TempDir(), "r.json")
	cmd := command(t, "replay", "--device="+l.Path(), "--allow-write", "--ebpf", "--device-depth=1", "--ioengine=io_uring", "--ios="+ios,
		"--output-format=json", "--output="+result, crowd(t, 4000))
	var errs strings.Builder
	cmd.Stderr = &errs
	require.NoError(t, cmd.Run(), errs.String())

	require.NoError(t, outside.Stop(time.Second))
	// What has the id that an application gave it is the run's: nobody else knows this
	// disk. Before the run, blksim looks through the page cache for what is on it.
	reached := map[int64]bool{}
	evs := make([]ebpf.Event, 4096)
	for end := false; !end; {
		n, err := outside.Read(evs, time.Second)
		if end = err == io.EOF; !end {
			require.NoError(t, err)
		}
		for _, e := range evs[:n] {
			if e.AppKind != ebpf.NoApp {
				reached[e.Sector*512] = true
			}
		}
	}
	counts, err := outside.Counts()
	require.NoError(t, err)
	require.Zero(t, counts.Lost+counts.NoRoom)

	skipped, dispatched, missed := 0, 0, 0
	for _, io := range outcomes(t, ios) {
		switch io.Outcome {
		case "skipped":
			skipped++
			require.Nil(t, io.Queued)
			require.False(t, reached[io.Offset], "the kernel had byte %d, which had been cancelled before dispatch", io.Offset)
		case "completed", "too-late":
			dispatched++
			if !reached[io.Offset] || io.Queued == nil {
				missed++ // of the tracer's: see internal/ebpf
				continue
			}
			const clocks = 20_000 // how far two may be apart
			require.Less(t, *io.Dispatched, *io.Queued+clocks)
			require.Less(t, *io.Queued, *io.Issued)
			require.Less(t, *io.Issued, *io.Completed)
			require.Less(t, *io.Completed, *io.Returned+clocks)
		}
	}
	require.Greater(t, skipped, 1000, "the test has something to show")
	require.GreaterOrEqual(t, dispatched, 1000)
	require.LessOrEqual(t, missed, 4)

	text, err := os.ReadFile(result)
	require.NoError(t, err)
	r := decode(t, string(text))[0]
	k := r.Kernel
	require.NotNil(t, k)
	require.EqualValues(t, skipped, k.Cancelled.Skipped)
	require.Zero(t, k.Cancelled.SkippedInKernel)
	require.Zero(t, k.Unexplained, k.Examples)
	require.EqualValues(t, dispatched, k.Dispatched)
	require.InDelta(t, dispatched, k.Told, 4)
	require.Equal(t, k.Bios, k.Done+k.Lost+k.NotFollowed+k.NeverSeen)
	require.Equal(t, k.Lost+k.NotFollowed+k.NeverSeen+k.Unmatched == 0, k.Proven)
	for _, op := range []string{"read", "write"} {
		o := k.Ops[op]
		require.InDelta(t, r.Ops[op].Completed, o.Bios, 3)
		require.NotNil(t, o.QueueNs)
		require.NotNil(t, o.DeviceNs)
		require.NotNil(t, o.OutsideNs)
		// The kernel has an I/O for a part of the time that blksim's driver has it.
		require.LessOrEqual(t, o.TotalNs.P50, r.Ops[op].DeviceNs.P50*11/10)
	}
}

type outcome struct {
	Offset     int64  `parquet:"offset"`
	Outcome    string `parquet:"outcome"`
	Dispatched *int64 `parquet:"dispatched_ns,optional"`
	Returned   *int64 `parquet:"returned_ns,optional"`
	Queued     *int64 `parquet:"kernel_queued_ns,optional"`
	Issued     *int64 `parquet:"kernel_issued_ns,optional"`
	Completed  *int64 `parquet:"kernel_completed_ns,optional"`
}

func outcomes(t *testing.T, path string) []outcome {
	t.Helper()
	rows, err := parquet.ReadFile[outcome](path)
	require.NoError(t, err)
	return rows
}

func TestTheKernelsViewIsInTheTable(t *testing.T) {
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	code, out, errs := blksim("run", "--device="+l.Path(), "--ebpf", "--rw=randread", "--number_ios=500", "--iodepth=4")
	traceable(t, errs)
	require.Zero(t, code, errs)
	for _, says := range []string{"the kernel's block layer, by eBPF", "reads, kernel's queue, p50 / p99", "reads, to the kernel and back", "no I/O cancelled before dispatch got there"} {
		require.Contains(t, out, says)
	}
}

func TestTheKernelsViewIsOfABlockDevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Sparse(path, 1<<20))
	trace := file(t, "a.blk", tiny)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--device=sim"}, "--ebpf: only for a file or block device"},
		{[]string{"--device=" + path}, "is a file, whose blocks are anywhere"},
		{[]string{"--device=" + path, "--direct=0"}, "--ebpf with buffered I/O"},
		{[]string{"--device=" + path, "--device=/dev/null", "--stack=mirror:2"}, "2 devices: want one"},
	} {
		code, _, errs := blksim(append([]string{"replay", "--ebpf", trace}, c.args...)...)
		require.Equal(t, exitUsage, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.says)
	}
}
