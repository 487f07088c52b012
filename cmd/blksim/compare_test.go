package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/compare"
)

// recordedReads is a trace of reads that each took so long, of it 1 us in the queue.
func recordedReads(t *testing.T, us int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("blksim trace 1\n")
	for i := range 400 {
		fmt.Fprintf(&b, "%.6f R %d 4096 issued=0.000001 completed=%.6f\n", float64(i)*0.0005, i*1_048_576, float64(us)*1e-6)
	}
	return file(t, "disk.blk", b.String())
}

func validations(t *testing.T, out string) []compare.Validation {
	t.Helper()
	var got []compare.Validation
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	return got
}

func TestCompareSetsASimulationBesideTheRecording(t *testing.T) {
	path := recordedReads(t, 20)
	code, out, errs := blksim("compare", "--device=sim:slow", path)
	require.Zero(t, code, errs)
	for _, says := range []string{"recorded", "simulated", "error", "read, in device", "KS distance", "sim:slow", "slower"} {
		require.Contains(t, out, says)
	}
	page := filepath.Join(t.TempDir(), "charts.html")
	code, out, errs = blksim("compare", "--device=sim:slow", "--output-format=json", "--threshold=p(50)<+5%", "--threshold=iops>-50%", "--report="+page, path)
	require.Equal(t, exitThreshold, code)
	require.Contains(t, errs, "threshold p(50)<+5%: it changed by +")
	require.NotContains(t, errs, "iops")
	got := validations(t, out)
	require.Len(t, got, 1)
	require.Equal(t, compare.ValidationSchema, got[0].Schema)
	require.Greater(t, got[0].Distances[0].KS, 0.9)
	require.FileExists(t, page)
}

// TestASimulationHasNoDistanceToItsOwnResult: the same trace, options and seed.
func TestASimulationHasNoDistanceToItsOwnResult(t *testing.T) {
	path := recordedReads(t, 20)
	result := filepath.Join(t.TempDir(), "r.json")
	code, _, errs := blksim("replay", "--output-format=json", "--output="+result, path)
	require.Zero(t, code, errs)
	code, out, errs := blksim("compare", "--output-format=json", "--against="+result, path)
	require.Zero(t, code, errs)
	for _, d := range validations(t, out)[0].Distances {
		require.Zero(t, d.KS)
		require.Zero(t, d.Wasserstein)
	}
	require.Zero(t, validations(t, out)[0].Shift.Share)
}

func TestCompareRunsEachDriver(t *testing.T) {
	code, out, errs := blksim("compare", "--output-format=json", "--driver=nvme", "--driver=nvme,callback=off", recordedReads(t, 20))
	require.Zero(t, code, errs)
	got := validations(t, out)
	require.Len(t, got, 2)
	require.Contains(t, got[1].SimulatedOn, "nvme,callback=off")
}

// TestCompareOfARealDisk: a replay on a file, which is on the wall clock.
func TestCompareOfARealDisk(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.WriteFile(disk, make([]byte, 4<<20), 0o600))
	code, out, errs := blksim("compare", "--device="+disk, "--redirect=wrap", "--direct=0", recordedReads(t, 20))
	if strings.Contains(errs, "not supported") {
		t.Skip(errs)
	}
	require.Zero(t, code, errs)
	require.Contains(t, out, "replayed")
	require.Contains(t, out, "driver disk; trace timing, real time")
}

func TestWhatCannotBeComparedIsSaid(t *testing.T) {
	good, none := recordedReads(t, 20), file(t, "none.blk", tiny)
	several := filepath.Join(t.TempDir(), "several.json")
	code, _, errs := blksim("replay", "--output-format=json", "--output="+several, "--baseline", good)
	require.Zero(t, code, errs)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{none}, exitInput, "no record has a completion time (1 record of format blksim): want --against"},
		{[]string{"--against=" + none, good}, exitInput, "no record has a completion time"},
		{[]string{"--against=/no/such/file", good}, exitInput, "/no/such/file"},
		{[]string{"--against=" + several, good}, exitUsage, `has 2 runs: want one of "no cancels"`},
		{[]string{"--against=" + several + "#tape", good}, exitInput, `no run "tape"`},
		{[]string{"--against=" + file(t, "x.json", "{"), good}, exitInput, "no JSON result"},
		{[]string{"-"}, exitUsage, "standard input can be read once"},
		{[]string{"--ebpf", "--device=" + good, good}, exitUsage, "blksim replay --ebpf"},
		{[]string{"--confidence=2", good}, exitUsage, "confidence 2"},
		{[]string{}, exitUsage, "0 traces: want one"},
		{[]string{file(t, "bad.blk", "blksim trace 1\n0 R 0 4096 completed=1\n1 R x 1\n")}, exitInput, "bad.blk:3"},
	} {
		code, out, errs := blksim(append([]string{"compare"}, c.args...)...)
		require.Equal(t, c.code, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.says, "%v", c.args)
		require.Empty(t, out, "%v", c.args)
	}
	code, out, errs := blksim("compare", "--against="+several+"#nvme", good)
	require.Zero(t, code, errs)
	require.Contains(t, out, several+"#nvme")
}
