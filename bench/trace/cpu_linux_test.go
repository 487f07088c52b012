package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAProcessIsReadWhateverItsName(t *testing.T) {
	p, err := parseProcess("42 (a) b (c) S 7 1 1 0 -1 0 1 2 3 4 100 50 20 10 20 0 1 0 5\n")
	require.NoError(t, err)
	require.Equal(t, process{pid: 42, parent: 7, time: 1800 * time.Millisecond}, p)
	for _, bad := range []string{"", "42", "42 (x) S", "x (y) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", "42 (x) S 7 1 1 0 -1 0 1 2 3 4 a b c d"} {
		_, err := parseProcess(bad)
		require.Error(t, err, bad)
	}
}

func TestOursAreThisProcessAndWhatIsBelowIt(t *testing.T) {
	me := os.Getpid()
	all := map[int]process{1: {pid: 1}, 2: {pid: 2}, me: {pid: me, parent: 1}, 1 << 22: {pid: 1 << 22, parent: me}, 1<<22 + 1: {pid: 1<<22 + 1, parent: 1 << 22},
		1<<22 + 2: {pid: 1<<22 + 2, parent: 2}, 1<<22 + 3: {pid: 1<<22 + 3, parent: 1}}
	for pid, want := range map[int]bool{1: false, 2: true, me: true, 1 << 22: true, 1<<22 + 1: true, 1<<22 + 2: true, 1<<22 + 3: false} {
		require.Equal(t, want, all[pid].ours(all), pid)
	}
}

func TestProcessorsGoOn(t *testing.T) {
	a, err := readProcessors()
	require.NoError(t, err)
	for since := time.Now(); time.Since(since) < 100*time.Millisecond; {
	}
	b, err := readProcessors()
	require.NoError(t, err)
	require.Greater(t, b.busy, a.busy)
	require.GreaterOrEqual(t, b.busy, b.others-a.others)
}
