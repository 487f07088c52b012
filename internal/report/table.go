package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Look is how a table looks.
type Look struct {
	Width       int   // of the terminal, columns; 0: 80
	Color       bool  // with the colours of a terminal
	Percentiles []int // in millionths; none: 50, 90, 99 and 99.9
}

// rows collects the lines of a table: a label, and a cell for each run or column.
type rows struct {
	runs  []*Run
	look  Look
	lines []line
}

type line struct {
	label string
	cells []string // nil: a heading
	head  bool     // a heading with a title for each column
	ratio bool     // the runs can be compared in it: see compared
	value []float64
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

// measure adds a row of a figure in which the runs can be compared; write writes
// it, and has says which runs have it.
func (t *rows) measure(label string, value func(r *Run) (v float64, has bool), write func(v float64) string) {
	l := line{label: "  " + label, ratio: true}
	some := false
	for _, r := range t.runs {
		v, has := value(r)
		cell := "-"
		if has {
			cell, some = write(v), true
		} else {
			v = -1
		}
		l.cells, l.value = append(l.cells, cell), append(l.value, v)
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
		t.row(label, func(r *Run) string { return Count(n(r)) })
	}
}

// WriteTable writes runs of one input on one device, side by side.
func WriteTable(w io.Writer, runs []*Run, look Look) error {
	if len(look.Percentiles) == 0 {
		look.Percentiles = []int{500_000, 900_000, 990_000, 999_000}
	}
	look.Width = cmp.Or(look.Width, 80)
	p := paint(look.Color)
	var b strings.Builder
	about(&b, runs, p, look.Width)
	t := &rows{runs: runs, look: look}
	t.requests()
	t.throughput()
	t.pacing()
	if len(runs) == 1 {
		t.matrix(runs[0])
		t.jobs(runs[0])
	} else {
		t.latency("read")
		t.latency("write")
		t.stages()
	}
	t.cancellation()
	t.volume()
	t.block()
	t.device()
	t.kernel()
	t.write(&b, p)
	for _, r := range runs {
		for _, s := range r.Faults {
			fmt.Fprintf(&b, "%s %s: %s\n", p.bad("FAULT   "), r.Name, s)
		}
	}
	notes(&b, runs, p)
	for _, r := range runs {
		writeStuck(&b, r, p)
	}
	for _, r := range runs {
		if r.Partial {
			fmt.Fprintf(&b, "%s %s ended after %s: %s\n", p.bad("PARTIAL "), r.Name, Nanos(r.ElapsedNs), cmp.Or(r.Error, "stopped"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// notes writes what a reader should know, once where all runs say the same.
func notes(b *strings.Builder, runs []*Run, p paint) {
	for i, r := range runs {
		for _, odd := range r.Odd {
			common := true
			for _, o := range runs {
				common = common && slices.Contains(o.Odd, odd)
			}
			switch {
			case !common:
				fmt.Fprintf(b, "%s %s: %s\n", p.note("note    "), r.Name, odd)
			case i == 0:
				fmt.Fprintf(b, "%s %s\n", p.note("note    "), odd)
			}
		}
	}
}

// paint writes with the colours of a terminal, if it is set.
type paint bool

func (p paint) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) title(s string) string { return p.with("1", s) }
func (p paint) bad(s string) string   { return p.with("1;31", s) }
func (p paint) note(s string) string  { return p.with("33", s) }

// about writes what ran, which the runs have in common.
func about(b *strings.Builder, runs []*Run, p paint, width int) {
	r := runs[0]
	s := &r.Setup
	say := func(what, format string, args ...any) {
		for i, line := range wrap(fmt.Sprintf(format, args...), width-9) {
			if i > 0 {
				what = ""
			}
			fmt.Fprintf(b, "%s %s\n", p.title(fmt.Sprintf("%-8s", what)), line)
		}
	}
	if len(r.Jobs) > 0 {
		for i, j := range r.Jobs {
			if i > 0 && j.Job == r.Jobs[i-1].Job && j.Phase == r.Jobs[i-1].Phase {
				continue // a clone
			}
			say("load", "%s:%s", j.Job, cmp.Or(optionList(j.Options), " the defaults"))
		}
	} else {
		volumes := ""
		if n := len(r.Trace.Volumes); n > 1 {
			volumes = fmt.Sprintf(", %d volumes", n)
		}
		say("trace", "%s: %s, %s records over %s%s", r.Trace.Name, r.Trace.Format,
			Count(r.Accounting.Records.In), Nanos(r.Trace.SpanNs), volumes)
	}
	say("device", "%s: %s, %d B blocks; %s x depth %d", s.Device, Amount(float64(s.Capacity)),
		s.BlockSize, plural(s.Queues, "queue"), s.QueueDepth)
	for _, d := range r.Disks {
		say("disk", "%s", d.String())
	}
	if len(r.Disks) > 0 {
		say("engine", "%s: %s", r.Disks[0].Engine, r.Disks[0].Why)
	}
	if s.Stack != "" {
		hedge := ""
		if s.Hedge != "" {
			hedge = "; reads hedged: " + s.Hedge
		}
		say("stack", "%s: each disk is a device of its own, with those queues%s", s.Stack, hedge)
	}
	timing := strings.TrimPrefix(s.Timing+"; ", "load; ")
	if s.TimeScale != 1 {
		timing = fmt.Sprintf("%s x %g; ", s.Timing, s.TimeScale)
	}
	if s.IODepth > 0 {
		timing = fmt.Sprintf("%s, at most %s in flight; ", strings.TrimSuffix(timing, "; "), Count(int64(s.IODepth)))
	}
	say("timing", "%s%s time; seed %d", timing, s.Clock, s.Seed)
	if len(runs) == 1 {
		say("driver", "%s", s.Driver)
	}
	for _, r := range runs {
		if what := cancels(&r.Setup); what != "" {
			say("cancel", "%s", what)
			break
		}
	}
	b.WriteByte('\n')
}

// wrap breaks a text at spaces, where it must, into lines of so many bytes.
func wrap(s string, width int) []string {
	var lines []string
	for len(s) > width {
		at := strings.LastIndexByte(s[:width+1], ' ')
		if at <= 0 {
			if at = strings.IndexByte(s, ' '); at <= 0 {
				break
			}
		}
		lines, s = append(lines, s[:at]), s[at+1:]
	}
	return append(lines, s)
}

// cancels says what is cancelled.
func cancels(s *Setup) string {
	var parts []string
	if s.DeadlineNs > 0 {
		parts = append(parts, "what is not complete "+Nanos(s.DeadlineNs)+" after it was due")
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
	return Count(int64(n)) + " " + what + "s"
}

// write lays the table out: labels to the left, cells to the right. Tables within
// it that have columns of their own are laid out by themselves.
func (t *rows) write(b *strings.Builder, p paint) {
	label, width := 0, make([]int, len(t.runs))
	compare := t.compared()
	if compare {
		for i := range t.lines {
			t.lines[i].compare()
		}
	}
	for i, r := range t.runs {
		if len(t.runs) > 1 {
			width[i] = len(r.Name)
		}
	}
	for _, l := range t.lines {
		if l.cells == nil || len(l.cells) != len(t.runs) || l.head {
			continue
		}
		label = max(label, len(l.label))
		for i, c := range l.cells {
			width[i] = max(width[i], len(c))
		}
	}
	if len(t.runs) > 1 {
		fmt.Fprintf(b, "%-*s", label, "")
		for i, r := range t.runs {
			b.WriteString("   " + p.title(fmt.Sprintf("%*s", width[i], r.Name)))
		}
		b.WriteByte('\n')
	}
	for i := 0; i < len(t.lines); i++ {
		switch l := t.lines[i]; {
		case l.head:
			i += grid(b, t.lines[i:], p) - 1
		case l.cells == nil:
			fmt.Fprintf(b, "%s\n", p.title(l.label))
		default:
			text := fmt.Sprintf("%-*s", label, l.label)
			for i, c := range l.cells {
				text += fmt.Sprintf("   %*s", width[i], c)
			}
			b.WriteString(strings.TrimRight(text, " ") + "\n")
		}
	}
}

// grid writes a table with a title for each column, and returns its lines.
func grid(b *strings.Builder, lines []line, p paint) int {
	n := 1
	for n < len(lines) && lines[n].cells != nil && !lines[n].head && len(lines[n].cells) == len(lines[0].cells) {
		n++
	}
	label, width := 0, make([]int, len(lines[0].cells))
	for _, l := range lines[:n] {
		label = max(label, len(l.label))
		for i, c := range l.cells {
			width[i] = max(width[i], len(c))
		}
	}
	for _, l := range lines[:n] {
		text := fmt.Sprintf("%-*s", label, l.label)
		for i, c := range l.cells {
			text += fmt.Sprintf("  %*s", width[i], c)
		}
		if l.head {
			text = p.title(text)
		}
		b.WriteString(text + "\n")
	}
	return n
}

// compared says whether there is room to set each run beside the first in
// percent.
func (t *rows) compared() bool {
	if len(t.runs) < 2 {
		return false
	}
	need := 38
	for _, r := range t.runs {
		need += 3 + max(len(r.Name), 12+len("  -99.9 %"))
	}
	return need <= t.look.Width
}

// compare adds to each cell but the first how far it is from that.
func (l *line) compare() {
	if !l.ratio {
		for i := range l.cells {
			if i > 0 {
				l.cells[i] += strings.Repeat(" ", deltaWidth)
			}
		}
		return
	}
	for i := range l.cells {
		if i == 0 {
			continue
		}
		delta := ""
		if l.value[0] > 0 && l.value[i] >= 0 {
			delta = percent(l.value[i]/l.value[0] - 1)
		}
		l.cells[i] += fmt.Sprintf("%*s", deltaWidth, delta)
	}
}

const deltaWidth = len("  +99.9 %")

// percent writes a change: "+12.3 %", or as a factor from ten times on.
func percent(v float64) string {
	switch {
	case v >= 9:
		return fmt.Sprintf("x%.0f", v+1)
	case v > -0.0005 && v < 0.0005:
		return "="
	}
	return fmt.Sprintf("%+.1f %%", 100*v)
}
