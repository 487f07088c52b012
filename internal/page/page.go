package page

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"strings"

	"blksim/internal/report"
)

//go:embed uplot/uPlot.iife.min.js
var uplotJS string

//go:embed uplot/uPlot.min.css
var uplotCSS string

//go:embed uplot/LICENSE
var uplotLicence string

//go:embed report.js
var reportJS string

//go:embed report.css
var reportCSS string

//go:embed report.html
var reportHTML string

// slowest is how many of the slowest I/Os of a run are shown.
const slowest = 40

// run is what the page is told of a run.
type run struct {
	Name    string                `json:"name"`
	Partial string                `json:"partial,omitempty"`
	Faults  []string              `json:"faults"`
	Notes   []string              `json:"notes"`
	Setup   report.Setup          `json:"setup"`
	Elapsed int64                 `json:"elapsed_ns"`
	IOPS    float64               `json:"iops"`
	BW      float64               `json:"bytes_per_second"`
	Req     report.Requests       `json:"requests"`
	Device  report.Device         `json:"device"`
	Latency map[string]*latencies `json:"latency"` // by operation
	Series  *report.Series        `json:"series"`
	Slowest []report.SlowIO       `json:"slowest"`
}

// latencies is a distribution as the page draws it.
type latencies struct {
	Count int64 `json:"count"`
	Min   int64 `json:"min"`
	Mean  int64 `json:"mean"`
	P50   int64 `json:"p50"`
	P90   int64 `json:"p90"`
	P99   int64 `json:"p99"`
	P999  int64 `json:"p999"`
	Max   int64 `json:"max"`

	NS  []int64 `json:"ns"`  // latencies, ascending
	Cum []int64 `json:"cum"` // how many I/Os took at most that
}

// Write writes runs, side by side and one over the other.
func Write(w io.Writer, title string, runs []*report.Run) error {
	var data []run
	for _, r := range runs {
		data = append(data, of(r))
	}
	text, err := json.Marshal(map[string]any{"title": title, "trace": about(runs[0]), "runs": data}) // escapes < and >
	if err != nil {
		return err
	}
	t, err := template.New("report").Parse(reportHTML)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{
		"Title": title, "Data": template.JS(text), "UPlot": template.JS(uplotJS), "Report": template.JS(reportJS),
		"UPlotCSS": template.CSS(uplotCSS), "CSS": template.CSS(reportCSS), "Licence": uplotLicence,
	})
}

// about says what was run, for the head of the page.
func about(r *report.Run) string {
	if len(r.Jobs) == 0 {
		return r.Trace.Name
	}
	names := []string{}
	for _, j := range r.Jobs {
		if len(names) == 0 || names[len(names)-1] != j.Job {
			names = append(names, j.Job)
		}
	}
	return "load " + strings.Join(names, ", ")
}

func of(r *report.Run) run {
	out := run{Name: r.Name, Faults: r.Faults, Notes: r.Odd, Setup: r.Setup, Elapsed: r.ElapsedNs, IOPS: r.IOPS, BW: r.Bandwidth,
		Req: r.Accounting.Requests, Device: r.Device, Latency: map[string]*latencies{}, Series: r.Series,
		Slowest: r.Slowest[:min(len(r.Slowest), slowest)]}
	if r.Partial {
		out.Partial = r.Error
		if out.Partial == "" {
			out.Partial = "ended early"
		}
	}
	for op, o := range r.Ops {
		d := o.LatencyNs
		if d == nil {
			continue
		}
		l := &latencies{Count: d.Count, Min: d.Min, Mean: d.Mean, P50: d.P50, P90: d.P90, P99: d.P99, P999: d.P999, Max: d.Max}
		cum := int64(0)
		for _, b := range d.Bins {
			cum += b.Count
			l.NS, l.Cum = append(l.NS, min(max(b.Middle(), d.Min), d.Max)), append(l.Cum, cum)
		}
		out.Latency[op] = l
	}
	return out
}
