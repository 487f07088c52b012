//go:build unix

package loopdev

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUndoRunsTheLastFirstAndAll(t *testing.T) {
	var u Undo
	var ran []int
	failed := errors.New("failed")
	for i := range 3 {
		u.Add(func() error {
			ran = append(ran, i)
			if i == 1 {
				return failed
			}
			return nil
		})
	}
	require.ErrorIs(t, u.Close(), failed)
	require.Equal(t, []int{2, 1, 0}, ran)
	require.NoError(t, u.Close(), "each runs once")
	require.Len(t, ran, 3)
}

func TestSignalTakesBack(t *testing.T) {
	var u Undo
	code := make(chan int, 1)
	stop := u.OnSignal(func(c int) { code <- c })
	defer stop()
	undone := false
	u.Add(func() error { undone = true; return nil })
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGHUP))
	select {
	case c := <-code:
		require.Equal(t, 128+int(syscall.SIGHUP), c)
		require.True(t, undone)
	case <-time.After(10 * time.Second):
		t.Fatal("the signal had no effect")
	}
}
