package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/report"
	"blksim/traces"
	"blksim/traces/summary"
)

const smallTrace = "blksim trace 1\n0.000000000 R 0 4096 vol=a\n0.500000000 W 8192 512 vol=b\n1.000000000 F 0 0 vol=a\n2.000000000 Z 4096 4096 vol=a\n"

func TestTheSameTraceInEveryFormatGivesTheSameResult(t *testing.T) {
	dir := t.TempDir()
	// The formats that carry all that a replay uses, of a trace in whole microseconds.
	base := filepath.Join(dir, "base.blkt")
	code, _, errs := blksim("trace", "convert", "--time-scale=0.1", "--ops=read,write,flush,discard", "--output", base, sample)
	require.Zero(t, code, errs)
	var want []byte
	for _, name := range []string{"base.blkt", "a.blk", "a.blk.gz", "a.blkt.zst", "a.iolog", "b.blkt"} {
		path := filepath.Join(dir, name)
		if path != base {
			args := []string{"trace", "convert", "--output", path}
			if name == "b.blkt" {
				args = append(args, "--zstd")
			}
			code, _, errs := blksim(append(args, base)...)
			require.Zero(t, code, errs)
		}
		code, out, errs := blksim("replay", "--output-format=json", "--cancel=none", "--deadline=2ms", path)
		require.Zero(t, code, errs)
		run := decode(t, out)[0]
		require.Contains(t, run.Trace.Name, name)
		run.Trace = report.Trace{}
		if name == "a.iolog" {
			// Its times are cut to microseconds: the same requests, at nearly the same times.
			require.Equal(t, decode(t, string(want))[0].Accounting.Requests.Submitted, run.Accounting.Requests.Submitted)
			continue
		}
		got := marshal(t, run)
		if want == nil {
			want = got
		}
		require.Equal(t, string(want), string(got), name)
	}
}

func TestOnlyTheNativeFormatIsPackedByFrames(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.csv")
	code, _, errs := blksim("trace", "convert", "--zstd", "--to=msr", "--output", out, file(t, "in.blk", smallTrace))
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "--zstd packs frames of the native format, and the output is of format msr")
	require.NoFileExists(t, out)
}

func TestConvertKeepsChangesAndSaysWhatItLeavesOut(t *testing.T) {
	in := file(t, "in.blk", smallTrace)
	for _, c := range []struct {
		args []string
		out  string
		said string
	}{
		{nil, smallTrace, "in.blk: blksim, 4 records; 4 written as blksim\n"},
		{[]string{"--from=500ms", "--until=2s", "--time-shift=-500ms"}, "blksim trace 1\n0.000000000 W 8192 512 vol=b\n0.500000000 F 0 0 vol=a\n", "1 left out: before the time range"},
		{[]string{"--volume=b"}, "blksim trace 1\n0.500000000 W 8192 512 vol=b\n", "3 left out: other volume"},
		{[]string{"--keep-volume=b"}, "blksim trace 1\n0.500000000 W 8192 512 vol=b\n", "3 left out: other volume"},
		{[]string{"--ops=R,F", "--time-scale=2"}, "blksim trace 1\n0.000000000 R 0 4096 vol=a\n2.000000000 F 0 0 vol=a\n", "2 left out: other op"},
		{[]string{"--low=4k", "--high=8k", "--offset-shift=-4k"}, "blksim trace 1\n2.000000000 Z 0 4096 vol=a\n", "3 left out: outside of the address range"},
		{[]string{"--limit=1", "--to=fio3"}, "fio version 3 iolog\n0 a add\n0 a open\n0 a read 0 4096\n0 a close\n", "not read on: --limit"},
	} {
		code, out, errs := blksim(append([]string{"trace", "convert", in}, c.args...)...)
		require.Zero(t, code, errs)
		require.Equal(t, c.out, out)
		require.Contains(t, errs, c.said)
	}
	code, out, errs := blksim("trace", "cat", "--limit=1", in)
	require.Zero(t, code)
	require.Empty(t, errs)
	require.Equal(t, "blksim trace 1\n0.000000000 R 0 4096 vol=a\n", out)
}

func TestConvertSplitsByVolume(t *testing.T) {
	dir := t.TempDir()
	in := file(t, "in.blk", strings.ReplaceAll(smallTrace, "vol=b", "vol=/dev/b"))
	code, _, errs := blksim("trace", "convert", "--split", "--output", filepath.Join(dir, "x-{volume}.blk"), in)
	require.Zero(t, code, errs)
	require.Contains(t, errs, "4 written as blksim in 2 files")
	b, err := os.ReadFile(filepath.Join(dir, "x-%2Fdev%2Fb.blk"))
	require.NoError(t, err)
	require.Equal(t, "blksim trace 1\n0.500000000 W 8192 512 vol=/dev/b\n", string(b))
}

func TestConvertFailsWithoutATrace(t *testing.T) {
	dir := t.TempDir()
	in := file(t, "in.blk", smallTrace)
	out := filepath.Join(dir, "old.csv")
	require.NoError(t, os.WriteFile(out, []byte("old"), 0o600))
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--output", out, in}, exitInput, "in.blk: the format msr cannot hold the record 4 (flush of 0 bytes at 0): it holds reads and writes only; try --on-error=skip, --ops or another format"},
		{[]string{"--ops=R,W", "--output", out, file(t, "bad.blk", smallTrace+"x\n")}, exitInput, `bad.blk:6: line "x"`},
		{[]string{"--output", filepath.Join(dir, "x"), in}, exitUsage, "no format goes by such a name: say it with --to"},
		{[]string{"--to=spc", in}, exitUsage, `format "spc" cannot be written`},
		{[]string{"--split", in}, exitUsage, "--split and {volume} in --output belong together"},
		{[]string{"--from=2s", "--until=1s", in}, exitUsage, "want a range of time"},
		{[]string{"--ops=eat", in}, exitUsage, `op "eat"`},
		{[]string{in, in}, exitUsage, "2 traces: want one file"},
		{[]string{"--output", filepath.Join(dir, "no", "x.blk"), in}, exitOutput, "no such file or directory"},
		{[]string{"--keep-volum=a", in}, exitUsage, "did you mean --keep-volume?"},
	} {
		code, _, errs := blksim(append([]string{"trace", "convert"}, c.args...)...)
		require.Equal(t, c.code, code, errs)
		require.Contains(t, errs, c.want)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 1, "something was left behind")
	}
	b, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, "old", string(b))
}

func TestConvertTakesWhatIsPartlyGoodAndSaysSo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a.csv")
	code, _, errs := blksim("trace", "convert", "--on-error=skip", "--output", out, file(t, "in.blk", smallTrace))
	require.Equal(t, exitPartial, code)
	require.Contains(t, errs, "2 records were left out (--on-error=skip), the first: the format msr cannot hold")
	require.Contains(t, errs, "2 written as msr")
	code, _, errs = blksim("trace", "convert", "--output", out, file(t, "cut.blk", smallTrace[:len(smallTrace)-4]))
	require.Equal(t, exitInput, code, errs) // the flush

	code, got, errs := blksim("trace", "convert", file(t, "cut.blk", smallTrace[:len(smallTrace)-14]))
	require.Equal(t, exitPartial, code, errs)
	require.Contains(t, errs, "the last line has no newline: the file may be cut off")
	require.Equal(t, smallTrace[:strings.Index(smallTrace, "2.0")], got)
}

// What is written to a full disk fails, whatever the format and the compression.
func TestConvertToAFullDiskExitsWith5(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	for _, f := range traces.WriteFormats() {
		code, _, errs := blksim("trace", "convert", "--on-error=skip", "--to", f.Name, "--output", "/dev/full", sample)
		require.Equal(t, exitOutput, code, errs)
		require.Contains(t, errs, "/dev/full: no space left on device")
	}
}

func marshal(t *testing.T, r *report.Run) []byte {
	t.Helper()
	b, err := json.Marshal(r)
	require.NoError(t, err)
	return b
}

func TestInfoSaysWhatIsInEachTrace(t *testing.T) {
	in := file(t, "in.blk", smallTrace)
	code, out, errs := blksim("trace", "info", in, in)
	require.Zero(t, code, errs)
	require.Equal(t, 2, strings.Count(out, "\nrecords     4\n"))
	code, out, errs = blksim("trace", "info", "--output-format=json", in, sample)
	require.Zero(t, code, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 2)
	var info summary.Info
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &info))
	require.Equal(t, summary.Schema, info.Schema)
	require.EqualValues(t, 4, info.Records.Taken)
	require.Len(t, info.Ops, 4)
	require.Equal(t, "a", info.Volumes[0].Name)

	// What breaks off is summed up as far as it goes.
	code, out, errs = blksim("trace", "info", file(t, "cut.blk", smallTrace[:len(smallTrace)-14]), in)
	require.Equal(t, exitPartial, code, errs)
	require.Contains(t, out, "\nrecords     4\n")
	require.Contains(t, out, "3 taken; left out: 1 bad")
	code, out, errs = blksim("trace", "info", file(t, "bad.blk", "garbage\n"), in)
	require.Equal(t, exitInput, code, errs)
	require.Contains(t, errs, "unknown format")
	require.Contains(t, out, "\nrecords     4\n", "the other one is still summed up")
	code, _, errs = blksim("trace", "info")
	require.Equal(t, exitUsage, code, errs)
	code, _, errs = blksim("trace", "eat")
	require.Equal(t, exitUsage, code, errs)
}

func TestGenerateAndFit(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "g.blkt")
	code, stdout, errs := blksim("trace", "generate", "--pattern=zipf", "--rate=5000", "--duration=2s", "--reads=0.5", "--bs=8k", "--seed=3", "--output", out)
	require.Zero(t, code, errs)
	require.Empty(t, stdout)
	require.Regexp(t, `g.blkt: \d+ records written as native`, errs)
	first, err := os.ReadFile(out)
	require.NoError(t, err)
	code, _, errs = blksim("trace", "generate", "--pattern=zipf", "--rate=5000", "--duration=2s", "--reads=0.5", "--bs=8k", "--seed=3", "--output", out)
	require.Zero(t, code, errs)
	second, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, first, second, "the same seed gives the same bytes")

	toml := filepath.Join(dir, "f.toml")
	code, _, errs = blksim("trace", "fit", "--output", toml, out)
	require.Zero(t, code, errs)
	code, stdout, errs = blksim("trace", "generate", "--profile", toml, "--records=100", "--to=fio3")
	require.Zero(t, code, errs)
	require.Equal(t, 100, strings.Count(stdout, " 8192\n"))

	for _, pattern := range []string{"uniform", "hot", "sequential", "zipf"} {
		for _, more := range [][]string{{"--process=steady"}, {"--burst-every=100ms"}} {
			code, stdout, errs = blksim(append([]string{"trace", "generate", "--records=500", "--pattern=" + pattern}, more...)...)
			require.Zero(t, code, errs)
			require.Equal(t, 501, strings.Count(stdout, "\n"))
		}
	}
	for want, args := range map[string][]string{
		"rate -1: want 1e-6 to 1e9 a second": {"--rate=-1"},
		"ops.read 2":                         {"--reads=2"},
		"takes options only":                 {"x"},
		"no.toml":                            {"--profile=no.toml"},
		"bad.toml":                           {"--profile", file(t, "bad.toml", "x = 1\n")},
	} {
		code, _, errs = blksim(append([]string{"trace", "generate"}, args...)...)
		require.NotZero(t, code)
		require.Contains(t, errs, want)
	}
	code, _, errs = blksim("trace", "fit", file(t, "one.blk", "blksim trace 1\n0 R 0 512\n"))
	require.Equal(t, exitInput, code)
	require.Contains(t, errs, "fewer than two records")
}
