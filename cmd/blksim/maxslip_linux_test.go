package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/loopdev"
)

// On a real disk there is no other time than real time, and the fidelity is told
// without being asked for.
func TestFidelityOnARealDiskIsTold(t *testing.T) {
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{ReadOnly: true})
	path := burst(t, 300)
	r := replayJSON(t, "--device="+l.Path(), "--device-depth=8", "--time-scale=2", path)[0]
	require.Equal(t, "real", r.Setup.Clock)
	require.EqualValues(t, 300, r.Accounting.Requests.Completed)
	require.EqualValues(t, 300, r.Pacing.Requests)
	require.EqualValues(t, 300, r.SlipNs.Count)
	require.GreaterOrEqual(t, r.ElapsedNs, int64(2*29*500_000), "the last burst is due after 14.5 ms, twice that")
	require.EqualValues(t, 8, r.Setup.DeviceDepth)
	require.True(t, r.Accounting.Balanced, r.Faults)
}
