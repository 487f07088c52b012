package uring

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// open makes a ring on a locked thread, or skips the test where there is no
// io_uring.
func open(t *testing.T, o Options) *Ring {
	t.Helper()
	runtime.LockOSThread()
	r, err := New(o)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, r.Close())
		runtime.UnlockOSThread()
	})
	return r
}

func TestEntriesCompleteInEveryKindOfRing(t *testing.T) {
	for name, o := range map[string]Options{
		"default": {}, "small": {Entries: 4}, "many completions": {Entries: 4, CQEntries: 64},
		"polled": {Entries: 8, PollIdle: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, o)
			t.Log(r.Flags(), r.Entries(), r.CQEntries())
			cqes := make([]CQE, r.Entries())
			next, seen := uint64(0), uint64(0)
			for seen < 1000 { // the rings wrap many times
				for e := r.Next(); e != nil; e = r.Next() {
					e.Opcode, e.UserData = OpNop, next
					next++
				}
				require.NoError(t, r.Wait(1))
				for _, c := range cqes[:r.Reap(cqes)] {
					require.Equal(t, CQE{UserData: seen}, c)
					seen++
				}
			}
		})
	}
}

func TestSubmitDoesNotWaitAndNopsAreDoneByThen(t *testing.T) {
	r := open(t, Options{})
	require.Zero(t, r.Ready())
	require.NoError(t, r.Submit())
	r.Next().UserData = 7
	require.NoError(t, r.Submit())
	require.Equal(t, 1, r.Ready())
	var c [2]CQE
	require.Equal(t, 1, r.Reap(c[:]))
	require.EqualValues(t, 7, c[0].UserData)
}

func TestReadsAndWritesWithRegisteredFilesAndBuffers(t *testing.T) {
	r := open(t, Options{})
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	require.NoError(t, err)
	defer f.Close()
	out, in := make([]byte, 8192), make([]byte, 8192)
	for i := range out {
		out[i] = byte(i * 7)
	}
	require.NoError(t, r.RegisterFiles([]int32{int32(f.Fd())}))
	require.NoError(t, r.RegisterBuffers([][]byte{out, in}))
	for i, b := range [][]byte{out, in} {
		e := r.Next()
		e.Opcode, e.Flags, e.BufIndex = OpWriteFixed, FixedFile, uint16(i)
		if i == 1 {
			e.Opcode = OpReadFixed
		}
		e.Addr, e.Len = uint64(uintptr(unsafe.Pointer(&b[0]))), uint32(len(b))
		require.NoError(t, r.Wait(1))
		var c [1]CQE
		require.Equal(t, 1, r.Reap(c[:]))
		require.EqualValues(t, len(b), c[0].Res)
	}
	require.Equal(t, out, in)
}

func TestPollIsCancelledByItsUserData(t *testing.T) {
	r := open(t, Options{})
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(fd)
	e := r.Next()
	e.Opcode, e.FD, e.OpFlags, e.UserData = OpPollAdd, int32(fd), unix.POLLIN, 5
	require.NoError(t, r.WaitFor(1, time.Millisecond), "nothing can have come")
	require.Zero(t, r.Ready())
	e = r.Next()
	e.Opcode, e.FD, e.Addr, e.UserData = OpAsyncCancel, -1, 5, 6
	require.NoError(t, r.Wait(2))
	c := make([]CQE, 4)
	require.Equal(t, 2, r.Reap(c))
	res := map[uint64]int32{c[0].UserData: c[0].Res, c[1].UserData: c[1].Res}
	require.Equal(t, map[uint64]int32{5: -int32(unix.ECANCELED), 6: 0}, res)
}

func TestWaitForEndsInTime(t *testing.T) {
	r := open(t, Options{})
	start := time.Now()
	require.NoError(t, r.WaitFor(1, 5*time.Millisecond))
	require.GreaterOrEqual(t, time.Since(start), 4*time.Millisecond)
}

func TestAnotherThreadIsRefused(t *testing.T) {
	r := open(t, Options{})
	if r.flags&setupSingleIssuer == 0 {
		t.Skip("the kernel has no SINGLE_ISSUER")
	}
	r.unregisterSelf() // the registration is the thread's too
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		r.Next()
		done <- r.Submit()
	}()
	require.ErrorIs(t, <-done, unix.EEXIST)
}

func TestRingsThatWereClosedAreGone(t *testing.T) {
	for i := range 40 { // a thread can have 16 registered
		runtime.LockOSThread()
		r, err := New(Options{})
		if err != nil {
			t.Skip(err)
		}
		if i == 0 && r.enterFlags == 0 {
			t.Skip("the kernel registers no rings")
		}
		require.NotZero(t, r.enterFlags, "ring %d", i)
		require.NoError(t, r.Close())
		runtime.UnlockOSThread()
	}
}

func TestOptionsSayWhatIsWrong(t *testing.T) {
	_, err := New(Options{Entries: -1})
	require.ErrorContains(t, err, "-1 and 0 entries")
	_, err = New(Options{PollIdle: time.Minute})
	require.ErrorContains(t, err, "poll idle 1m0s")
}

func TestRegisterOfABadFileSaysSo(t *testing.T) {
	require.ErrorIs(t, open(t, Options{}).RegisterFiles([]int32{1 << 20}), unix.EBADF)
}

func BenchmarkNop(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(map[int]string{1: "batch=1", 32: "batch=32"}[batch], func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			r, err := New(Options{})
			if err != nil {
				b.Skip(err)
			}
			defer r.Close()
			cqes := make([]CQE, batch)
			b.ReportAllocs()
			for n := 0; n < b.N; n += batch {
				for i := range batch {
					r.Next().UserData = uint64(i)
				}
				if err := r.Submit(); err != nil || r.Reap(cqes) != batch {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestPushSubmitsAndLosesNoCompletion(t *testing.T) {
	for _, o := range []Options{{}, {PollIdle: time.Millisecond}} {
		r := open(t, o)
		require.NoError(t, r.Push(), "nothing to submit")
		for i := range 10 {
			r.Next().UserData = uint64(i)
			require.NoError(t, r.Push())
			if !r.Polled() {
				require.Zero(t, r.Unsubmitted())
			}
		}
		require.NoError(t, r.Wait(10))
		c := make([]CQE, 20)
		require.Equal(t, 10, r.Reap(c))
		for i := range 10 {
			require.EqualValues(t, i, c[i].UserData)
		}
	}
}
