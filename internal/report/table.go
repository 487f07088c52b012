package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// rows collects the lines of a table: a label, and a cell for each run.
type rows struct {
	runs  []*Run
	lines []line
}

type line struct {
	label string
	cells []string // nil: a heading
}

func (t *rows) heading(s string) { t.lines = append(t.lines, line{label: s}) }

// row adds a line, unless all its cells are empty.
func (t *rows) row(label string, cell func(r *Run) string) {
	l := line{label: "  " + label, cells: make([]string, len(t.runs))}
	some := false
	for i, r := range t.runs {
		l.cells[i] = cell(r)
		some = some || l.cells[i] != ""
	}
	if some {
		t.lines = append(t.lines, l)
	}
}

// number adds a row of counts; unless always is set, only where one is not zero.
func (t *rows) number(label string, always bool, n func(r *Run) int64) {
	some := always
	for _, r := range t.runs {
		some = some || n(r) != 0
	}
	if some {
		t.row(label, func(r *Run) string { return count(n(r)) })
	}
}

// WriteTable writes runs of one trace on one device, side by side.
func WriteTable(w io.Writer, runs []*Run) error {
	var b strings.Builder
	about(&b, runs)
	t := &rows{runs: runs}
	t.requests()
	t.throughput()
	t.latency("read")
	t.latency("write")
	t.stages()
	t.cancellation()
	t.device()
	t.write(&b)
	for _, r := range runs {
		for _, s := range r.Faults {
			fmt.Fprintf(&b, "FAULT    %s: %s\n", r.Name, s)
		}
	}
	notes(&b, runs)
	for _, r := range runs {
		if r.Partial {
			fmt.Fprintf(&b, "PARTIAL  %s ended after %s: %s\n", r.Name, nanos(r.ElapsedNs), cmp.Or(r.Error, "stopped"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// notes writes what a reader should know, once where all runs say the same.
func notes(b *strings.Builder, runs []*Run) {
	for i, r := range runs {
		for _, odd := range r.Odd {
			common := true
			for _, o := range runs {
				common = common && slices.Contains(o.Odd, odd)
			}
			switch {
			case !common:
				fmt.Fprintf(b, "note     %s: %s\n", r.Name, odd)
			case i == 0:
				fmt.Fprintf(b, "note     %s\n", odd)
			}
		}
	}
}

// about writes what ran, which the runs have in common.
func about(b *strings.Builder, runs []*Run) {
	r := runs[0]
	s := &r.Setup
	fmt.Fprintf(b, "trace    %s: %s, %s records over %s", r.Trace.Name, r.Trace.Format,
		count(r.Accounting.Records.In), nanos(r.Trace.SpanNs))
	if n := len(r.Trace.Volumes); n > 1 {
		fmt.Fprintf(b, ", %d volumes", n)
	}
	fmt.Fprintf(b, "\ndevice   %s: %s, %d B blocks; %s x depth %d\n", s.Device, bytes(float64(s.Capacity)),
		s.BlockSize, plural(s.Queues, "queue"), s.QueueDepth)
	fmt.Fprintf(b, "timing   %s", s.Timing)
	if s.TimeScale != 1 {
		fmt.Fprintf(b, " x %g", s.TimeScale)
	}
	if s.IODepth > 0 {
		fmt.Fprintf(b, ", at most %s in flight", count(int64(s.IODepth)))
	}
	fmt.Fprintf(b, "; %s time; seed %d\n", s.Clock, s.Seed)
	if len(runs) == 1 {
		fmt.Fprintf(b, "driver   %s\n", s.Driver)
	}
	for _, r := range runs {
		if what := cancels(&r.Setup); what != "" {
			fmt.Fprintf(b, "cancel   %s\n", what)
			break
		}
	}
	b.WriteByte('\n')
}

// cancels says what is cancelled.
func cancels(s *Setup) string {
	var parts []string
	if s.DeadlineNs > 0 {
		parts = append(parts, "what is not complete "+nanos(s.DeadlineNs)+" after it was due")
	}
	for _, part := range strings.Split(s.Cancel, ",") {
		switch {
		case part == "trace":
			parts = append(parts, "what the trace says")
		case strings.HasPrefix(part, "random"):
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(int64(n)) + " " + what + "s"
}

func (t *rows) requests() {
	t.heading("requests")
	t.number("submitted", true, func(r *Run) int64 { return r.Accounting.Requests.Submitted })
	t.number("completed", true, func(r *Run) int64 { return r.Accounting.Requests.Completed })
	t.number("  too late to cancel", false, func(r *Run) int64 { return r.Accounting.Requests.TooLate })
	t.number("cancelled: skipped at dispatch", false, func(r *Run) int64 { return r.Accounting.Requests.Cancelled.Skipped })
	t.number("cancelled: aborted in device", false, func(r *Run) int64 { return r.Accounting.Requests.Cancelled.Aborted })
	t.number("failed", true, func(r *Run) int64 { return r.Accounting.Requests.Failed })
	t.number("STUCK, no answer", false, func(r *Run) int64 { return r.Accounting.Requests.Stuck })
	t.number("flushes answered without the device", false, func(r *Run) int64 { return r.Block.Needless })
	t.leftOut()
}

// leftOut writes the records that were not replayed, by reason.
func (t *rows) leftOut() {
	var reasons []string
	for _, r := range t.runs {
		for why := range r.Accounting.Records.Skipped {
			if !slices.Contains(reasons, why) {
				reasons = append(reasons, why)
			}
		}
	}
	slices.Sort(reasons)
	for _, why := range reasons {
		t.number("records left out: "+why, false, func(r *Run) int64 { return r.Accounting.Records.Skipped[why] })
	}
	t.number("records left out: bad", false, func(r *Run) int64 { return r.Accounting.Records.Rejected })
	t.number("records read but not run", false, func(r *Run) int64 { return r.Accounting.Records.NotRun })
}

func (t *rows) throughput() {
	t.heading("throughput")
	t.row("elapsed", func(r *Run) string { return nanos(r.ElapsedNs) })
	t.row("IOPS", func(r *Run) string { return rate(r.IOPS) })
	t.row("bandwidth", func(r *Run) string { return bytes(r.Bandwidth) + "/s" })
	t.row("schedule slip, p99", func(r *Run) string {
		if r.Setup.Timing != "trace" {
			return ""
		}
		return part(r.SlipNs, p99)
	})
}

// latency writes the distribution of one operation.
func (t *rows) latency(op string) {
	if !t.has(op) {
		return
	}
	t.heading("latency of completed " + op + "s")
	t.row("p50", of(op, total, p50))
	t.row("p90", of(op, total, p90))
	t.row("p99", of(op, total, p99))
	t.row("p99.9", of(op, total, p999))
	t.row("max", of(op, total, most))
}

// stages writes where the time of all requests went, and one line for each of
// the operations that have no section of their own.
func (t *rows) stages() {
	if !t.has("all") {
		return
	}
	t.heading("latency of all completed")
	for _, op := range []string{"flush", "discard", "write-zeroes"} {
		if t.has(op) {
			t.row(op+" p99", of(op, total, p99))
		}
	}
	t.row("p99", of("all", total, p99))
	t.row("  in queue, p50", of("all", inQueue, p50))
	t.row("  in queue, p99", of("all", inQueue, p99))
	t.row("  in device, p50", of("all", inDevice, p50))
	t.row("  in device, p99", of("all", inDevice, p99))
}

func (t *rows) has(op string) bool {
	for _, r := range t.runs {
		if r.Ops[op].LatencyNs != nil {
			return true
		}
	}
	return false
}

// of makes the cell of one figure of one operation's distribution.
func of(op string, d func(o OpRun) *Distribution, v func(d *Distribution) int64) func(r *Run) string {
	return func(r *Run) string { return part(d(r.Ops[op]), v) }
}

func total(o OpRun) *Distribution    { return o.LatencyNs }
func inQueue(o OpRun) *Distribution  { return o.QueueNs }
func inDevice(o OpRun) *Distribution { return o.DeviceNs }

func p50(d *Distribution) int64  { return d.P50 }
func p90(d *Distribution) int64  { return d.P90 }
func p99(d *Distribution) int64  { return d.P99 }
func p999(d *Distribution) int64 { return d.P999 }
func most(d *Distribution) int64 { return d.Max }

func (t *rows) cancellation() {
	some := false
	for _, r := range t.runs {
		some = some || r.Cancel.Asked > 0
	}
	if !some {
		return
	}
	t.heading("cancellation")
	t.number("asked", true, func(r *Run) int64 { return r.Cancel.Asked })
	t.row("asked to ended, p50", func(r *Run) string { return part(r.Cancel.LatencyNs, p50) })
	t.row("asked to ended, p99", func(r *Run) string { return part(r.Cancel.LatencyNs, p99) })
	t.number("completed after the deadline", false, func(r *Run) int64 { return r.Cancel.Late })
	t.row("data never sent to the device", func(r *Run) string { return bytes(float64(r.Cancel.BytesKept)) })
}

func part(d *Distribution, v func(d *Distribution) int64) string {
	if d == nil {
		return "-"
	}
	if n := v(d); n < beyond || d.Beyond == 0 || n == d.Max {
		return nanos(n)
	}
	return "> 17.2 s"
}

// beyond is the middle of the histogram's last bucket, about 17.1 s: a
// percentile there stands for anything from it to Max.
const beyond = 1<<34 - 1<<27

func (t *rows) device() {
	t.heading("device, by its own counters")
	t.row("commands", func(r *Run) string {
		if !r.Device.Counted {
			return "not counted"
		}
		return count(r.Device.Commands)
	})
	abort := func(v func(a *Aborts) int64) func(r *Run) int64 {
		return func(r *Run) int64 {
			if r.Device.Aborts == nil {
				return 0
			}
			return v(r.Device.Aborts)
		}
	}
	t.number("aborts asked", false, abort(func(a *Aborts) int64 { return a.Asked }))
	t.number("  answered: aborted", false, abort(func(a *Aborts) int64 { return a.Aborted }))
	t.number("  answered: not aborted", false, abort(func(a *Aborts) int64 { return a.NotAborted }))
	t.number("cancels asked", false, abort(func(a *Aborts) int64 { return a.Cancels }))
	t.number("  commands ended by them", false, abort(func(a *Aborts) int64 { return a.Cancelled }))
	t.number("most commands at once", false, func(r *Run) int64 { return r.Device.PeakDepth })
}

// write lays the table out: labels to the left, cells to the right.
func (t *rows) write(b *strings.Builder) {
	label := 0
	for _, l := range t.lines {
		if l.cells != nil {
			label = max(label, len(l.label))
		}
	}
	width := make([]int, len(t.runs))
	for i, r := range t.runs {
		if len(t.runs) > 1 {
			width[i] = len(r.Name)
		}
		for _, l := range t.lines {
			if l.cells != nil {
				width[i] = max(width[i], len(l.cells[i]))
			}
		}
	}
	if len(t.runs) > 1 {
		fmt.Fprintf(b, "%-*s", label, "")
		for i, r := range t.runs {
			fmt.Fprintf(b, "   %*s", width[i], r.Name)
		}
		b.WriteByte('\n')
	}
	for _, l := range t.lines {
		if l.cells == nil {
			fmt.Fprintf(b, "%s\n", l.label)
			continue
		}
		fmt.Fprintf(b, "%-*s", label, l.label)
		for i, c := range l.cells {
			fmt.Fprintf(b, "   %*s", width[i], c)
		}
		b.WriteByte('\n')
	}
}
