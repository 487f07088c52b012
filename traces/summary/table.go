package summary

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// listed is how many volumes and processes a table lists; the JSON has all.
const listed = 10

// WriteTable shows the summary to people, in lines of at most width columns where
// the width matters (80 or more).
func (in *Info) WriteTable(w io.Writer, width int) error {
	t := &table{width: max(width, 80)}
	t.head(in)
	t.ops(in)
	t.places(in)
	t.arrivals(in)
	t.timeline(in)
	t.latency(in)
	t.volumes(in)
	t.processes(in)
	t.notes(in)
	_, err := io.WriteString(w, t.b.String())
	return err
}

// table is the text being made.
type table struct {
	b     strings.Builder
	width int
}

const labelWidth = 12

// row writes a label and a text, which is folded at blanks.
func (t *table) row(label, format string, args ...any) {
	words := strings.Split(fmt.Sprintf(format, args...), " ")
	line := fmt.Sprintf("%-*s", labelWidth-1, label)
	for _, w := range words {
		if len(line)+1+len(w) > t.width && len(line) > labelWidth {
			t.b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", labelWidth-1)
		}
		line += " " + w
	}
	t.b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// lines writes rows of columns: the first to the left, the others to the right.
func (t *table) lines(rows [][]string) {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	for _, r := range rows {
		line := "  "
		for i, c := range r {
			pad := strings.Repeat(" ", widths[i]-len([]rune(c)))
			switch {
			case i == 0:
				line += c + pad
			case i == len(r)-1 && strings.HasPrefix(c, "  "): // text
				line += c
			default:
				line += "  " + pad + c
			}
		}
		t.b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func (t *table) head(in *Info) {
	t.row("trace", "%s", in.Name)
	t.row("format", "%s: %s", in.Format, in.Why)
	r := &in.Records
	t.row("records", "%s", number(r.In))
	if r.Taken != r.In {
		var left []string
		for why, n := range r.Skipped {
			left = append(left, fmt.Sprintf("%s %s", number(n), why))
		}
		slices.Sort(left) // a map has no order
		if r.Rejected > 0 {
			left = append(left, number(r.Rejected)+" bad")
		}
		t.row("", "%s taken; left out: %s", number(r.Taken), strings.Join(left, ", "))
	}
	if in.FirstNs > 0 {
		t.row("begins", "at %s", span(float64(in.FirstNs)))
	}
	t.row("span", "%s", span(float64(in.SpanNs)))
	t.row("rate", "%s records a second, %s/s", three(in.IOPS), size(in.BytesPS))
	t.row("mix", "%s reads, %s writes", percent(in.ReadPart), percent(1-in.ReadPart))
}

func (t *table) ops(in *Info) {
	rows := [][]string{{"", "records", "share", "bytes", "mean size", "    sizes"}}
	for _, o := range in.Ops {
		mean := 0.0
		if o.Records > 0 {
			mean = float64(o.Bytes) / float64(o.Records)
		}
		rows = append(rows, []string{o.Op, number(o.Records), percent(o.Share), size(float64(o.Bytes)), size(mean), "    " + sizes(o)})
	}
	t.b.WriteString("\noperations\n")
	t.lines(rows)
}

// sizes are the most frequent ones, or the range.
func sizes(o Op) string {
	var list []string
	for i, s := range o.Sizes {
		if i == 3 || s.Share < 0.005 {
			break
		}
		list = append(list, fmt.Sprintf("%s %.0f %%", size(float64(s.Bytes)), 100*s.Share))
	}
	return strings.Join(list, ", ")
}

func (t *table) places(in *Info) {
	t.b.WriteString("\naddresses\n")
	f, a := &in.Footprint, &in.Access
	about := ""
	if !f.Exact {
		about = "about "
	}
	t.row("  footprint", "%s%s in blocks of 4 KiB (read %s, written %s); highest end %s", about, size(float64(f.Bytes)),
		size(float64(f.ReadBytes)), size(float64(f.WriteBytes)), size(float64(in.EndBytes)))
	t.row("  order", "sequential %s (mean run %s records), within 128 KiB %s, same place %s", percent(a.Sequential), three(a.MeanRun), percent(a.Near), percent(a.Again))
	t.row("  aligned", "to 4 KiB: %s", percent(a.Aligned4K))
}

func (t *table) arrivals(in *Info) {
	a := &in.Arrivals
	if len(a.Scales) == 0 {
		return
	}
	t.b.WriteString("\narrivals\n")
	t.row("  gaps", "mean %s, coefficient of variation %s (Poisson: 1)", span(a.MeanGapNs), three(a.GapCV))
	if a.Hurst > 0 {
		t.row("  Hurst", "about %.2f (by aggregated variances; 0.5: bursts even out, 1: at no scale)", a.Hurst)
	}
	rows := [][]string{{"in windows of", "peak a second", "peak to mean", "dispersion"}}
	for i, s := range a.Scales {
		if i%3 == 0 { // each is twice the one before
			rows = append(rows, []string{span(float64(s.WindowNs)), three(s.PeakIOPS), three(s.PeakMean), three(s.Dispersion)})
		}
	}
	t.lines(rows)
}

func (t *table) timeline(in *Info) {
	l := &in.Timeline
	if len(l.Reads) < 2 {
		return
	}
	width := t.width - 34
	_, _, per := bars(l.Reads, width)
	step := time.Duration(l.StepNs) * time.Duration(per)
	fmt.Fprintf(&t.b, "\nover time, %s a column\n", span(float64(step)))
	draw := func(label string, values []int64, show func(v float64) string) {
		line, high, _ := bars(values, width)
		if high > 0 {
			fmt.Fprintf(&t.b, "  %-9s |%s| max %s/s\n", label, line, show(float64(high)/step.Seconds()))
		}
	}
	draw("reads", l.Reads, three)
	draw("writes", l.Writes, three)
	draw("bytes", l.Bytes, size)
}

func (t *table) latency(in *Info) {
	if in.Latency == nil {
		return
	}
	rows := [][]string{{"", "count", "p50", "p90", "p99", "p99.9", "max"}}
	for _, l := range []struct {
		name string
		p    *Percentiles
	}{{"total", in.Latency.Total}, {"in queue", in.Latency.Queue}, {"in device", in.Latency.Device}} {
		if p := l.p; p != nil {
			row := []string{l.name, number(p.Count)}
			for _, v := range []int64{p.P50, p.P90, p.P99, p.P999, p.Max} {
				row = append(row, span(float64(v)))
			}
			rows = append(rows, row)
		}
	}
	t.b.WriteString("\nlatency, as recorded\n")
	t.lines(rows)
}

func (t *table) volumes(in *Info) {
	if len(in.Volumes) < 2 && (len(in.Volumes) == 0 || in.Volumes[0].Name == "") {
		return
	}
	rows := [][]string{{"", "records", "reads", "writes", "bytes", "highest end"}}
	for i, v := range in.Volumes {
		if i == listed {
			break
		}
		name := v.Name
		if name == "" {
			name = "(no name)"
		}
		rows = append(rows, []string{name, number(v.Records), number(v.Reads), number(v.Writes), size(float64(v.Bytes)), size(float64(v.End))})
	}
	t.b.WriteString("\nvolumes" + more(len(in.Volumes)) + "\n")
	t.lines(rows)
}

func more(n int) string {
	if n <= listed {
		return ""
	}
	return fmt.Sprintf(", the busiest of %s", number(int64(n)))
}

func (t *table) processes(in *Info) {
	if len(in.Processes) == 0 {
		return
	}
	rows := [][]string{{"", "pid", "records", "bytes"}}
	for i, p := range in.Processes {
		if i == listed {
			break
		}
		rows = append(rows, []string{p.Name, fmt.Sprint(p.PID), number(p.Records), size(float64(p.Bytes))})
	}
	t.b.WriteString("\nprocesses" + more(len(in.Processes)) + "\n")
	t.lines(rows)
}

func (t *table) notes(in *Info) {
	notes := slices.Clone(in.Notes)
	if in.Cancels > 0 {
		notes = append(notes, number(in.Cancels)+" records say when they are to be cancelled")
	}
	if in.Failed > 0 {
		notes = append(notes, number(in.Failed)+" records ended with an error when they were recorded")
	}
	if len(notes) == 0 {
		return
	}
	t.b.WriteString("\nto know\n")
	for _, n := range notes {
		t.row("  ", "- %s", n)
	}
}
