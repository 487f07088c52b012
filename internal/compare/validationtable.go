package compare

import (
	"fmt"
	"io"

	"blksim/internal/report"
)

// WriteValidations writes simulations beside recordings for people.
func WriteValidations(w io.Writer, all []*Validation, color bool) error {
	t := text{color: color}
	for i, v := range all {
		if i > 0 {
			t.WriteByte('\n')
		}
		fmt.Fprintf(&t, "%s  %s: %s\n", t.paint("1", "recorded"), v.Recorded.File, v.RecordedOn)
		fmt.Fprintf(&t, "%s %s: %s\n\n", t.paint("1", fmt.Sprintf("%-9s", v.Title)), v.Simulated.File, v.SimulatedOn)
		t.head("recorded", v.Title, "error", v.Confidence)
		t.validation(v)
		t.notes(v.Notes)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// validation writes the rows in their sections, each with its distances behind it.
func (t *text) validation(v *Validation) {
	for i := range v.Rows {
		r := &v.Rows[i]
		if i == 0 || r.Op != v.Rows[i-1].Op || r.Stage != v.Rows[i-1].Stage {
			t.WriteString(t.paint("1", section(r)) + "\n")
		}
		t.row(r)
		if i == len(v.Rows)-1 || r.Op != v.Rows[i+1].Op || r.Stage != v.Rows[i+1].Stage {
			t.distances(v, r)
		}
	}
}

// section is the title above a row.
func section(r *Row) string {
	switch {
	case r.Op == "run":
		return "throughput"
	case r.Stage == "":
		return r.Op + " latency"
	}
	return r.Op + ", in " + r.Stage
}

// distances writes how far the distributions of the section that ends with r are apart.
func (t *text) distances(v *Validation, r *Row) {
	if s := v.Shift; r.Op == "run" && s != nil {
		fmt.Fprintf(t, "  %-20s %s of the I/Os completed in another of %d intervals of %s\n", "over time", share(s.Share), s.Intervals, report.Nanos(s.IntervalNs))
	}
	for i := range v.Distances {
		d := &v.Distances[i]
		if d.Op != r.Op || d.Stage != r.Stage {
			continue
		}
		at := ""
		if d.KS > 0 {
			at = fmt.Sprintf("at %s: %s recorded, %s %s take no longer", report.Nanos(d.At), share(d.ShareA), share(d.ShareB), v.Title)
		}
		fmt.Fprintf(t, "  %-20s %10s %s\n", "KS distance", fmt.Sprintf("%.3g", d.KS), at)
		of := ""
		if d.OfMean > 0 {
			of = fmt.Sprintf("%s of the recorded mean", share(d.OfMean))
		}
		fmt.Fprintf(t, "  %-20s %10s %s\n", "Wasserstein distance", report.Nanos(int64(d.Wasserstein+0.5)), of)
	}
}

// share writes a share as percent.
func share(v float64) string { return fmt.Sprintf("%.3g %%", 100*v) }
