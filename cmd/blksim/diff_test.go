package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/compare"
	"blksim/internal/report"
)

// result runs a load and leaves its JSON in a file.
func result(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	code, _, errs := blksim(append([]string{"run", "--output-format=json", "--rw=randrw", "--iodepth=16", "--runtime=60ms", "--output=" + path}, args...)...)
	require.Zero(t, code, errs)
	return path
}

func TestDiffFindsASlowerDevice(t *testing.T) {
	a, b := result(t, "a.json"), result(t, "b.json", "--device=sim:slow")
	code, out, errs := blksim("diff", a, b)
	require.Zero(t, code, errs)
	require.Contains(t, out, "slower")
	require.Contains(t, out, "device sim:slow, not sim:tlc-enterprise")

	code, out, errs = blksim("diff", "--output-format=json", "--threshold=mean<+1%", "--threshold=iops>-99.9%", a, b)
	require.Equal(t, exitThreshold, code)
	require.Contains(t, errs, "threshold mean<+1%: it changed by +")
	require.NotContains(t, errs, "iops")
	var got []compare.Comparison
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, compare.Schema, got[0].Schema)
}

func TestDiffOfOneFileTakesTheFirstRunAsTheBase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.json")
	code, _, errs := blksim("replay", "--output-format=json", "--output="+path, "--baseline", "--device=sim:slow", "--deadline=2ms",
		"--driver=nvme", "--driver=nvme,callback=off", head(t, sample, 2000))
	require.Zero(t, code, errs)
	code, out, errs := blksim("diff", path)
	require.Zero(t, code, errs)
	require.Equal(t, 2, strings.Count(out, "A "+path+": no cancels"))
	code, out, errs = blksim("diff", path+"#nvme", path+"#nvme,callback=off")
	require.Zero(t, code, errs)
	require.Contains(t, out, "B "+path+": nvme,callback=off")
	code, _, errs = blksim("diff", path+"#tape", path+"#nvme")
	require.Equal(t, exitInput, code)
	require.Contains(t, errs, `no run "tape": it has "no cancels", "nvme", "nvme,callback=off"`)
	code, _, _ = blksim("diff", path, path)
	require.Equal(t, exitUsage, code)
}

// TestMergeIsExact: two halves of a load, merged, have the percentiles of both
// together.
func TestMergeIsExact(t *testing.T) {
	a, b := result(t, "a.json", "--seed=1"), result(t, "b.json", "--seed=2", "--device=sim:slow")
	code, out, errs := blksim("merge", a, b)
	require.Zero(t, code, errs)
	m := decode(t, out)[0]
	var want [2]*report.Run
	for i, path := range []string{a, b} {
		_, runs, err := readResult(path)
		require.NoError(t, err)
		want[i] = runs[0]
	}
	ha, err := want[0].Ops["read"].LatencyNs.Histogram()
	require.NoError(t, err)
	hb, err := want[1].Ops["read"].LatencyNs.Histogram()
	require.NoError(t, err)
	ha.Merge(hb)
	require.Equal(t, report.Sum(ha), m.Ops["read"].LatencyNs)
	require.Equal(t, want[0].Device.Commands+want[1].Device.Commands, m.Device.Commands)
	require.InDelta(t, want[0].IOPS+want[1].IOPS, m.IOPS, 1e-6)
	require.True(t, m.Accounting.Balanced)
	require.Len(t, m.Slowest, 1024)
	sum := int64(0)
	for _, n := range m.Series.Reads {
		sum += n
	}
	require.Equal(t, m.Ops["read"].Completed, sum)

	code, out, errs = blksim("merge", "--sequence", a, a)
	require.Zero(t, code, errs)
	require.Equal(t, 2*want[0].ElapsedNs, decode(t, out)[0].ElapsedNs)
	_, again, _ := blksim("merge", a, b)
	_, swapped, _ := blksim("merge", b, a)
	require.Equal(t, decode(t, again)[0].Ops, decode(t, swapped)[0].Ops, "in whatever order")
}

func TestWhatIsNoResultIsRefused(t *testing.T) {
	for content, says := range map[string]string{
		"":                "no JSON result",
		"[1]":             "no JSON result",
		`{"schema": "x"}`: `schema "x"`,
		`{"schema": "blksim.run/v1", "ops": {"read": {"latency_ns": {"count": 3, "min": 1, "max": 2, "sum": 3, "bins": {"1": 1, "2": 1}}}}}`: "count 3: the bins have 2",
		`{"schema": "blksim.run/v1", "ops": {"read": {"latency_ns": {"count": 1, "min": 5, "max": 5, "sum": 5, "bins": {"7": 1}}}}}`:         "the buckets of both",
		`{"schema": "blksim.run/v1", "series": {"interval_ns": 0}}`:                                                                          "series",
		`{"schema": "blksim.runs/v1", "runs": [null]}`:                                                                                       "null",
	} {
		path := file(t, "x.json", content)
		for _, command := range []string{"diff", "merge"} {
			code, _, errs := blksim(command, path)
			require.Equal(t, exitInput, code, "%s: %s", content, errs)
			require.Contains(t, errs, says)
			require.Contains(t, errs, path)
		}
	}
}

func TestAThresholdOfARunDecidesTheExitCode(t *testing.T) {
	args := []string{"run", "--rw=randread", "--number_ios=100"}
	code, out, errs := blksim(append(args, "--threshold=p(99)<1us", "--threshold=iops>1")...)
	require.Equal(t, exitThreshold, code)
	require.Contains(t, errs, "threshold p(99)<1us: run \"nvme\" has")
	require.Contains(t, out, "submitted", "the result is written all the same")
	code, _, errs = blksim(append(args, "--threshold=p(99)<1s")...)
	require.Zero(t, code, errs)
	code, _, errs = blksim(append(args, "--threshold=p99")...)
	require.Equal(t, exitUsage, code, errs)
}
