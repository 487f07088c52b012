package compare

import (
	"fmt"
	"io"
	"math"
	"strings"

	"blksim/internal/report"
)

// WriteTable writes comparisons for people.
func WriteTable(w io.Writer, all []*Comparison, color bool) error {
	t := text{color: color}
	for i, c := range all {
		if i > 0 {
			t.WriteByte('\n')
		}
		fmt.Fprintf(&t, "%s %s: %s\n%s %s: %s\n\n", t.paint("1", "A"), c.A.File, c.A.Name, t.paint("1", "B"), c.B.File, c.B.Name)
		t.head("A", "B", "change", c.Confidence)
		op := ""
		for _, r := range c.Rows {
			if r.Op != op {
				op = r.Op
				title := op + " latency"
				if op == "run" {
					title = "whole run"
				}
				t.WriteString(t.paint("1", title) + "\n")
			}
			t.row(&r)
		}
		t.notes(c.Notes)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// text is a table as it is written.
type text struct {
	strings.Builder
	color bool
}

func (t *text) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *text) head(a, b, change string, confidence float64) {
	fmt.Fprintf(t, "%s\n", t.paint("1", fmt.Sprintf("%-22s %10s %10s %9s  %-22s", "", a, b, change, fmt.Sprintf("%g %% confidence", 100*confidence))))
}

// row writes a figure of both, and what may be said of the difference.
func (t *text) row(r *Row) {
	line := fmt.Sprintf("  %-20s %10s %10s %9s", r.Figure, figure(r.A, r.Unit), figure(r.B, r.Unit), changed(r.Change))
	if r.Sampled {
		line += fmt.Sprintf("  %-22s", fmt.Sprintf("%s to %s", changed(r.Low), changed(r.High)))
		switch {
		case !r.Significant:
			line += " no difference found"
		case r.B > r.A:
			line += " " + t.paint("31", "slower")
		default:
			line += " " + t.paint("32", "faster")
		}
	}
	t.WriteString(strings.TrimRight(line, " ") + "\n")
}

func (t *text) notes(notes []string) {
	for _, n := range notes {
		fmt.Fprintf(t, "%s %s\n", t.paint("33", "note    "), n)
	}
}

func figure(v float64, unit string) string {
	switch unit {
	case "ns":
		return report.Nanos(int64(v))
	case "B/s":
		return report.Amount(v) + "/s"
	case "count":
		return report.Count(int64(v))
	}
	return report.Rate(v)
}

// changed writes a change: "+12.3 %", a factor from ten times on.
func changed(v float64) string {
	switch {
	case v == math.MaxFloat64:
		return "from 0"
	case v >= 9:
		return fmt.Sprintf("x%.3g", v+1)
	case v > -0.0005 && v < 0.0005:
		return "0 %"
	}
	return fmt.Sprintf("%+.1f %%", 100*v)
}
