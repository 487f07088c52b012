//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An interrupted trace command leaves no file, and the old one as it was.
func TestASignalLeavesNoHalfTrace(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.blkt")
	require.NoError(t, os.WriteFile(old, []byte("old"), 0o600))
	for _, args := range [][]string{
		{"trace", "generate", "--records=1000000000000", "--output", old},
		{"trace", "convert", "--output", old, endlessTrace(t)},
	} {
		timer := time.AfterFunc(300*time.Millisecond, func() {
			if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
				t.Error(err)
			}
		})
		code, _, errs := blksim(args...)
		timer.Stop()
		require.Equal(t, exitInterrupted, code, errs)
		require.Contains(t, errs, "interrupted: nothing was written")
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 1)
		b, err := os.ReadFile(old)
		require.NoError(t, err)
		require.Equal(t, "old", string(b))
	}
}

// endlessTrace is a pipe that a trace comes out of until the test ends.
func endlessTrace(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		for _, err = f.WriteString("blksim trace 1\n"); err == nil; {
			_, err = f.WriteString("0.0 R 0 4096\n") // until the reader has gone
		}
	}()
	return path
}
