package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// However the block layer is set up, every request ends, all adds up, and without
// cancels all are completed.
func TestBlockLayerOptionsLoseNothing(t *testing.T) {
	part := head(t, sample, 3000)
	for _, args := range [][]string{
		{"--scheduler=mq-deadline", "--queue-depth=4"},
		{"--scheduler=kyber", "--queues=2", "--queue-depth=4"},
		{"--nomerges", "--device-depth=3"},
		{"--max-transfer=4KiB", "--boundary=64KiB", "--lazy-cancel"},
		{"--device=ram", "--size=2GiB", "--redirect=wrap", "--discards=zero", "--io-timeout=1s"},
	} {
		r := replayJSON(t, append(args, "--timing=afap", "--cancel=none", part)...)[0]
		require.True(t, r.Accounting.Balanced, "%v: %v", args, r.Faults)
		require.Equal(t, r.Accounting.Requests.Submitted, r.Accounting.Requests.Completed, args)
	}
}

// A device that never answers some of its commands is reset, and what it had is
// sent again.
func TestIOTimeoutBringsBackADeviceThatHangs(t *testing.T) {
	part := head(t, sample, 3000)
	plan := filepath.Join(t.TempDir(), "plan")
	require.NoError(t, os.WriteFile(plan, []byte("hang chance=0.002\n"), 0o666))
	r := replayJSON(t, "--faults="+plan, "--io-timeout=5ms", "--cancel=none", part)[0]
	require.True(t, r.Accounting.Balanced, "%v", r.Faults)
	require.Zero(t, r.Accounting.Requests.Stuck)
	require.Positive(t, r.Block.Resets)
	require.Positive(t, r.Block.Retried)
	require.Equal(t, r.Accounting.Requests.Submitted, r.Accounting.Requests.Completed)
}
