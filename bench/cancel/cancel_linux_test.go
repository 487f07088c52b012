package main

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

// TestMain also is the process that serves the slow file.
func TestMain(m *testing.M) {
	if is, err := child(); is {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// slow is the slow disk, or the test is skipped.
func slow(t *testing.T) string {
	t.Helper()
	var undo loopdev.Undo
	path, err := slowDevice(&undo)
	t.Cleanup(func() { require.NoError(t, undo.Close()) })
	var skip figures.Skip
	if errors.As(err, &skip) || errors.Is(err, loopdev.ErrUnavailable) {
		t.Skipf("skipped: %v", err)
	}
	require.NoError(t, err)
	return path
}

// The slow disk gives zeroes, and is never faster than it says, however many ask.
func TestSlowDiskServesOneReadAtATime(t *testing.T) {
	fd, arena, err := open(slow(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, errors.Join(unix.Close(fd), unix.Munmap(arena))) }()
	const n = 16
	arena[0] = 1
	start := monotonic()
	done := make(chan error, n)
	for i := range n {
		go func() {
			got, err := unix.Pread(fd, arena[i*readSize:(i+1)*readSize], offset(i))
			if err == nil && got != readSize {
				err = fmt.Errorf("%d bytes", got)
			}
			done <- err
		}()
	}
	for range n {
		require.NoError(t, <-done)
	}
	require.GreaterOrEqual(t, monotonic()-start, (n-1)*service)
	require.Zero(t, arena[0])
}

// Every way ends every read once, and what it calls cancelled was to be. How fast, is
// for the benchmark to tell. Each runs to its end and is torn down; with -short only
// ours, and Linux AIO never, since a way of the kernel's takes two seconds.
func TestWaysEndEveryReadOnce(t *testing.T) {
	device := slow(t)
	for _, w := range ways() {
		if testing.Short() && w.kernel || w.name == ways()[0].name {
			continue // a second each
		}
		t.Run(w.name, func(t *testing.T) {
			o, err := measure(device, w)
			if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
				t.Skipf("skipped: %v", err)
			}
			require.NoError(t, err)
			require.Equal(t, reads/2, o.done+o.cancelled+o.tooLate)
			require.GreaterOrEqual(t, o.total, patience)
			require.Less(t, o.teardown, time.Minute)
			if !w.kernel {
				require.Positive(t, o.cancelled, "what waits in our queue can always be cancelled")
			}
			n, err := inFlight(device)
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
}
