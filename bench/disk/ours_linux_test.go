package main

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/internal/loopdev"
)

func TestOurSideKeepsItsDepthForATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, 1<<20))
	for _, op := range []aio.Op{aio.OpRead, aio.OpWrite} {
		o, err := openOurs(path, "auto", spec{op: op, depth: 8})
		if errors.Is(err, syscall.EINVAL) {
			t.Skip(err)
		}
		require.NoError(t, err)
		for range 2 {
			w, err := o.run(20 * time.Millisecond)
			require.NoError(t, err)
			require.Positive(t, w.iops)
			require.Positive(t, w.cpu)
			require.Zero(t, o.flying)
		}
		require.LessOrEqual(t, o.disk.Stats().Engine.IOs, uint64(o.latency.Count()), "neighbours go as one")
		require.NoError(t, o.close())
	}
}

func TestABareLoopKeepsItsDepthForATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, 1<<20))
	for _, depth := range []int{1, 8, 64} {
		for _, op := range []aio.Op{aio.OpRead, aio.OpWrite} {
			w, err := bareRun(path, spec{op: op, depth: depth}, 20*time.Millisecond)
			for _, missing := range []error{syscall.EINVAL, syscall.ENOSYS, syscall.EPERM} {
				if errors.Is(err, missing) {
					t.Skip(err)
				}
			}
			require.NoError(t, err)
			require.Positive(t, w.iops)
			require.Positive(t, w.cpu)
		}
	}
}
