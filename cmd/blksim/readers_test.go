package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// readers is the folder of the readers of others' making; see its package.json.
const readers = "../../.ci/node"

// node runs a script of testdata over files and decodes what it prints.
func node(t *testing.T, needs, script string, into any, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed (Debian's package nodejs)")
	}
	if _, err := os.Stat(filepath.Join(readers, "node_modules", needs)); err != nil {
		t.Skipf("%s is not installed: npm ci --prefix .ci/node", needs)
	}
	home, err := filepath.Abs(readers)
	require.NoError(t, err)
	cmd := exec.Command(tool, append([]string{"testdata/" + script, home + "/"}, args...)...)
	out, err := cmd.Output()
	if exit, is := err.(*exec.ExitError); is {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, into))
}

// TestDuckDBReadsEveryIO: its counts and sums are those of the result.
func TestDuckDBReadsEveryIO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ios.parquet")
	r := replayJSON(t, "--device=sim:slow", "--deadline=5ms", "--queues=2", "--ios="+path, head(t, sample, 6000))[0]
	var got struct{ All, Skipped, Aborted, TooLate, Completed, Bytes, Slowest, Undispatched, Disorder int64 }
	node(t, "@duckdb/node-api", "duckdb.cjs", &got, path)
	q := r.Accounting.Requests
	require.Equal(t, q.Submitted, got.All)
	require.Equal(t, q.Cancelled.Skipped, got.Skipped)
	require.Equal(t, q.Cancelled.Aborted, got.Aborted)
	require.Equal(t, q.TooLate, got.TooLate)
	require.Equal(t, q.Completed, got.Completed+got.TooLate)
	require.Equal(t, r.Ops["all"].Bytes, got.Bytes)
	require.Equal(t, r.Ops["all"].LatencyNs.Max, got.Slowest)
	require.Equal(t, q.Submitted-r.Block.Dispatched, got.Undispatched)
	require.Zero(t, got.Disorder, "due <= submitted <= dispatched <= returned <= ended")
}

// TestHdrHistogramsOwnReaderReadsTheLog with the same count and percentiles.
func TestHdrHistogramsOwnReaderReadsTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.hlog")
	code, out, errs := blksim("run", "--output-format=json", "--rw=randrw", "--iodepth=32", "--runtime=50ms", "--hdr="+path)
	require.Zero(t, code, errs)
	r := decode(t, out)[0]
	var got map[string]struct{ Count, P50, P99, Max float64 }
	node(t, "hdr-histogram-js", "hdr.cjs", &got, path)
	require.Len(t, got, 2)
	for op, h := range got {
		d := r.Ops[op].LatencyNs
		require.EqualValues(t, d.Count, h.Count)
		require.InEpsilon(t, float64(d.P50), h.P50, 0.002)
		require.InEpsilon(t, float64(d.P99), h.P99, 0.002)
		require.InEpsilon(t, float64(d.Max), h.Max, 0.01)
	}
}

func TestFilesOfEveryIOHaveOneRun(t *testing.T) {
	for _, option := range []string{"--ios", "--timeline"} {
		path := filepath.Join(t.TempDir(), "x")
		code, _, errs := blksim("replay", option+"="+path, "--baseline", head(t, sample, 10))
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, option+": the file has one run, and there are 2")
		require.NoFileExists(t, path)
	}
}

// TestTimelinesHaveTheOccupancyOfTheDevicesQueues, of replays and of loads, where the
// device has queues; internal/timeline tests what they say.
func TestTimelinesHaveTheOccupancyOfTheDevicesQueues(t *testing.T) {
	trace := head(t, sample, 500)
	for _, c := range []struct {
		args []string
		want bool
	}{
		{[]string{"replay", "--queues=2", trace}, true},
		{[]string{"replay", "--timeline-window=around:slowest", trace}, true},
		{[]string{"run", "--rw=randread", "--iodepth=32", "--runtime=5ms"}, true},
		{[]string{"replay", "--device=ram", "--redirect=wrap", trace}, false},
	} {
		path := filepath.Join(t.TempDir(), "x.pftrace")
		code, _, errs := blksim(append(c.args, "--timeline="+path)...)
		require.Zero(t, code, errs)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, name := range []string{"SQ entries not fetched, of 128", "CQ entries not consumed, of 128"} {
			require.Equal(t, c.want, bytes.Contains(content, []byte(name)), "%v: %s", c.args, name)
		}
	}
}

// TestRecordingChangesNothing: the result is the same with everything recorded, and
// the files have the same bytes each time.
func TestRecordingChangesNothing(t *testing.T) {
	trace := head(t, sample, 3000)
	args := []string{"replay", "--output-format=json", "--deadline=1ms", "--device=sim:slow", trace}
	_, plain, _ := blksim(args...)
	var files [2][]string
	for i := range files {
		dir := t.TempDir()
		code, out, errs := blksim(append(args, "--ios="+dir+"/a", "--timeline="+dir+"/b", "--hdr="+dir+"/c")...)
		require.Zero(t, code, errs)
		require.Equal(t, plain, out)
		for _, name := range []string{"a", "b", "c"} {
			content, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			files[i] = append(files[i], string(content))
		}
	}
	require.True(t, files[0][0] == files[1][0] && files[0][1] == files[1][1] && files[0][2] == files[1][2])
}
