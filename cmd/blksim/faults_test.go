package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/report"
)

func TestFaultsOfAPlanAreInjectedAndAccountedFor(t *testing.T) {
	plan := file(t, "bad.plan", `# everything that a device can recover from
read-error chance=0.01
write-error op=write count=2
spike chance=0.01 for=5ms
stall count=1 for=10ms
duplicate count=5
late chance=0.5
hang count=1 after=200ms
lost-interrupt count=1 after=300ms
power-cut after=500ms
fatal after=4s
`)
	args := []string{"replay", "--output-format", "json", "--deadline", "20ms", "--io-timeout", "50ms", "--faults", plan, sample}
	code, out, errs := blksim(args...)
	require.Equal(t, 0, code, errs)
	var r report.Run
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.True(t, r.Accounting.Balanced)
	require.Len(t, r.Injected, 10)
	for _, in := range r.Injected {
		require.Positive(t, in.Hits, in.Rule)
	}
	require.GreaterOrEqual(t, r.Accounting.Requests.Failed, r.Injected[0].Hits)
	_, again, _ := blksim(args...)
	require.Equal(t, out, again, "the same seed gives the same bytes")

	bad := file(t, "wrong.plan", "# one\nread-error chance=2\n")
	code, _, errs = blksim("replay", "--faults", bad, sample)
	require.Equal(t, exitInput, code)
	require.Contains(t, errs, "wrong.plan:2: chance")
	code, _, errs = blksim("replay", "--device", "ram", "--faults", plan, sample)
	require.Equal(t, exitUsage, code, errs)
	require.Contains(t, errs, "cannot make")
}
