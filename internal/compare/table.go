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
	var b strings.Builder
	paint := func(code, s string) string {
		if !color {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	for i, c := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s %s: %s\n%s %s: %s\n\n", paint("1", "A"), c.A.File, c.A.Name, paint("1", "B"), c.B.File, c.B.Name)
		fmt.Fprintf(&b, "%s\n", paint("1", fmt.Sprintf("%-22s %10s %10s %9s  %-22s", "", "A", "B", "change", fmt.Sprintf("%g %% confidence", 100*c.Confidence))))
		op := ""
		for _, r := range c.Rows {
			if r.Op != op {
				op = r.Op
				title := op + " latency"
				if op == "run" {
					title = "whole run"
				}
				b.WriteString(paint("1", title) + "\n")
			}
			line := fmt.Sprintf("  %-20s %10s %10s %9s", r.Figure, figure(r.A, r.Unit), figure(r.B, r.Unit), changed(r.Change))
			if r.Sampled {
				line += fmt.Sprintf("  %-22s", fmt.Sprintf("%s to %s", changed(r.Low), changed(r.High)))
				switch {
				case !r.Significant:
					line += " no difference found"
				case r.B > r.A:
					line += " " + paint("31", "slower")
				default:
					line += " " + paint("32", "faster")
				}
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
		for _, n := range c.Notes {
			fmt.Fprintf(&b, "%s %s\n", paint("33", "note    "), n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
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
