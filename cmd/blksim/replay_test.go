package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/outfile"
	"blksim/internal/report"
)

const sample = "../../traces/samples/oltp-mix.blk.gz"

// run is main within the test.
func run(args []string, stdout, stderr io.Writer) int {
	return runOn(outfile.OS{}, args, stdout, stderr)
}

// blksim runs the command and returns its exit code and output.
func blksim(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

// replayJSON replays with JSON results, which must succeed.
func replayJSON(t *testing.T, args ...string) []*report.Run {
	t.Helper()
	code, out, errs := blksim(append([]string{"replay", "--output-format=json"}, args...)...)
	require.Zero(t, code, errs)
	return decode(t, out)
}

func decode(t *testing.T, out string) []*report.Run {
	t.Helper()
	var head struct{ Schema string }
	require.NoError(t, json.Unmarshal([]byte(out), &head))
	if head.Schema == report.SeveralSchema {
		var several report.Several
		require.NoError(t, json.Unmarshal([]byte(out), &several))
		return several.Runs
	}
	require.Equal(t, report.Schema, head.Schema)
	one := &report.Run{}
	require.NoError(t, json.Unmarshal([]byte(out), one))
	return []*report.Run{one}
}

// file writes a trace for the test.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// head is the first n lines of a gzipped trace.
func head(t *testing.T, path string, n int) string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	all, err := io.ReadAll(z)
	require.NoError(t, err)
	lines := strings.SplitAfterN(string(all), "\n", n+1)
	return file(t, "head.blk", strings.Join(lines[:n], ""))
}

func TestSameTraceAndSeedGiveTheSameBytes(t *testing.T) {
	path := head(t, sample, map[bool]int{true: 1500, false: 8000}[testing.Short()])
	args := func(seed string) []string {
		return []string{"replay", "--output-format=json", "--queues=2", "--deadline=3ms", "--cancel=random:0.05", "--seed=" + seed,
			"--driver=nvme", "--driver=nvme,callback=off", "--device=sim:slow", path}
	}
	code, first, errs := blksim(args("7")...)
	require.Zero(t, code, errs)
	for _, procs := range []int{1, 2} {
		old := runtime.GOMAXPROCS(procs)
		_, again, _ := blksim(args("7")...)
		runtime.GOMAXPROCS(old)
		require.Equal(t, first, again, "GOMAXPROCS %d", procs)
	}
	_, other, _ := blksim(args("8")...)
	require.NotEqual(t, strings.ReplaceAll(first, `"seed": 7`, ""), strings.ReplaceAll(other, `"seed": 8`, ""))
}

// TestRealTracesRunToTheEnd replays the real traces that stand beside the
// project, in virtual time.
func TestRealTracesRunToTheEnd(t *testing.T) {
	dir := "../../../shared/traces"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Skip("the real traces are not here: ", err)
	}
	formats := map[string]bool{}
	ran := 0
	for _, e := range entries {
		if e.Name() == "README.md" {
			continue
		}
		if info, err := e.Info(); testing.Short() && err == nil && info.Size() > 300_000 {
			continue
		}
		code, out, errs := blksim("replay", "--output-format=json", "--redirect=wrap", filepath.Join(dir, e.Name()))
		require.Zero(t, code, "%s: %s", e.Name(), errs)
		r := decode(t, out)[0]
		require.True(t, r.Accounting.Balanced)
		require.Empty(t, r.Error)
		rec := r.Accounting.Records
		require.Equal(t, rec.Replayed, r.Accounting.Requests.Completed, e.Name())
		require.Positive(t, rec.Replayed)
		formats[r.Trace.Format] = true
		ran++
	}
	if testing.Short() {
		return
	}
	require.GreaterOrEqual(t, ran, 7)
	require.GreaterOrEqual(t, len(formats), 5)
}

func TestDeadlineOnASlowDeviceShowsCancelsByStage(t *testing.T) {
	runs := replayJSON(t, "--device=sim:slow", "--deadline=5ms", "--baseline",
		"--driver=nvme", "--driver=nvme,callback=off", sample)
	require.Len(t, runs, 3)
	base, callback, plain := runs[0], runs[1], runs[2]
	for _, r := range runs {
		q := r.Accounting.Requests
		require.True(t, r.Accounting.Balanced)
		require.Zero(t, q.Stuck)
		// The device's own count: not one of the skipped ones reached it.
		require.Equal(t, q.Submitted-q.Cancelled.Skipped-r.Block.Needless, r.Device.Commands+r.Block.Merged-r.Block.Again, r.Name)
		if a := r.Device.Aborts; a != nil {
			require.Equal(t, a.Aborted, a.Completed07)
			require.LessOrEqual(t, a.Aborted, q.Cancelled.Aborted, "merged ones are aborted together")
		}
	}
	require.Zero(t, base.Cancel.Asked)
	require.Equal(t, base.Accounting.Requests.Submitted, base.Accounting.Requests.Completed)
	require.Positive(t, callback.Accounting.Requests.Cancelled.Skipped)
	require.Positive(t, callback.Accounting.Requests.Cancelled.Aborted)
	require.Positive(t, plain.Accounting.Requests.Cancelled.Skipped)
	require.Zero(t, plain.Accounting.Requests.Cancelled.Aborted, "the driver has no cancel callback")
	require.Positive(t, plain.Accounting.Requests.TooLate)
	require.Less(t, callback.Ops["all"].LatencyNs.P99, base.Ops["all"].LatencyNs.P99,
		"cancelling what is late must help the rest")
}

func TestEveryTimingAndDeviceAccountsForEveryRecord(t *testing.T) {
	path := head(t, sample, 3000)
	for _, device := range []string{"sim", "sim:null", "ram", "null"} {
		for _, timing := range []string{"trace", "afap", "closed"} {
			args := []string{"--device=" + device, "--timing=" + timing, "--size=256MiB", "--redirect=wrap", "--cancel=none", path}
			r := replayJSON(t, args...)[0]
			require.True(t, r.Accounting.Balanced, "%s %s", device, timing)
			require.Equal(t, r.Accounting.Records.In, r.Accounting.Requests.Completed)
			require.Equal(t, timing, r.Setup.Timing)
		}
	}
}

func TestRealTimeRunsTheSameStack(t *testing.T) {
	path := file(t, "short.blk", "blksim trace 1\n"+strings.Repeat("0.001 W 4096 4096\n", 500)+strings.Repeat("0.02 R 8192 4096\n", 500))
	r := replayJSON(t, "--realtime", "--queues=2", "--cancel=random:0.5:100us", path)[0]
	require.Equal(t, "real", r.Setup.Clock)
	require.EqualValues(t, 1000, r.Accounting.Requests.Submitted)
	require.GreaterOrEqual(t, r.ElapsedNs, int64(19_000_000), "the last record is due 19 ms after the first")
}

func TestCancelTimesInTheTraceAreHonoured(t *testing.T) {
	var b strings.Builder
	b.WriteString("blksim trace 1\n")
	for i := range 200 {
		fmt.Fprintf(&b, "0.%06d W %d 4096 cancel=0.0001\n", i, i*4096)
	}
	path := file(t, "c.blk", b.String())
	r := replayJSON(t, "--device=sim:slow", path)[0]
	require.EqualValues(t, 200, r.Cancel.Asked+r.Accounting.Requests.Completed-r.Accounting.Requests.TooLate)
	require.Positive(t, r.Accounting.Requests.Cancelled.Skipped+r.Accounting.Requests.Cancelled.Aborted)
	r = replayJSON(t, "--device=sim:slow", "--cancel=none", path)[0]
	require.Zero(t, r.Cancel.Asked)
}

// TestBadInputIsAClearError: each row is refused with its place and the code, or
// counted where it may be skipped.
func TestBadInputIsAClearError(t *testing.T) {
	good := "blksim trace 1\n0.1 R 0 4096\n0.2 R 4096 4096\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for i := range 5000 {
		fmt.Fprintf(z, "%s", map[bool]string{true: "blksim trace 1\n", false: fmt.Sprintf("%d.%d R %d 4096\n", i, i%7, i*4096)}[i == 0])
	}
	require.NoError(t, z.Close())
	for _, c := range []struct {
		name, path string
		code       int
		says       []string
		skipCode   int // with --on-error=skip; 0: ok
	}{
		{"garbled line", file(t, "a.blk", good+"0.3 R garbage 4096\n0.4 R 0 4096\n"), exitInput, []string{"a.blk:4:", "garbage"}, exitPartial},
		{"size of zero", file(t, "b.blk", good+"0.3 R 0 0\n"), exitInput, []string{"b.blk:4:"}, exitPartial},
		{"offset beyond the device", file(t, "c.blk", good+"0.3 R 900000000000000 4096\n"), exitInput,
			[]string{"c.blk:4:", "900000000000000", "beyond the end of the device", "--redirect=wrap"}, exitPartial},
		{"time going back", file(t, "d.blk", good+"5 R 0 512\n9 R 0 512\n0.25 R 0 4096\n"), exitInput, []string{"d.blk:6:", "0.25"}, exitPartial},
		{"truncated gzip", file(t, "e.gz", packed.String()[:packed.Len()*2/3]), exitPartial, []string{"e.gz"}, exitPartial},
		{"empty file", file(t, "f", ""), exitInput, []string{"empty"}, exitInput},
		{"binary file", file(t, "g", string(bytes.Repeat([]byte{0, 0xff, 7, 3}, 4096))), exitInput, []string{"/g"}, exitInput},
		{"directory", t.TempDir(), exitInput, []string{"directory"}, exitInput},
		{"missing file", "/no/such/file", exitInput, []string{"/no/such/file"}, exitInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := blksim("replay", "--size=1TiB", c.path)
			require.Equal(t, c.code, code, errs)
			for _, s := range c.says {
				require.Contains(t, errs, s)
			}
			if strings.HasPrefix(out, "trace") {
				require.Contains(t, out, "ended", "a partial result must say so")
			}
			code, out, errs = blksim("replay", "--size=1TiB", "--on-error=skip", "--output-format=json", c.path)
			require.Equal(t, c.skipCode, code, errs)
			if c.skipCode == exitPartial {
				r := decode(t, out)[0]
				require.True(t, r.Accounting.Balanced)
				require.Less(t, r.Accounting.Records.Replayed, r.Accounting.Records.In+1)
			}
		})
	}
}

func TestBadOptionsAreUsageErrors(t *testing.T) {
	for _, c := range []struct{ arg, says string }{
		{"--timing=fast", "trace, afap, closed"},
		{"--deadline=5", "10us"},
		{"--size=12q", "size"},
		{"--cancel=random:2", "random:P"},
		{"--cancel=often", "none, trace or random"},
		{"--time-scale=0", "1e-09 to 1e+09"},
		{"--time-scale=-1", "1e-09 to 1e+09"},
		{"--time-scale=NaN", "1e-09 to 1e+09"},
		{"--time-scale=Inf", "1e-09 to 1e+09"},
		{"--time-scale=1e300", "1e-09 to 1e+09"},
		{"--time-scale=1e-10", "1e-09 to 1e+09"},
		{"--queues=0", "queues 0: want 1 to 64"},
		{"--queues=65", "queues 65: want 1 to 64"},
		{"--queues=18446744073709551615", "queues 18446744073709551615: want 1 to 64"},
		{"--queue-depth=18446744073709551615", "want at most 65536"},
		{"--iodepth=18446744073709551615", "at most"},
		{"--device=tape", "want sim[:PROFILE], ram or null"},
		{"--device=ram:x", "device ram has none"},
		{"--device=sim:no-such-profile", "no such profile"},
		{"--profile=/no/such/profile.toml", "/no/such/profile.toml"},
		{"--driver=tape", "device sim wants driver nvme"},
		{"--driver=nvme,callback=perhaps", "callback=on or callback=off"},
		{"--size=1023TiB", "256 TiB"},
		{"--iodepth=100000000", "at most"},
		{"--format=elf", "format"},
		{"--no-such-option", "no-such-option"},
	} {
		code, _, errs := blksim("replay", c.arg, sample)
		require.Equal(t, exitUsage, code, "%s: %s", c.arg, errs)
		require.Contains(t, errs, c.says)
	}
	code, _, errs := blksim("replay")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "no trace")
	code, _, errs = blksim("relpay")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "relpay")
	for _, size := range []string{"8000T", "100G", "511"} {
		code, _, errs = blksim("replay", "--device=ram", "--size="+size, sample)
		require.Equal(t, exitUsage, code, errs)
		require.Contains(t, errs, "want 512 B to 16 GiB")
	}
	code, _, errs = blksim("replay", "--device=ram", "--queues=2", sample)
	require.Equal(t, exitUsage, code, errs)
	require.Contains(t, errs, "2 queues: the driver has 1")
}

func TestOptionsTakeDashAndUnderscore(t *testing.T) {
	r := replayJSON(t, "--queue_depth=4", "--time_scale=0.5", head(t, sample, 100))[0]
	require.Equal(t, 4, r.Setup.QueueDepth)
	require.Equal(t, 0.5, r.Setup.TimeScale)
}

func TestOutputFileIsReplacedWholeOrLeftAlone(t *testing.T) {
	small := head(t, sample, 100)
	path := filepath.Join(t.TempDir(), "result.json")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	code, out, errs := blksim("replay", "--output="+path, "--output-format=json", small)
	require.Zero(t, code, errs)
	require.Empty(t, out)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, decode(t, string(got))[0].Accounting.Balanced)

	code, _, errs = blksim("replay", "--output=/no/such/folder/x", small)
	require.Equal(t, exitOutput, code)
	require.Contains(t, errs, "/no/such/folder")
}

func TestTableIsNarrowEnoughForATerminal(t *testing.T) {
	code, out, errs := blksim("replay", "--device=sim:slow", "--deadline=5ms", "--baseline",
		"--driver=nvme", "--driver=nvme,callback=off", sample)
	require.Zero(t, code, errs)
	for _, line := range strings.Split(out, "\n") {
		if !strings.HasPrefix(line, "note") {
			require.LessOrEqual(t, len(line), 100, line)
		}
	}
	for _, want := range []string{"skipped at dispatch", "aborted in device", "too late to cancel", "no cancels", "callback=off"} {
		require.Contains(t, out, want)
	}
}
