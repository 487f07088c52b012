package disk

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/aio/lane"
	"blksim/internal/loopdev"
)

var kinds = []EngineKind{IOURing, LibAIO, Sync}

// each runs a test with an engine of each kind, on a thread of its own, in the place
// of the lane's.
func each(t *testing.T, o EngineOptions, test func(t *testing.T, e *Engine, a *Arena)) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			o := o
			o.Kind = kind
			e, a := newEngine(t, o)
			test(t, e, a)
		})
	}
}

// noLane is a lane that the test plays itself.
type noLane struct{}

func (noLane) Attach(lane.Waiter) {}

func newEngine(t *testing.T, o EngineOptions) (*Engine, *Arena) {
	t.Helper()
	return newEngineFor(t, o, Info{Direct: true, NoWait: true})
}

func newEngineFor(t *testing.T, o EngineOptions, i Info) (*Engine, *Arena) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	s, err := NewEngines(o)
	require.NoError(t, err)
	e, err := s.start(noLane{}, &File{info: i})
	for _, missing := range []error{unix.ENOSYS, unix.EPERM, unix.EAGAIN, ErrNotSupported} {
		if errors.Is(err, missing) {
			t.Skip(err)
		}
	}
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := e.Close(); !errors.Is(err, ErrInKernel) {
			require.NoError(t, err)
		}
		require.NoError(t, s.Close())
	})
	return e, s.Arena()
}

// file opens a new file of size bytes, all written, or skips the test where there is
// no O_DIRECT.
func file(t *testing.T, e *Engine, size int64) (*File, *Handle) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, size))
	return openFile(t, e, path)
}

func openFile(t *testing.T, e *Engine, path string) (*File, *Handle) {
	t.Helper()
	f, err := Open(path, Options{Write: true})
	if errors.Is(err, unix.EINVAL) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	h, err := e.Register(f)
	require.NoError(t, err)
	return f, h
}

// result is how an IO ended.
type result struct {
	n     int64
	errno syscall.Errno
	times int
}

// ends collects results by tag.
type ends struct {
	got  []result
	left int
	open bool // within a run
	runs int

	expected int
}

func (d *ends) EndRun() {
	d.open = false
	d.runs++
}

func (d *ends) ExpectIO(*IO) { d.expected++ }

func (d *ends) CompleteIO(io *IO, n int64, errno syscall.Errno) {
	r := &d.got[io.Tag]
	r.n, r.errno = n, errno
	r.times++
	d.left--
	d.open = true
}

// reads makes n reads of 4 KiB, the ith at i*4096.
func reads(h *Handle, a *Arena, n int) ([]*IO, *ends) {
	d := &ends{got: make([]result, n)}
	ios := make([]*IO, n)
	for i := range ios {
		ios[i] = &IO{Op: Read, File: h, Off: int64(i) * 4096, Len: 4096, Bufs: [][]byte{a.Alloc(4096)}, Done: d, Tag: i}
	}
	return ios, d
}

// run is a lane's loop until all have ended, or for ten seconds.
func run(t *testing.T, e *Engine, d *ends) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); d.left > 0; {
		require.False(t, d.open, "a run has no end")
		require.True(t, time.Now().Before(end), "%d I/Os did not end", d.left)
		if !e.Poll() {
			e.Wait(time.Second)
		}
	}
}

func submit(e *Engine, d *ends, ios ...*IO) {
	d.left += len(ios)
	for _, io := range ios {
		e.Submit(io)
	}
}

func TestABatchIsReadInFewSystemCalls(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		_, h := file(t, e, 1<<20)
		ios, d := reads(h, a, 64)
		for range 3 {
			submit(e, d, ios...)
			run(t, e, d)
		}
		for i, r := range d.got {
			require.Equal(t, result{4096, 0, 3}, r, i)
			require.Equal(t, fmt.Sprintf("%016x", i*8), string(ios[i].Bufs[0][:16]), "the number of its first 512 bytes")
		}
		c := e.Counts()
		require.EqualValues(t, 3*64, c.IOs)
		if e.back != nil {
			require.Less(t, c.Enters, uint64(3*8), "a batch is one call")
			require.Zero(t, c.Pooled)
		}
	})
}

func TestNothingIsAllocatedForAnIO(t *testing.T) {
	for _, kind := range kinds[:2] {
		t.Run(string(kind), func(t *testing.T) {
			e, a := newEngine(t, EngineOptions{Kind: kind})
			_, h := file(t, e, 1<<20)
			ios, d := reads(h, a, 16)
			ios[3].Len, ios[3].Bufs = 8192, [][]byte{a.Alloc(4096), a.Alloc(4096)}
			ios[4].Op = Flush
			round := func() {
				submit(e, d, ios...)
				for d.left > 0 {
					if !e.Poll() {
						e.Wait(time.Second)
					}
				}
			}
			round()
			require.Zero(t, testing.AllocsPerRun(50, round))
		})
	}
}

func TestEveryOperation(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		f, h := file(t, e, 1<<20)
		d := &ends{got: make([]result, 1)}
		do := func(op Op, off, n int64, fua bool, bufs ...[]byte) result {
			d.got[0] = result{}
			submit(e, d, &IO{Op: op, Off: off, Len: n, FUA: fua, File: h, Bufs: bufs, Done: d})
			run(t, e, d)
			return d.got[0]
		}
		fill := func(b byte) []byte { return append(a.Alloc(4096)[:0], bytes.Repeat([]byte{b}, 4096)...) }
		require.Equal(t, result{8192, 0, 1}, do(Write, 4096, 8192, true, fill('x'), fill('y')))
		require.Equal(t, result{0, 0, 1}, do(Flush, 0, 0, false))
		one, two := a.Alloc(4096), a.Alloc(4096)
		require.Equal(t, result{8192, 0, 1}, do(Read, 4096, 8192, false, one, two))
		require.Equal(t, []byte{'x', 'x', 'y', 'y'}, []byte{one[0], one[4095], two[0], two[4095]})
		if !f.Info().WriteZeroes {
			t.Skip("the file system makes no holes")
		}
		require.Equal(t, result{4096, 0, 1}, do(WriteZeroes, 4096, 4096, false))
		require.Equal(t, result{4096, 0, 1}, do(Discard, 8192, 4096, false))
		require.Equal(t, result{8192, 0, 1}, do(Read, 4096, 8192, false, one, two))
		require.Equal(t, make([]byte, 8192), append(bytes.Clone(one), two...))
		require.NotZero(t, e.Counts().Pooled)
	})
}

func TestWhatTheKernelSaysGetsThrough(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		f, h := file(t, e, 1<<20)
		ios, d := reads(h, a, 3)
		require.NoError(t, os.Truncate(f.Info().Path, 4096+512))
		ios[0].Off += 7 // not aligned
		submit(e, d, ios...)
		run(t, e, d)
		require.Equal(t, []result{{0, unix.EINVAL, 1}, {512, 0, 1}, {0, 0, 1}}, d.got)
	})
}

func TestCancelBeforeTheKernelKnowsEndsAtOnce(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		if e.back == nil {
			t.Skip("the pool begins at once")
		}
		_, h := file(t, e, 1<<20)
		ios, d := reads(h, a, 3)
		submit(e, d, ios...)
		e.Cancel(ios[1])
		require.Equal(t, result{0, unix.ECANCELED, 1}, d.got[1])
		require.Equal(t, 1, d.runs)
		e.Cancel(ios[1]) // it is over
		run(t, e, d)
		require.Equal(t, []result{{4096, 0, 1}, {0, unix.ECANCELED, 1}, {4096, 0, 1}}, d.got)
		require.Equal(t, Cancels{Asked: 1, Ours: 1}, h.Cancels())
	})
}

// Whatever the kernel answers, each I/O ends once, and the counts say how.
func TestCancelsAreCountedAsTheyWereAnswered(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		_, h := file(t, e, 4<<20)
		ios, d := reads(h, a, 128)
		for round := range 20 {
			submit(e, d, ios...)
			for range round % 5 {
				e.Poll()
			}
			for i := round % 3; i < len(ios); i += 2 {
				e.Cancel(ios[i])
			}
			run(t, e, d)
			for i, r := range d.got {
				require.Equal(t, round+1, r.times)
				require.True(t, r.errno == unix.ECANCELED || r == result{4096, 0, round + 1}, "%d: %v", i, r)
			}
		}
		for e.Poll() || e.back != nil && e.back.deferred() { // the last answers
		}
		c := h.Cancels()
		t.Logf("%+v", c)
		require.NotZero(t, c.Asked)
		require.Equal(t, c.Asked, c.Ours+c.Kernel+c.Running+c.Unknown+c.Refused)
	})
}

func TestWakeEndsTheWaitUnderWayOrTheNext(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, _ *Arena) {
		for range 3 {
			e.Wake()
			e.Wake()
			e.Wait(-1)
			e.Poll()
			go func() {
				time.Sleep(2 * time.Millisecond)
				e.Wake()
			}()
			e.Wait(-1)
			e.Poll()
		}
	})
}

// Whoever meant to wake a lane may do so when the engine is closed, and its descriptor
// is another file's.
func TestALateWakeWritesToNobodysFile(t *testing.T) {
	s, err := NewEngines(EngineOptions{Kind: Sync})
	require.NoError(t, err)
	defer s.Close()
	e, err := s.start(noLane{}, &File{})
	require.NoError(t, err)
	fd := e.bell.fd
	require.NoError(t, e.Close())
	path := filepath.Join(t.TempDir(), "innocent")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	if int(f.Fd()) != fd {
		require.NoError(t, unix.Dup3(int(f.Fd()), fd, unix.O_CLOEXEC)) // it was the lowest that was free
		defer unix.Close(fd)
	}
	e.Wake()
	e.bell.read()
	e.Wake()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Empty(t, text)
}

func TestWaitEndsInTime(t *testing.T) {
	for _, poll := range []time.Duration{0, time.Millisecond} {
		each(t, EngineOptions{Poll: poll}, func(t *testing.T, e *Engine, _ *Arena) {
			start := time.Now()
			for range 100 { // a signal may end it early
				if d := 5*time.Millisecond - time.Since(start); d > 0 {
					e.Wait(d)
				}
			}
			require.GreaterOrEqual(t, time.Since(start), 4*time.Millisecond)
		})
	}
}

// A wait for several completions ends by one ring of the bell, each time.
func TestTheBellEndsAWaitForSeveral(t *testing.T) {
	e, _ := newEngine(t, EngineOptions{Kind: IOURing})
	b := e.back.(*ringBackend)
	for _, n := range []int{1, 8, 3, 16, 16, 2} {
		b.arm(n)
		require.NoError(t, b.submit())
		require.False(t, e.ready())
		go e.Wake()
		for start := time.Now(); b.ring.Ready() < n; { // a signal may have ended it before
			require.Less(t, time.Since(start), 10*time.Second)
			require.NoError(t, b.ring.WaitShort(n, 20*time.Second))
		}
		e.Poll()
		require.False(t, e.bell.rung.Load())
	}
}

// The collector stops all threads: one that waits must not keep it.
func TestTheCollectorDoesNotWaitForAWait(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, _ *Arena) {
		done := make(chan time.Duration)
		go func() {
			start := time.Now()
			for range 3 {
				runtime.GC()
			}
			e.Wake()
			done <- time.Since(start)
		}()
		e.Wait(-1)
		for e.bell.rung.Load() { // a signal may have ended it before
			e.Poll()
			e.Wait(time.Second)
		}
		require.Less(t, <-done, 30*time.Second)
	})
}

// Nor one that the Go scheduler does not know of, when a disk that was quick stops.
func TestTheCollectorDoesNotWaitForADiskThatStops(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		l := loopdev.LoopFor(t, 4<<20, loopdev.Options{})
		loopdev.ThrottleFor(t, l.Path(), loopdev.Limits{ReadIOPS: 4})
		_, h := openFile(t, e, l.Path())
		ios, d := reads(h, a, 4)
		e.pace.each = time.Microsecond
		collected := make(chan time.Time, 1)
		go func() {
			runtime.GC()
			collected <- time.Now()
		}()
		submit(e, d, ios...)
		run(t, e, d)
		ended := time.Now()
		select {
		case at := <-collected:
			t.Logf("%v before the last I/O: %+v", ended.Sub(at), e.Counts())
		default:
			t.Error("the collector was kept until the I/Os came back")
		}
		e.Unregister(h)
	})
}

func TestPollingFindsWhatWaitingWould(t *testing.T) {
	each(t, EngineOptions{Poll: 5 * time.Millisecond}, func(t *testing.T, e *Engine, a *Arena) {
		_, h := file(t, e, 1<<20)
		ios, d := reads(h, a, 8)
		for i := range 20 {
			submit(e, d, ios...)
			run(t, e, d)
			require.Equal(t, result{4096, 0, i + 1}, d.got[7])
		}
	})
}

// A ring with IOPOLL takes only what can be polled for; the pool does the rest. Where
// the device cannot do it after all, the kernel says so.
func TestIOPoll(t *testing.T) {
	e, a := newEngineFor(t, EngineOptions{Kind: IOURing, Poll: time.Millisecond}, Info{Direct: true, Poll: true})
	require.Contains(t, e.Why(), "IOPOLL")
	f, h := file(t, e, 1<<20)
	able := f.info.Poll
	for _, poll := range []bool{false, true} {
		f.info.Poll = poll
		ios, d := reads(h, a, 8)
		ios[7].Op = Flush
		submit(e, d, ios...)
		run(t, e, d)
		for i, r := range d.got {
			if poll && !able && r.errno == unix.EOPNOTSUPP && i < 7 {
				continue
			}
			require.Equal(t, result{4096, 0, 1}, r, i)
		}
	}
	require.Less(t, e.Counts().Pooled, uint64(8+8))
	done := make(chan bool)
	go func() {
		time.Sleep(time.Millisecond)
		e.Wake()
		close(done)
	}()
	e.Wait(-1) // with nothing in the kernel it sleeps, and is woken
	<-done
}

// More I/Os than the kernel may have wait in the engine.
func TestTheKernelHasNoMoreThanThereIsRoom(t *testing.T) {
	e, a := newEngine(t, EngineOptions{Kind: LibAIO})
	_, h := file(t, e, 1<<20)
	ios, d := reads(h, a, aioRoom+500)
	for i := range ios {
		ios[i].Off = int64(i%256) * 4096
	}
	submit(e, d, ios...)
	for d.left > 0 {
		require.LessOrEqual(t, e.inKernel, aioRoom)
		if !e.Poll() {
			e.Wait(time.Second)
		}
	}
	for _, r := range d.got {
		require.Equal(t, result{4096, 0, 1}, r)
	}
}

// An engine whose I/Os do not return is left behind, and says so.
func TestCloseWithIOsInTheKernelSaysSo(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		l := loopdev.LoopFor(t, 4<<20, loopdev.Options{})
		loopdev.ThrottleFor(t, l.Path(), loopdev.Limits{ReadIOPS: 20})
		_, h := openFile(t, e, l.Path())
		ios, d := reads(h, a, 8)
		submit(e, d, ios...)
		for range patience + 2 {
			e.Poll()
		}
		require.ErrorIs(t, e.Close(), ErrInKernel)
		for _, io := range ios {
			e.Cancel(io)
		}
		run(t, e, d) // it goes on all the same
		c := h.Cancels()
		t.Logf("%+v", c)
		require.EqualValues(t, 8, c.Asked)
		e.Unregister(h) // which holds the device
	})
}

func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		kind EngineKind
		info Info
		want []EngineKind
	}{
		{Sync, Info{}, []EngineKind{Sync}},
		{LibAIO, Info{Direct: true, NoWait: true}, []EngineKind{LibAIO}},
		{Auto, Info{Direct: true, NoWait: true}, []EngineKind{IOURing, LibAIO, Sync}},
		{Auto, Info{Direct: true}, []EngineKind{LibAIO, IOURing, Sync}},
		{Auto, Info{NoWait: true}, []EngineKind{IOURing, Sync}},
	} {
		got, why := candidates(c.kind, &c.info)
		require.Equal(t, c.want, got)
		require.NotEmpty(t, why)
	}
}

func TestEngineOptionsSayWhatIsWrong(t *testing.T) {
	for want, o := range map[string]EngineOptions{
		"engine posix": {Kind: "posix"}, "poll 1m0s": {Poll: time.Minute}, "arena": {Arena: 2 << 30},
	} {
		_, err := NewEngines(o)
		require.ErrorContains(t, err, want)
	}
}

// What is pushed is in the kernel when Push returns, and what comes later is not.
func TestPushHandsOverAtOnce(t *testing.T) {
	each(t, EngineOptions{}, func(t *testing.T, e *Engine, a *Arena) {
		e.Push() // nothing
		_, h := file(t, e, 1<<20)
		ios, d := reads(h, a, 5)
		enters := e.Counts().Enters
		submit(e, d, ios[:3]...)
		e.Push()
		if e.back != nil {
			require.Equal(t, enters+1, e.Counts().Enters, "one call for all of them")
			require.Empty(t, e.pending[e.head:])
		}
		submit(e, d, ios[3:]...)
		if e.back != nil {
			require.Len(t, e.pending[e.head:], 2)
		}
		run(t, e, d)
		for _, r := range d.got {
			require.Equal(t, result{n: 4096, times: 1}, r)
		}
	})
}
