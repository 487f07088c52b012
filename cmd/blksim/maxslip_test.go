package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// burst is a short trace in which records come in bursts.
func burst(t *testing.T, n int) string {
	var b strings.Builder
	b.WriteString("blksim trace 1\n")
	for i := range n {
		fmt.Fprintf(&b, "0.%06d R %d 4096\n", i/10*500, i*4096)
	}
	return file(t, "burst.blk", b.String())
}

// The fidelity of a run in real time is in its JSON and in its table, and the gate
// judges it. How good it is, is the machine's matter.
func TestFidelityIsToldAfterEveryRunInRealTime(t *testing.T) {
	path := burst(t, 400)
	for _, queues := range []string{"1", "3"} {
		r := replayJSON(t, "--realtime", "--device=null", "--queues="+queues, "--max-slip=1h", path)[0]
		require.NotNil(t, r.Pacing)
		require.EqualValues(t, 400, r.Pacing.Requests)
		require.EqualValues(t, 3_600_000_000_000, r.Pacing.LateAfterNs)
		require.Zero(t, r.Pacing.Late)
		require.EqualValues(t, 400, r.SlipNs.Count)
		require.Equal(t, "1h0m0s", r.Setup.MaxSlip)
	}
	code, out, errs := blksim("replay", "--realtime", "--device=null", path)
	require.Zero(t, code, errs)
	for _, label := range []string{"submitted after it was due\n", "\n  p50 ", "\n  p90 ", "\n  p99 ", "\n  max ", "\n  later than 1 ms ", "\n  drift "} {
		require.Contains(t, out, label)
	}
	// Virtual time has nothing to tell of it.
	r := replayJSON(t, "--device=null", path)[0]
	require.Nil(t, r.Pacing)
}

func TestMaxSlipDecidesTheExitCode(t *testing.T) {
	path := burst(t, 100)
	// No machine reads its clock and submits within a nanosecond.
	code, out, errs := blksim("replay", "--realtime", "--device=null", "--max-slip=1ns", "--output-format=json", path)
	require.Equal(t, exitThreshold, code, errs)
	require.Contains(t, errs, "max-slip 1ns: run \"null\" submitted ")
	require.Equal(t, decode(t, out)[0].Pacing.Requests, int64(100), "the result is written all the same")
	code, _, errs = blksim("replay", "--realtime", "--device=null", "--max-slip=1ns:100%", path)
	require.Zero(t, code, errs)
	// In virtual time only the limit of requests in flight makes any late.
	code, _, errs = blksim("replay", "--device=null", "--max-slip=1ns", path)
	require.Zero(t, code, errs)
	code, _, errs = blksim("replay", "--iodepth=1", "--max-slip=1ns", path)
	require.Equal(t, exitThreshold, code, errs)

	code, _, errs = blksim("run", "--realtime", "--device=null", "--rate_iops=5000", "--number_ios=100", "--max-slip=1h")
	require.Zero(t, code, errs)
	code, _, errs = blksim("run", "--device=null", "--number_ios=100", "--max-slip=1h")
	require.Equal(t, exitThreshold, code, errs)
	require.Contains(t, errs, "no requests that were due at a time of their own", "a closed loop has no schedule")

	code, _, errs = blksim("replay", "--timing=afap", "--max-slip=1ms", path)
	require.Equal(t, exitUsage, code, errs)
	require.Contains(t, errs, "timing=afap")
}

func TestDeviceDepthBoundsWhatTheDeviceHas(t *testing.T) {
	path := burst(t, 400)
	r := replayJSON(t, "--queues=4", "--timing=afap", "--nomerges", "--device-depth=3", path)[0]
	require.LessOrEqual(t, r.Device.PeakDepth, int64(3))
	require.EqualValues(t, 3, r.Setup.DeviceDepth)
	require.True(t, r.Accounting.Balanced)
	r = replayJSON(t, "--queues=4", "--timing=afap", "--nomerges", path)[0]
	require.Greater(t, r.Device.PeakDepth, int64(3))
	code, _, errs := blksim("replay", "--device-depth=65537", path)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "device-depth 65537")
}
