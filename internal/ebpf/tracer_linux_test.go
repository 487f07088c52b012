package ebpf

import (
	"errors"
	"flag"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
	"blksim/traces"
)

// direct opens a device without the page cache, and gives an aligned buffer.
func direct(t *testing.T, path string, size int) (*os.File, []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_DIRECT, 0)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Munmap(b) })
	return f, b
}

// drain stops a tracer, and gives all events and the final counts.
func drain(t *testing.T, tr *Tracer) (all []Event, c Counts) {
	t.Helper()
	require.NoError(t, tr.Stop(2*time.Second))
	evs := make([]Event, 512)
	for {
		n, err := tr.Read(evs, time.Second)
		all = append(all, evs[:n]...)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	c, err := tr.Counts()
	require.NoError(t, err)
	require.NoError(t, c.Check())
	return all, c
}

// sawAll skips the rest of a test if the kernel did not run each program each time:
// one that would interrupt another is left out, with what it would have seen.
func sawAll(t *testing.T, c Counts) {
	t.Helper()
	if c.Skipped > 0 || c.NeverDelivered() > 0 {
		t.Skipf("the kernel left programs out: %+v", c)
	}
}

// settled is the stat of a device that has nothing to do. The kernel adds a request to it
// after it has told the caller that the request is done.
func settled(t *testing.T, d Device) (s Stat) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		s, err = ReadStat(d.Name)
		return err == nil && s.InFlight == 0
	}, 10*time.Second, time.Millisecond)
	return s
}

// way is one to attach: a kind of tracepoint, and an object.
type way struct {
	kind  Attach
	plain bool
}

func (w way) String() string {
	if w.plain && w.kind != ClassicTracepoint {
		return w.kind.String() + "-plain"
	}
	return w.kind.String()
}

var allWays = flag.Bool("allways", false, "run tests with each kind of tracepoint over each object; CI: each kind and each object once")

// each runs a test for the ways to attach.
func each(t *testing.T, run func(t *testing.T, open func(o Options) *Tracer)) {
	ways := []way{{BTFTracepoint, false}, {RawTracepoint, true}}
	if *allWays {
		ways = append(ways, way{BTFTracepoint, true}, way{RawTracepoint, false})
	}
	runWays(t, ways, run)
}

// eachAndClassic is for tests of what classic tracepoints can do, too.
func eachAndClassic(t *testing.T, run func(t *testing.T, open func(o Options) *Tracer)) {
	each(t, run)
	runWays(t, []way{{ClassicTracepoint, true}}, run)
}

func runWays(t *testing.T, ways []way, run func(t *testing.T, open func(o Options) *Tracer)) {
	for _, w := range ways {
		t.Run(w.String(), func(t *testing.T) {
			run(t, func(o Options) *Tracer {
				require.NoError(t, o.Validate())
				if err := checkRights(); err != nil {
					t.Skip(err)
				}
				k, err := runningKernel()
				if w.kind != ClassicTracepoint && errors.Is(err, ErrUnavailable) {
					t.Skip(err)
				}
				o.Attach = w.kind
				tr, err := openAs(o, k, w.kind, w.plain)
				if w.kind == ClassicTracepoint && errors.Is(err, ErrUnavailable) {
					t.Skip(err)
				}
				require.NoError(t, err)
				t.Cleanup(func() { tr.Close() })
				return tr
			})
		})
	}
}

func TestEachIOIsOneEvent(t *testing.T) {
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
	d, err := FindDevice(l.Path())
	require.NoError(t, err)
	require.False(t, d.TakesBios)
	f, buf := direct(t, l.Path(), 8192)
	eachAndClassic(t, func(t *testing.T, open func(Options) *Tracer) {
		tr := open(Options{Devices: []Device{d}, PIDs: []uint32{uint32(os.Getpid())}})
		for i := range int64(10) {
			_, err := f.WriteAt(buf, i*1<<20)
			require.NoError(t, err)
			_, err = f.ReadAt(buf[:4096], i*1<<20+4096)
			require.NoError(t, err)
		}
		evs, c := drain(t, tr)
		require.LessOrEqual(t, c.NeverDelivered(), uint64(1), "the kernel may miss a completion")
		require.GreaterOrEqual(t, len(evs), 19)
		require.EqualValues(t, 20, c.Started)
		for _, e := range evs {
			want := Event{Queue: e.Queue, Insert: e.Insert, Issue: e.Issue, Complete: e.Complete, Comm: e.Comm, TID: e.TID,
				Kind: Bio, Dev: d.Dev, PID: uint32(os.Getpid()), Bios: 1, Flags: traces.Sync}
			i := e.Sector >> 11
			want.Sector, want.Bytes, want.Op = i<<11, 8192, traces.Write
			if e.Op == traces.Read {
				want.Sector, want.Bytes, want.Op, want.Flags = i<<11+8, 4096, traces.Read, e.Flags
			}
			require.Equal(t, want, e)
			require.Less(t, e.Queue, e.Issue)
			require.Less(t, e.Issue, e.Complete)
			require.NotEmpty(t, e.Command())
		}
	})
}
