package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/ebpf"
	"blksim/internal/hist"
	"blksim/traces"
)

// fake is a source that a test writes: a batch for each Read, and a clock that each
// Read moves by its wait.
type fake struct {
	batches [][]ebpf.Event
	now     int64
	counts  ebpf.Counts
	device  int64 // -1: not known
	err     error // of the Read after the last batch; nil: there is nothing more
	hists   func(now int64) []Distribution
	stopped bool
}

func (f *fake) Now() int64                             { return f.now }
func (f *fake) Counts() (ebpf.Counts, error)           { return f.counts, nil }
func (f *fake) CrossCheck() (int64, int64, bool)       { return f.device - 1, f.device, f.device >= 0 }
func (f *fake) Distributions() ([]Distribution, error) { return f.hists(f.now), nil }
func (f *fake) Stop(time.Duration) error               { f.stopped = true; return nil }

func (f *fake) Read(events []ebpf.Event, wait time.Duration) (int, error) {
	if len(f.batches) > 0 {
		f.now += int64(wait)
		n := copy(events, f.batches[0])
		if f.batches[0] = f.batches[0][n:]; len(f.batches[0]) == 0 {
			f.batches = f.batches[1:]
		}
		return n, nil
	}
	if f.stopped {
		return 0, io.EOF
	}
	f.now += int64(wait)
	return 0, f.err
}

var (
	_ Source          = (*fake)(nil)
	_ HistogramSource = (*fake)(nil)
)

// ev is an event that completed at so many microseconds, after so many in the queue and
// with the device.
func ev(at, queue, device int64, op traces.Op, comm string) ebpf.Event {
	e := ebpf.Event{Kind: ebpf.Bio, Queue: (at - queue - device) * 1000, Issue: (at - device) * 1000, Complete: at * 1000,
		Sector: 2048, Bytes: 4096, Dev: ebpf.MakeDev(4000, 1), PID: 42, TID: 43, Op: op, Bios: 1}
	copy(e.Comm[:], comm)
	return e
}

func source(batches ...[]ebpf.Event) *fake {
	var n uint64
	for _, b := range batches {
		n += uint64(len(b))
	}
	return &fake{batches: batches, device: -1, counts: ebpf.Counts{Started: n, Done: n}}
}

func TestSnoopWritesALineAnIO(t *testing.T) {
	flush := ev(2_000_000, 0, 100, traces.Flush, "jbd2/loop0-8")
	flush.Issue, flush.Bytes, flush.Status = 0, 0, 5
	write := ev(1_500_000, 7, 250, traces.Write, "evil\x1b[2J")
	write.Flags = traces.FUA | traces.Sync | traces.Preflush
	src := source([]ebpf.Event{ev(1_000_000, 5, 95, traces.Read, "fio"), write}, []ebpf.Event{flush})
	src.counts = ebpf.Counts{Started: 9, Done: 3, Lost: 2, Brief: 1, NoRoom: 1, Stale: 1, Underway: 1, Unmatched: 4, Requests: 3}
	src.device = 8
	var b bytes.Buffer
	require.NoError(t, Snoop(src, &b, Options{Duration: time.Second}))
	require.Equal(t, `      TIME s PROCESS             PID DEVICE    OP             LBA    BYTES  QUEUE us DEVICE us
    1.000000 fio                  42 4000:1    R             2048     4096       5.0      95.0
    1.500000 evil?[2J             42 4000:1    FWFS          2048     4096       7.0     250.0
    2.000000 jbd2/loop0-8         42 4000:1    F             2048        0         -     100.0 EIO

3 I/Os in 1 s
started 9 = done 3 + lost 2 + brief 1 + not followed 1 + never seen to end 1 + underway 1; of others that began before 4
requests 3, merges 0, splits 0; of 8 completions by the devices' own counters 7 were seen
`, b.String())
}

func TestSnoopAsJSONHasASchemaOnEachLine(t *testing.T) {
	e := ev(1000, 5, 95, traces.Read, "fio")
	e.App, e.AppKind = 77, ebpf.IOUring
	other := ev(1001, 0, 1, ebpf.OtherOp, "x")
	other.Issue = 0
	var b bytes.Buffer
	require.NoError(t, Snoop(source([]ebpf.Event{e, other}), &b, Options{JSON: true, Duration: time.Second}))
	lines := jsonLines(t, b.String())
	require.Len(t, lines, 3)
	require.Equal(t, SnoopSchema, lines[0]["schema"])
	require.Equal(t, 77.0, lines[0]["app"])
	require.Equal(t, "io_uring", lines[0]["app_kind"])
	require.Equal(t, 5000.0, lines[0]["queue_ns"])
	require.Equal(t, 95000.0, lines[0]["device_ns"])
	require.Nil(t, lines[1]["queue_ns"])
	require.Equal(t, "other", lines[1]["op"])
	require.Equal(t, TotalsSchema, lines[2]["schema"])
	require.Equal(t, 2.0, lines[2]["shown"])
	require.NotContains(t, lines[2], "cross_check")
}

func TestNumbersStandToTheRight(t *testing.T) {
	for _, c := range []struct {
		n, unit         int64
		decimals, width int
		want            string
	}{
		{0, 1, 0, 3, "  0"}, {1234, 1, 0, 3, "1234"}, {12345, 100, 1, 6, "  12.3"}, {12355, 100, 1, 6, "  12.4"}, {49, 100, 1, 4, " 0.0"}, {50, 100, 1, 4, " 0.1"},
		{1_000_000_000, 1000, 6, 10, "  1.000000"}, {999, 1000, 6, 8, "0.000001"}, {-5, 1000, 6, 8, "0.000000"}, {math.MaxInt64 - 1, 1, 0, 1, "9223372036854775806"},
	} {
		require.Equal(t, c.want, string(right(nil, c.n, c.unit, c.decimals, c.width)), "%+v", c)
	}
	require.Equal(t, "ab   ", string(left(nil, "ab", 5)))
	require.Equal(t, "abcdef", string(left(nil, "abcdef", 5)))
}

func jsonLines(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		all = append(all, m)
	}
	return all
}

func TestAViewEndsByCountByTimeAndWhenItIsTold(t *testing.T) {
	many := make([]ebpf.Event, 10)
	for i := range many {
		many[i] = ev(int64(i)+1000, 1, 1, traces.Read, "fio")
	}
	for name, c := range map[string]struct {
		o    Options
		want int
	}{
		"count": {Options{Count: 3}, 3},
		"stop":  {Options{Stop: func() bool { return true }}, 10}, // what had ended by then is shown
		"time":  {Options{Duration: 10 * time.Second}, 10},
		"comm":  {Options{Duration: time.Second, Filter: Filter{Comm: "sqlite*"}}, 0},
		"comm2": {Options{Duration: time.Second, Filter: Filter{Comm: "fi?"}}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			c.o.JSON = true
			require.NoError(t, Snoop(source(many), &b, c.o))
			lines := jsonLines(t, b.String())
			require.Len(t, lines, c.want+1)
			require.Equal(t, float64(c.want), lines[c.want]["shown"])
			require.Equal(t, float64(10-c.want), lines[c.want]["left_out"])
		})
	}
	require.Error(t, Filter{Comm: "[a"}.Validate())
	require.NoError(t, Filter{}.Validate())
}

func TestAnErrorOfTheSourceStillGivesTheTotals(t *testing.T) {
	src := source([]ebpf.Event{ev(1000, 1, 1, traces.Read, "fio")})
	src.err = errors.New("the ring is damaged")
	var b bytes.Buffer
	require.ErrorIs(t, Snoop(src, &b, Options{}), src.err)
	require.Contains(t, b.String(), "1 I/Os in")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestAnOutputThatFailsEndsTheView(t *testing.T) {
	var out *OutputError
	require.ErrorAs(t, Snoop(source([]ebpf.Event{ev(1000, 1, 1, traces.Read, "fio")}), full{}, Options{}), &out)
	require.ErrorAs(t, Top(source([]ebpf.Event{ev(1000, 1, 1, traces.Read, "fio")}), full{}, TopOptions{}), &out)
	src := source()
	src.hists = func(int64) []Distribution { return nil }
	require.ErrorAs(t, Latency(src, full{}, LatencyOptions{Options: Options{Stop: func() bool { return true }}}), &out)
}

// load is events of two devices and three processes in one second.
func load() []ebpf.Event {
	var all []ebpf.Event
	for i := range int64(1000) {
		e := ev(i*1000+500, 10, 90, traces.Read, "reader")
		all = append(all, e)
		if i%10 == 0 {
			w := ev(i*1000+600, 1000, 3000, traces.Write, "writer")
			w.Dev, w.PID, w.Bytes = ebpf.MakeDev(4000, 2), 99, 65536
			all = append(all, w)
		}
	}
	f := ev(999_000, 0, 50, traces.Flush, "writer")
	f.PID, f.Status = 99, 5
	return append(all, f)
}

func TestTopGivesRatesAndLatenciesOfEachInterval(t *testing.T) {
	src := source(load())
	var b bytes.Buffer
	require.NoError(t, Top(src, &b, TopOptions{Options: Options{Duration: 2 * time.Second}, Interval: time.Second}))
	text := b.String()
	require.Regexp(t, regexp.MustCompile(`(?m)^ +1\.0 4000:1 +1000 +0 +1 +3\.9 +0\.0 +100us +100us +- +- +0\.1$`), text)
	require.Regexp(t, regexp.MustCompile(`(?m)^ +1\.0 4000:2 +0 +100 +0 +0\.0 +6\.2 +- +- +4ms +4ms +0\.4$`), text)
	require.Regexp(t, regexp.MustCompile(`(?m)^ +2\.0 4000:2 +0 +0 +0 `), text, "a device stays in an interval without I/O")
	require.Contains(t, text, "1,101 I/Os in 2 s")
	for _, line := range strings.Split(text, "\n") {
		require.LessOrEqual(t, len(line), 100)
	}
}

func TestTopAsJSONHasTheWholeDistributions(t *testing.T) {
	src := source(load())
	src.counts.Lost = 7
	var b bytes.Buffer
	require.NoError(t, Top(src, &b, TopOptions{Options: Options{JSON: true, Count: 1}, Sort: "bandwidth"}))
	lines := jsonLines(t, b.String())
	require.Len(t, lines, 2)
	require.Equal(t, TopSchema, lines[0]["schema"])
	require.Equal(t, 7.0, lines[0]["lost"])
	ops := lines[0]["ops"].([]any)
	require.Len(t, ops, 3)
	read := ops[0].(map[string]any)
	require.Equal(t, "read", read["op"])
	require.Equal(t, 1000.0, read["iops"])
	require.Equal(t, 1000.0, read["latency_ns"].(map[string]any)["count"])
	require.Equal(t, 90_000.0, read["device_ns"].(map[string]any)["max"])
	require.Equal(t, 10_000.0, read["queue_ns"].(map[string]any)["max"])
	require.Equal(t, 1.0, ops[2].(map[string]any)["errors"])
	processes := lines[0]["processes"].([]any)
	require.Equal(t, "writer", processes[0].(map[string]any)["process"], "by bandwidth")
	// 1000 x 100 us and 100 x 4 ms and 50 us in a second.
	require.InDelta(t, 0.50005, lines[0]["in_flight"], 1e-9)
}

func TestTheScreenFitsTheTerminal(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {100, 40}, {200, 60}, {40, 10}, {1, 1}} {
		src := source(load())
		var b bytes.Buffer
		require.NoError(t, Top(src, &b, TopOptions{Options: Options{Count: 1}, Title: "all devices", Screen: func() (int, int) { return size[0], size[1] }}))
		require.Contains(t, b.String(), hideCursor)
		_, frame, ok := strings.Cut(b.String(), home)
		require.True(t, ok)
		frame, after, ok := strings.Cut(frame, clearBelow)
		require.True(t, ok)
		require.Contains(t, after, showCursor)
		lines := strings.Split(strings.TrimSuffix(frame, "\r\n"), "\r\n")
		require.LessOrEqual(t, len(lines), max(size[1]-1, 1), "%v", size)
		for _, line := range lines {
			require.LessOrEqual(t, len(strings.TrimSuffix(line, clearLine)), size[0], "%v: %q", size, line)
		}
		if size[0] >= 80 {
			for _, says := range []string{"blksim top  all devices", "read", "flush", "4000:2", "latency (# reads, + writes, o others)", "65.5 us", "#####", "reader", "writer"} {
				require.Contains(t, frame, says, "%v", size)
			}
		}
	}
}

func TestMoreProcessesThanFitAreOne(t *testing.T) {
	w := newWindow()
	for i := range maxProcesses + 10 {
		e := ev(1000, 1, 1, traces.Read, "x")
		e.PID = uint32(i + 1)
		w.add(&e)
	}
	list := w.processList("iops")
	require.Len(t, list, maxProcesses+1)
	require.EqualValues(t, 10, list[0].count)
	require.Equal(t, "(others)", list[0].comm)
}

func TestABarIsAsLongAsItsShare(t *testing.T) {
	w := newWindow()
	for range 100 {
		a, b := ev(1000, 0, 3, traces.Read, "x"), ev(1000, 0, 900, traces.Write, "x")
		w.add(&a)
		w.add(&a)
		w.add(&b)
	}
	lines := w.histogramLines(100, 20)
	require.Len(t, lines, 1+9, "2 us to 512 us by powers of two")
	require.Equal(t, 74, strings.Count(lines[1], "#"))
	require.Equal(t, 37, strings.Count(lines[9], "+"))
	require.Contains(t, lines[1], "66.667 %")
	require.Len(t, w.histogramLines(100, 4), 5)
	require.Contains(t, w.histogramLines(100, 4)[4], "33.333 %", "what has no room is in the last")
}

func TestLatencyShowsWhatCameInEachInterval(t *testing.T) {
	src := source()
	src.hists = func(now int64) []Distribution {
		reads, writes := &hist.Histogram{}, &hist.Histogram{}
		for range 100 {
			reads.Add(10_000)
		}
		if now > int64(80*time.Millisecond) {
			for range 50 {
				reads.Add(100_000)
			}
			writes.Add(5_000_000)
		}
		return []Distribution{{Op: traces.Read, Stage: "device", Hist: reads}, {Device: "loop7", Op: traces.Write, Stage: "queue", Hist: writes}}
	}
	clock := &ticking{src}
	var b bytes.Buffer
	require.NoError(t, Latency(clock, &b, LatencyOptions{Options: Options{Count: 2}, Interval: 50 * time.Millisecond}))
	text := b.String()
	require.Contains(t, text, "read, in device: 100; mean 10.0 us")
	require.Contains(t, text, "read, in device: 50; mean 100 us")
	require.Contains(t, text, "loop7, write, in queue: 1; mean 5 ms")
	require.Contains(t, text, "|########################################|")
	require.Contains(t, text, "150 I/Os in")
	for _, line := range strings.Split(text, "\n") {
		require.LessOrEqual(t, len(line), 100, line)
	}
	b.Reset()
	require.NoError(t, Latency(clock, &b, LatencyOptions{Options: Options{JSON: true, Duration: time.Millisecond}}))
	lines := jsonLines(t, b.String())
	require.Len(t, lines, 3)
	require.Equal(t, LatencySchema, lines[0]["schema"])
	require.Equal(t, 150.0, lines[0]["latency_ns"].(map[string]any)["count"])
}

// ticking is a fake whose clock moves on by 10 ms each time that it is read, whatever the
// load of the machine: nothing else moves it where there are no events to wait for.
type ticking struct{ *fake }

func (k *ticking) Now() int64 {
	k.now += int64(10 * time.Millisecond)
	return k.now
}

func TestAnIntervalOfAHistogramIsTheDifference(t *testing.T) {
	var before, now, want hist.Histogram
	for i := range int64(1000) {
		now.Add(i * i * 1000)
		if i%3 == 0 {
			before.Add(i * i * 1000)
		} else {
			want.Add(i * i * 1000)
		}
	}
	got, err := since(&before, &now)
	require.NoError(t, err)
	require.Equal(t, want.Count(), got.Count())
	require.Equal(t, want.Mean(), got.Mean())
	for p := 10_000; p <= 1_000_000; p += 10_000 {
		require.InEpsilon(t, want.Percentile(p), got.Percentile(p), 0.02)
	}
	same, err := since(&now, &now)
	require.NoError(t, err)
	require.Zero(t, same.Count())
}

// BenchmarkSnoop is the cost of a line, ns/op being of 4096.
func BenchmarkSnoop(b *testing.B) {
	events := make([]ebpf.Event, batch)
	for i := range events {
		events[i] = ev(int64(i)+1000, 5, 95, traces.Read, "fio")
	}
	for _, asJSON := range []bool{false, true} {
		name := "text"
		if asJSON {
			name = "json"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Snoop(source(events), io.Discard, Options{JSON: asJSON, Stop: func() bool { return true }}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTop is the cost of 4096 I/Os in an interval.
func BenchmarkTop(b *testing.B) {
	events := make([]ebpf.Event, batch)
	for i := range events {
		events[i] = ev(int64(i)+1000, int64(i%50), 95, traces.Read, "fio")
	}
	w := newWindow()
	b.ReportAllocs()
	for b.Loop() {
		for i := range events {
			w.add(&events[i])
		}
	}
}
