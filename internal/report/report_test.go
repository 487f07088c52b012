package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/replay"
	"blksim/traces"
)

// sampleRun is a run that balances.
func sampleRun(name string) *Run {
	res := &replay.Result{Records: 110, Replayed: 100, Skipped: map[string]int64{"beyond the end of the device": 10},
		Span: time.Second, Elapsed: 2 * time.Second}
	t := &res.Tally
	t.Submitted, t.Completed, t.TooLate, t.Skipped = 100, 90, 2, 6
	t.Aborted, t.Failed[6] = 3, 1
	t.CancelAsked, t.CancelAccepted = 11, 11
	op := &t.Ops[0]
	op.Submitted, op.Completed, op.Bytes = 100, 90, 90*4096
	for i := range 90 {
		op.Latency.Add(int64(i+1) * 1000)
		op.Queue.Add(int64(i) * 10)
		op.Device.Add(1000)
	}
	r := &Run{Name: name, Trace: Trace{Name: "x.trace", Format: "blksim"}, Setup: Setup{Device: "sim:x", Driver: name,
		Capacity: 1 << 40, BlockSize: 512, Queues: 1, QueueDepth: 32, Clock: "virtual", Timing: "trace", TimeScale: 1, DeadlineNs: 5e6}}
	r.Fill(res, traces.Stats{In: 116, Delivered: 110, Rejected: 1, Skipped: []traces.SkipCount{{Reason: "not I/O", Count: 5}}})
	r.Block = Block{Queued: 100, Skipped: 6, Dispatched: 94, Reached: 94, Merged: 2, Again: 1, FlushesAdded: 1, Aborted: 3}
	r.Device = Device{Counted: true, Commands: 94, Aborts: &Aborts{Asked: 5, Aborted: 3, NotAborted: 2, Completed07: 3}}
	return r
}

func TestABalancedRunBalances(t *testing.T) {
	r := sampleRun("nvme")
	r.Balance()
	require.True(t, r.Accounting.Balanced, r.Odd)
	require.EqualValues(t, 116, r.Accounting.Records.In)
	require.EqualValues(t, 94, r.Accounting.Device.Commands)
	require.Equal(t, 45.0, r.IOPS)
}

// What is stuck is accounted for when it is listed: the run has an error for it already.
func TestARunWithStuckIOsBalancesIfAllAreListed(t *testing.T) {
	stuck := func(n, listed int) *Run {
		r := sampleRun("nvme")
		r.Accounting.Requests.Stuck, r.Stuck = int64(n), make([]StuckIO, listed)
		r.Balance()
		return r
	}
	for _, n := range []int{1, mostStuck} {
		require.True(t, stuck(n, n).Accounting.Balanced)
	}
	require.True(t, stuck(mostStuck+1, mostStuck).Accounting.Balanced, "the list is cut")
	require.False(t, stuck(2, 1).Accounting.Balanced)
	require.False(t, stuck(1, 2).Accounting.Balanced)
}

// Of a real disk nobody can say that an I/O was cancelled in it.
func TestARealDiskIsNotSaidToHaveAborted(t *testing.T) {
	r := sampleRun("disk")
	r.Disks = []RealDisk{{Cancels: KernelCancels{Asked: 9, BeforeKernel: 2, Cancelled: 1, Running: 3, NotFound: 2, Refused: 1}}}
	var out strings.Builder
	require.NoError(t, WriteTable(&out, []*Run{r}, Look{}))
	require.NotContains(t, out.String(), "aborted in device")
	require.NotContains(t, out.String(), "device, by its own counters")
	for _, row := range [][]string{
		{"cancelled: in driver or kernel", "3"}, {"cancels asked of the driver", "9"}, {"before the kernel had it", "2"}, {"cancelled by the kernel", "1"},
		{"not cancelled by the kernel", "6"}, {"running already", "3"}, {"in flight, out of its reach", "2"}, {"of a kind that it cannot", "1"},
	} {
		require.True(t, hasRow(out.String(), row), "%v in\n%s", row, &out)
	}
}

func TestWhatDoesNotAddUpIsFound(t *testing.T) {
	for name, spoil := range map[string]func(r *Run){
		"records in":                                  func(r *Run) { r.Accounting.Records.In++ },
		"records replayed":                            func(r *Run) { r.Accounting.Records.Replayed++; r.Accounting.Records.In++ },
		"all records were run":                        func(r *Run) { r.Accounting.Records.NotRun++; r.Accounting.Records.In++ },
		"a driver's stray":                            func(r *Run) { r.Faults = append(r.Faults, "a driver's stray") },
		"requests submitted = completed":              func(r *Run) { r.Accounting.Requests.Stuck = 1 },
		"skipped by the block layer":                  func(r *Run) { r.Block.Skipped++ },
		"commands in the device = req":                func(r *Run) { r.Block.Dispatched++ },
		"reached the device = sub":                    func(r *Run) { r.Block.Reached++; r.Block.Merged++ },
		"requests dispatched = requests that reached": func(r *Run) { r.Device.Commands++; r.Block.Dispatched++ },
		"commands completed as aborted":               func(r *Run) { r.Device.Aborts.Completed07++ },
		"aborted in the device":                       func(r *Run) { r.Block.Aborted++ },
	} {
		r := sampleRun("nvme")
		spoil(r)
		r.Balance()
		require.False(t, r.Accounting.Balanced, name)
		require.Contains(t, strings.Join(r.Faults, "\n"), name)
	}
}

// Over a volume the disks have other requests than the user, and the two accounts
// meet in the volume's.
func TestARunOverAVolumeBalances(t *testing.T) {
	for name, spoil := range map[string]func(r *Run){
		"":                         func(*Run) {},
		"reached the device = sub": func(r *Run) { r.Volume.Children++ },
		"skipped by the block layers >= skipped in": func(r *Run) { r.Block.Skipped, r.Block.Reached = 5, r.Block.Reached+4 },
		"hedged reads that won":                     func(r *Run) { r.Volume.HedgesWon = 11 },
		"reads that lost":                           func(r *Run) { r.Volume.LosersLate = 4 },
	} {
		r := sampleRun("nvme")
		r.Volume = &Volume{Rejected: 1, IOs: 99, Children: 105, HedgesIssued: 10, HedgesWon: 4, LosersCancelled: 7, LosersLate: 3}
		r.Block.Skipped, r.Block.Reached, r.Block.Dispatched, r.Device.Commands = 9, 96, 96, 96
		spoil(r)
		r.Balance()
		require.Equal(t, name == "", r.Accounting.Balanced, "%s: %v", name, r.Faults)
		require.Contains(t, strings.Join(r.Faults, "\n"), name)
	}
}

func TestTableHasARowForEachNumberAndAColumnForEachRun(t *testing.T) {
	a, b := sampleRun("nvme"), sampleRun("nvme,callback=off")
	a.Balance()
	b.Balance()
	var out strings.Builder
	require.NoError(t, WriteTable(&out, []*Run{a, b}, Look{}))
	require.Contains(t, out.String(), `trace    x.trace: blksim, 116 records over 1 s
device   sim:x: 1 TiB, 512 B blocks; 1 queue x depth 32
timing   trace; virtual time; seed 0
cancel   what is not complete 5 ms after it was due
`)
	for _, row := range [][]string{
		{"submitted", "100", "100"}, {"too late to cancel", "2", "2"}, {"failed", "1", "1"},
		{"cancelled: skipped at dispatch", "6", "6"}, {"cancelled: aborted in device", "3", "3"},
		{"commands", "94", "94"}, {"IOPS", "45.0", "45.0"}, {"records left out: bad", "1", "1"},
		{"records left out: not I/O", "5", "5"}, {"records left out: beyond the end of the device", "10", "10"},
	} {
		require.True(t, hasRow(out.String(), row), "%v in\n%s", row, &out)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		require.LessOrEqual(t, len(line), 80)
	}
}

// hasRow looks for a line with the given label and cells.
func hasRow(table string, row []string) bool {
	for _, line := range strings.Split(table, "\n") {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, row[0]+" "); ok && strings.Join(strings.Fields(rest), " ") == strings.Join(row[1:], " ") {
			return true
		}
	}
	return false
}

func TestAPartialRunSaysSoAndWhy(t *testing.T) {
	r := sampleRun("nvme")
	r.Partial, r.Error = true, "interrupted"
	r.Balance()
	var out strings.Builder
	require.NoError(t, WriteTable(&out, []*Run{r}, Look{}))
	require.Contains(t, out.String(), "PARTIAL  nvme ended after 2 s: interrupted")
	require.Contains(t, out.String(), "driver   nvme\n")
}

func TestWhatWasChangedIsNoted(t *testing.T) {
	res := &replay.Result{Records: 9, Replayed: 9, Expanded: 2, Wrapped: 1, Held: 3}
	r := &Run{}
	r.Fill(res, traces.Stats{In: 9, Delivered: 9, OutOfOrder: 4, Notes: []string{"from the reader"}})
	all := strings.Join(r.Odd, "\n")
	for _, want := range []string{"2 requests made to fit", "1 request beyond the end", "3 requests due before", "from the reader"} {
		require.Contains(t, all, want)
	}
	rec := r.Accounting.Records
	require.Equal(t, [4]int64{2, 1, 3, 4}, [4]int64{rec.Expanded, rec.Wrapped, rec.Held, rec.OutOfOrder})
}

func TestJSONOfARunReadsBackTheSame(t *testing.T) {
	a := sampleRun("nvme")
	a.Balance()
	var one, several strings.Builder
	require.NoError(t, WriteJSON(&one, []*Run{a}))
	var got Run
	require.NoError(t, json.Unmarshal([]byte(one.String()), &got))
	require.Equal(t, a, &got)
	require.NoError(t, WriteJSON(&several, []*Run{a, a}))
	require.Contains(t, several.String(), SeveralSchema)
}

func TestLatenciesBeyondTheHistogramAreSaid(t *testing.T) {
	res := &replay.Result{Records: 1, Replayed: 1}
	res.Submitted, res.Completed = 1, 1
	res.Ops[0].Submitted, res.Ops[0].Completed = 1, 1
	res.Ops[0].Latency.Add(20e9)
	r := &Run{}
	r.Fill(res, traces.Stats{In: 1, Delivered: 1})
	require.EqualValues(t, 1, r.Ops["read"].LatencyNs.Beyond)
	require.EqualValues(t, 20e9, r.Ops["read"].LatencyNs.Max)
	require.Contains(t, r.Odd[0], "1 request took longer than 17.2 s")
	require.Equal(t, "20.0 s", part(r.Ops["read"].LatencyNs, func(d *Distribution) int64 { return d.Max }))

	res.Ops[0].Latency.Add(30e9)
	r.Fill(res, traces.Stats{In: 1, Delivered: 1})
	require.Equal(t, "> 17.2 s", part(r.Ops["read"].LatencyNs, func(d *Distribution) int64 { return d.P50 }))
}

func TestUnits(t *testing.T) {
	for ns, want := range map[int64]string{0: "0 ns", 999: "999 ns", 1000: "1 us", 1234: "1.23 us", 99_960: "100 us",
		12_345_678: "12.3 ms", 1_500_000_000: "1.50 s", 123_000_000_000: "123 s", 12_345_000_000_000: "12,345 s", -5000: "-5 us"} {
		require.Equal(t, want, Nanos(ns))
	}
	for n, want := range map[float64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.50 KiB", 1 << 40: "1 TiB"} {
		require.Equal(t, want, Amount(n))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		require.Equal(t, want, Count(n))
	}
}

func TestWhatRanIsWrappedAtSpaces(t *testing.T) {
	require.Equal(t, []string{"a bc", "def"}, wrap("a bc def", 5))
	require.Equal(t, []string{"abcdefgh", "i"}, wrap("abcdefgh i", 5), "a word is not broken")
	require.Equal(t, []string{"abcdefgh"}, wrap("abcdefgh", 5))
	require.Equal(t, []string{""}, wrap("", 5))
}

func TestNothingIsProvenWhereNothingWasCancelled(t *testing.T) {
	for _, c := range []struct {
		kernel Kernel
		says   string
	}{
		{Kernel{Proven: true}, "none was"},
		{Kernel{Proven: true, Cancelled: KernelCancelled{Skipped: 3}}, "proven"},
		{Kernel{Unexplained: 1, Examples: []string{"a read"}}, "not proven"},
		{Kernel{NeverSeen: 2}, "but for 2 not traced"},
	} {
		r := sampleRun("disk")
		r.SetKernel(&c.kernel)
		var out strings.Builder
		require.NoError(t, WriteTable(&out, []*Run{r}, Look{}))
		require.Regexp(t, `(?m)^ *no I/O cancelled before dispatch got there +`+c.says+`$`, out.String())
	}
}
