package main

import (
	"errors"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/blk"
	"blksim/driver/nvme"
	"blksim/internal/report"
	"blksim/internal/stack"
)

const tiny = "blksim trace 1\n0 R 0 4096\n"

func TestEachErrorIsToldOnceAndTheFirstDecides(t *testing.T) {
	good := file(t, "good.blk", tiny)
	bad := file(t, "bad.blk", tiny+"1 R garbage 4096\n")
	empty := file(t, "empty", "")
	code, out, errs := blksim("replay", "--output-format=json", "--baseline", bad, "/no/such/trace", empty, good)
	require.Equal(t, exitInput, code)
	require.Equal(t, 3, strings.Count(errs, "blksim: "), errs)
	for _, says := range []string{"bad.blk:3:", "/no/such/trace", "empty file"} {
		require.Equal(t, 1, strings.Count(errs, says), errs)
	}
	runs := decode(t, out)
	require.Len(t, runs, 4)
	last := runs[3]
	require.Equal(t, good, last.Trace.Name)
	require.Contains(t, last.Odd, "not run: /no/such/trace, "+empty)

	// A result that is not written decides, and hides nothing.
	code, _, errs = blksim("replay", "--output=/no/such/folder/x", bad, good)
	require.Equal(t, exitOutput, code)
	require.Contains(t, errs, "bad.blk:3:")
	require.Contains(t, errs, "/no/such/folder/x")
}

func TestTheFirstErrorDecidesBeforeLaterOnes(t *testing.T) {
	var b strings.Builder
	l := &errorLog{stderr: &b}
	l.add(nil)
	require.NoError(t, l.result())
	l.add(failed(exitPartial, errors.New("one")))
	l.add(failed(exitInput, errors.New("two")))
	l.add(failed(exitInput, errors.New("two")))
	require.Equal(t, exitPartial, codeOf(l.result()))
	l.decide(failed(exitOutput, errors.New("three")))
	l.decide(nil)
	require.Equal(t, exitOutput, codeOf(l.result()))
	require.Equal(t, "blksim: one\nblksim: two\nblksim: three\n", b.String())
}

func TestAnArgumentThatNobodyTakesIsAMistakeOfUsage(t *testing.T) {
	for _, command := range []string{"drivers", "list", "options", "top", "snoop", "biolatency", "trace", "profile"} {
		code, _, errs := blksim(command, "nonsense")
		require.Equal(t, exitUsage, code, "%s: %s", command, errs)
		require.Contains(t, errs, "nonsense", command)
	}
}

func TestAMistakeInAProfileIsBadInput(t *testing.T) {
	profile := file(t, "p.toml", "nonsense = 1\n")
	code, _, errs := blksim("replay", "--profile="+profile, file(t, "a.blk", tiny))
	require.Equal(t, exitInput, code, errs)
	require.Contains(t, errs, profile+":1: ")
}

func TestAVolumeThatIsNotThereNamesTheOnesThatAre(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		b.WriteString("12816637200306153" + string(rune('0'+i%10)) + ",usr," + string(rune('0'+i%2)) + ",Read,7014609920,24576,41286\n")
	}
	path := file(t, "a.csv", b.String())
	code, out, errs := blksim("replay", "--volume=nosuch", "--redirect=wrap", "--order=asis", "--output-format=json", path)
	require.Equal(t, exitInput, code, errs)
	require.Contains(t, errs, `no volume "nosuch": the trace has "usr_0", "usr_1"`)
	require.Contains(t, decode(t, out)[0].Error, "nosuch")
	r := replayJSON(t, "--volume=usr_1", "--redirect=wrap", "--order=asis", path)[0]
	require.EqualValues(t, 10, r.Accounting.Records.Replayed)
	require.Equal(t, "usr_1", r.Setup.Volume)

	code, _, errs = blksim("replay", "--volume=nosuch", file(t, "a.blk", tiny))
	require.Equal(t, exitInput, code, errs)
	require.Contains(t, errs, "names no volumes")
}

func TestOptionsForNothingAreNoted(t *testing.T) {
	r := replayJSON(t, "--action=D", "--op-map=0=read,1=write", file(t, "a.blk", tiny))[0]
	notes := strings.Join(r.Odd, "\n")
	require.Contains(t, notes, "--action does nothing in a trace of format blksim: it is for blkparse")
	require.Contains(t, notes, "--op-map does nothing in a trace of format blksim: it is for mqsim, disksim")
	mqsim := file(t, "a.mqsim", "0 0 0 8 1\n1000 0 8 8 0\n")
	r = replayJSON(t, "--format=mqsim", "--op-map=0=read,1=write", mqsim)[0]
	require.NotContains(t, strings.Join(r.Odd, "\n"), "does nothing")

	// This one is refused where it would do nothing.
	code, _, errs := blksim("replay", "--time-unit=1us", file(t, "a.blk", tiny))
	require.Equal(t, exitInput, code)
	require.Contains(t, errs, "decimal times")
}

func TestOneBadRecordIsNotPlural(t *testing.T) {
	for bad, says := range map[int]string{1: "left out (--on-error=skip): 1 bad record\n", 2: "left out (--on-error=skip): 2 bad records\n"} {
		path := file(t, "a.blk", tiny+strings.Repeat("1 R x 4096\n", bad))
		code, _, errs := blksim("replay", "--on-error=skip", path)
		require.Equal(t, exitPartial, code)
		require.Contains(t, errs, says)
	}
}

// TestWhatTheLayersRefusedIsAFault: it makes the run unbalanced.
func TestWhatTheLayersRefusedIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		counts stack.Counts
		stale  int64
		says   string
	}{
		"double": {stack.Counts{Block: blk.Stats{DoubleCompletes: 2}}, 0, "a request that it did not have (2 times)"},
		"stale":  {stack.Counts{}, 1, "an I/O that had ended"},
		"stray":  {stack.Counts{Drivers: []nvme.Stats{{Strays: 1}}}, 0, "a command that it did not have"},
		"head":   {stack.Counts{Drivers: []nvme.Stats{{BadHeads: 1}}}, 0, "impossible head"},
		"abort":  {stack.Counts{Drivers: []nvme.Stats{{AbortsFailed: 1}}}, 0, "an abort with an error"},
	} {
		r := &report.Run{}
		r.Account(c.counts, c.stale)
		r.Balance()
		require.False(t, r.Accounting.Balanced, name)
		require.Len(t, r.Faults, 1, name)
		require.Contains(t, r.Faults[0], c.says)
	}
	r := &report.Run{}
	r.Account(stack.Counts{Drivers: []nvme.Stats{{}}}, 0)
	r.Balance()
	require.True(t, r.Accounting.Balanced)
}

func TestVersionIsOfTheModuleOrTheCommit(t *testing.T) {
	code, out, _ := blksim("--version")
	require.Zero(t, code)
	require.True(t, strings.HasPrefix(out, "blksim "), out)

	info := &debug.BuildInfo{}
	require.Equal(t, "devel", version(nil, false))
	require.Equal(t, "devel", version(info, true))
	info.Main.Version = "(devel)"
	info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}
	require.Equal(t, "abc+dirty", version(info, true))
	info.Main.Version = "v1.2.3"
	require.Equal(t, "v1.2.3", version(info, true))
}

// TestNotRunVariantsAreNoted: the second driver cannot be opened.
func TestNotRunVariantsAreNoted(t *testing.T) {
	a, b := file(t, "a.blk", tiny), file(t, "b.blk", tiny)
	code, out, errs := blksim("replay", "--output-format=json", "--driver=nvme", "--driver=tape", a, b)
	require.Equal(t, exitUsage, code)
	require.Equal(t, 1, strings.Count(errs, "blksim: "), errs)
	r := decode(t, out)
	require.Len(t, r, 1)
	require.Contains(t, r[0].Odd, "not run: "+a+" (tape), "+b)
}
