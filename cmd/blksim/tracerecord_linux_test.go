package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/loopdev"
	"blksim/traces"
)

// account is the part of a recording's JSON that tests look at.
type account struct {
	Schema, Ended, Attached string
	Records                 int64
	Ops                     map[string]struct{ Records, Bytes int64 }
	Bios                    map[string]int64
	Stat                    struct{ Completed, Seen, Missed int64 }
}

// recordTrace records a device into a file while the command runs, and reads both the
// account and the trace. It skips where nothing can be recorded.
func recordTrace(t *testing.T, device string, args []string, program ...string) (a account, recs []traces.Record, names traces.Names, stderr string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recorded.blkt")
	args = append([]string{"trace", "record", "--device", device, "-o", path, "--output-format=json"}, args...)
	if len(program) > 0 {
		args = append(append(args, "--"), program...)
	}
	code, out, stderr := blksim(args...)
	traceable(t, stderr)
	require.Zero(t, code, stderr)
	require.NoError(t, json.Unmarshal([]byte(out), &a), out)
	require.Equal(t, "blksim.record/v1", a.Schema)
	recs, names = readTrace(t, path)
	require.Len(t, recs, int(a.Records))
	b := a.Bios
	require.Equal(t, b["started"], b["done"]+b["lost"]+b["no_room"]+b["brief"]+b["never_delivered"])
	return a, recs, names, stderr
}

func readTrace(t *testing.T, path string) (all []traces.Record, names traces.Names) {
	t.Helper()
	r, err := traces.Open(path, traces.Options{})
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, "native", r.Format())
	for batch := make([]traces.Record, 1000); ; {
		n, err := r.Read(batch)
		all = append(all, batch[:n]...)
		if err == io.EOF {
			return all, r.Names()
		}
		require.NoError(t, err)
	}
}

func dd(args ...string) []string { return append([]string{"dd", "status=none", "bs=4k"}, args...) }

func TestRecordThenSimulate(t *testing.T) {
	l := loopdev.LoopFor(t, 4<<20, loopdev.Options{})
	a, recs, names, _ := recordTrace(t, l.Path(), nil, dd("if="+l.Path(), "of=/dev/null", "iflag=direct", "count=100", "skip=7")...)
	require.Equal(t, "the command has ended", a.Ended)
	require.Equal(t, []string{filepath.Base(l.Path())}, names.Volumes)
	require.InDelta(t, 100, a.Records, 1) // the kernel may miss a completion
	require.GreaterOrEqual(t, a.Stat.Completed, a.Stat.Seen)
	for _, r := range recs {
		require.Equal(t, traces.Read, r.Op)
		require.EqualValues(t, 4096, r.Length)
		require.Equal(t, "dd", names.Processes[r.Process].Name)
		require.Positive(t, r.Issued)
		require.Greater(t, r.Completed, r.Issued)
	}
	require.Zero(t, recs[0].Time)
	require.EqualValues(t, 7*4096, recs[0].Offset)
	path := filepath.Join(t.TempDir(), "again.blkt")
	code, out, errs := blksim("trace", "record", "--device", l.Path(), "-o", path, "--", "dd", "if="+l.Path(), "of=/dev/null", "iflag=direct", "bs=4k", "count=10", "status=none")
	require.Zero(t, code, errs)
	require.Contains(t, out, "started 10 = done")
	require.Contains(t, out, "the disk's own count: 10 completions")
	code, out, errs = blksim("replay", "--output-format=json", path)
	require.Zero(t, code, errs)
	run := decode(t, out)[0]
	require.InDelta(t, 10, run.Accounting.Requests.Completed, 1)
	require.Contains(t, errs+out, "by blksim trace record on Linux")
}

// TestRecordThenReplayOnTheSameDevice: the same operations, offsets and sizes, and the time
// between two of them within 2 ms for half of them; it is some microseconds on a machine
// with a core to spare. Where the machine has none, the kernel may swap neighbours.
func TestRecordThenReplayOnTheSameDevice(t *testing.T) {
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
	exe, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(asCommand, "1")
	made := filepath.Join(t.TempDir(), "made.blkt")
	code, _, errs := blksim("trace", "generate", "--process=steady", "--rate=1000", "--records=300", "--capacity=16m", "--output", made)
	require.Zero(t, code, errs)
	replay := func(trace string) []string {
		return []string{exe, "replay", "--device", l.Path(), "--allow-write", "--nomerges", "--output-format=json", trace}
	}
	ours := func(recs []traces.Record) []traces.Record {
		return slices.DeleteFunc(recs, func(r traces.Record) bool { return r.App == 0 }) // the look for signatures
	}
	first := filepath.Join(t.TempDir(), "first.blkt")
	_, recs, names, _ := recordTrace(t, l.Path(), nil, replay(made)...)
	if !slices.ContainsFunc(recs, func(r traces.Record) bool { return r.App != 0 }) {
		t.Skip("no ids of applications, by which the run's own I/O is told: see blksim trace doctor")
	}
	once := ours(recs)
	require.InDelta(t, 300, len(once), 2)
	f, err := os.Create(first)
	require.NoError(t, err)
	defer f.Close()
	w := traces.NewNativeWriter(f, traces.NativeOptions{Ordered: true})
	require.NoError(t, w.Write(once, names))
	require.NoError(t, w.Close())
	_, recs, _, _ = recordTrace(t, l.Path(), nil, replay(first)...)
	twice := ours(recs)
	if len(twice) < len(once) {
		t.Skipf("the kernel missed %d completions", len(once)-len(twice))
	}
	require.Len(t, twice, len(once))
	what := func(recs []traces.Record) (list [][3]int64) {
		for _, r := range recs {
			list = append(list, [3]int64{int64(r.Op), r.Offset, r.Length})
		}
		return list
	}
	require.ElementsMatch(t, what(once), what(twice))
	var off []time.Duration
	swapped := 0
	for i := range once {
		if what(once[i : i+1])[0] != what(twice[i : i+1])[0] {
			swapped++
		}
		if i > 0 {
			off = append(off, time.Duration((twice[i].Time-twice[i-1].Time)-(once[i].Time-once[i-1].Time)).Abs())
		}
	}
	slices.Sort(off)
	require.LessOrEqual(t, swapped, len(once)/10)
	t.Logf("%d of %d not in the same place; time between two I/Os off by %v at p50, %v at p90, %v at p99", swapped, len(once), off[len(off)/2], off[len(off)*9/10], off[len(off)*99/100])
	require.Less(t, off[len(off)/2], 2*time.Millisecond)
}

// TestOwnFileIsNotInTheTrace records the disk that the trace is written to.
func TestOwnFileIsNotInTheTrace(t *testing.T) {
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	m := loopdev.MountFor(t, l.Path(), "ext4")
	path := filepath.Join(m.Dir(), "trace.blkt")
	write := "dd if=/dev/zero of=" + filepath.Join(m.Dir(), "data") + " bs=64k count=16 oflag=direct status=none && sync -f " + m.Dir()
	code, out, errs := blksim("trace", "record", "--device", l.Path(), "-o", path, "--", "sh", "-c", write)
	traceable(t, errs)
	require.Zero(t, code, errs)
	require.Contains(t, errs, path+" waits in memory (--memory) until the recording ends, so that it is not in it: it lies on "+filepath.Base(l.Path()))
	require.Contains(t, out, "started")
	recs, names := readTrace(t, path)
	require.NotEmpty(t, recs)
	for _, r := range recs {
		require.NotEqual(t, uint32(os.Getpid()), names.Processes[r.Process].PID)
	}
}

// TestOfStackedDevicesTheNamedOneIsRecorded: a loop device over a file on another one.
func TestOfStackedDevicesTheNamedOneIsRecorded(t *testing.T) {
	below := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	m := loopdev.MountFor(t, below.Path(), "ext4")
	image := filepath.Join(m.Dir(), "image")
	require.NoError(t, loopdev.Filled(image, 4<<20))
	above := loopdev.AttachFor(t, image, loopdev.Options{})
	read := dd("if="+above.Path(), "of=/dev/null", "iflag=direct", "count=50")
	a, recs, _, errs := recordTrace(t, above.Path(), nil, read...)
	require.InDelta(t, 50, a.Records, 1)
	require.Empty(t, errs)
	for _, r := range recs {
		require.Less(t, r.Offset, int64(50*4096))
	}
	a, _, names, errs := recordTrace(t, above.Path(), []string{"--device", below.Path()}, read...)
	require.Contains(t, errs, fmt.Sprintf("%s over %s: the trace will have the I/O of both", filepath.Base(above.Path()), filepath.Base(below.Path())))
	require.GreaterOrEqual(t, a.Records, int64(99))
	require.Len(t, names.Volumes, 2)
}

func TestCtrlCSavesTheRecording(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	for _, c := range []struct {
		args []string
		code int
	}{{nil, exitOK}, {[]string{"--duration=1h"}, exitInterrupted}} {
		path := filepath.Join(t.TempDir(), "cut.blkt")
		cmd := command(t, append([]string{"trace", "record", "--device", l.Path(), "-o", path}, c.args...)...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		require.NoError(t, cmd.Start())
		time.Sleep(700 * time.Millisecond) // to load the programs
		require.NoError(t, exec.Command("dd", dd("if="+l.Path(), "of=/dev/null", "iflag=direct", "count=5")[1:]...).Run())
		require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		err := cmd.Wait()
		traceable(t, errs.String())
		if code := cmd.ProcessState.ExitCode(); code != c.code {
			t.Fatalf("exit code %d: want %d: %v: %s", code, c.code, err, errs.String())
		}
		require.Contains(t, out.String(), "(interrupted)")
		recs, _ := readTrace(t, path)
		require.LessOrEqual(t, len(recs), 5)
	}
}

func TestWhatCannotBeRecordedIsRefused(t *testing.T) {
	dir := t.TempDir()
	plain := file(t, "plain", "")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitUsage, "--device: want the disk to record"},
		{[]string{"--device", plain}, exitDevice, plain + ": is no block device"},
		{[]string{"--device", filepath.Join(dir, "none")}, exitDevice, "no such file"},
		{[]string{"--device", plain, "stray"}, exitUsage, `"stray": the command comes behind --`},
		{[]string{"--op=reed"}, exitUsage, "reed"},
		{[]string{"--pid=x", "--device", plain}, exitUsage, `"x"`},
	} {
		code, out, errs := blksim(append([]string{"trace", "record", "-o", filepath.Join(dir, "out.blkt")}, c.args...)...)
		require.Equal(t, c.code, code, errs)
		require.Empty(t, out)
		require.Contains(t, errs, c.says)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "no file is left of what was refused")
}

func TestRefusalsOfADeviceThatIsThere(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-o", "/nonexistent/folder/x.blkt"}, exitOutput, "no folder /nonexistent/folder"},
		{[]string{"--memory=1m"}, exitUsage, "--memory: 1MiB: want at least"},
		{[]string{"--buffer=5000"}, exitUsage, "a buffer of 5000 bytes: want a power of two"},
		{[]string{"--", "/nonexistent/command"}, exitUsage, "/nonexistent/command"},
	} {
		args := []string{"trace", "record", "--device", l.Path()}
		if c.args[0] != "-o" {
			args = append(args, "-o", filepath.Join(t.TempDir(), "x.blkt"))
		}
		code, _, errs := blksim(append(args, c.args...)...)
		traceable(t, errs)
		require.Equal(t, c.code, code, errs)
		require.Contains(t, errs, c.says)
	}
}

func TestDoctorSaysWhetherTracingIsPossible(t *testing.T) {
	code, out, errs := blksim("trace", "doctor")
	require.Empty(t, errs)
	var d struct {
		Schema   string
		Possible bool
		Checks   []struct{ Name, State, Detail, Do string }
	}
	jsonCode, text, _ := blksim("trace", "doctor", "--output-format=json")
	require.Equal(t, code, jsonCode)
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	require.Equal(t, "blksim.doctor/v1", d.Schema)
	require.NotEmpty(t, d.Checks)
	for _, c := range d.Checks {
		require.Contains(t, out, c.Name)
	}
	if d.Possible {
		require.Equal(t, exitOK, code)
		require.Contains(t, out, "tracing is possible, by ")
	} else {
		require.Equal(t, exitDevice, code)
		require.Contains(t, out, "tracing is not possible here")
	}
}
