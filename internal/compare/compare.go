package compare

import (
	"fmt"
	"math"
	"math/rand/v2"

	"blksim/internal/report"
)

// Schema names the JSON form of a Comparison.
const Schema = "blksim.diff/v1"

// Options say how to compare.
type Options struct {
	Percentiles []int   // in millionths; none: 50, 90, 99 and 99.9
	Confidence  float64 // of each row, 0.5 to 0.9999; 0: 0.99
	Seed        uint64
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	if o.Confidence != 0 && !(o.Confidence >= 0.5 && o.Confidence <= 0.9999) {
		return fmt.Errorf("confidence %g: want 0.5 to 0.9999", o.Confidence)
	}
	return nil
}

// resolved is the options with their defaults.
func (o Options) resolved() Options {
	if o.Confidence == 0 {
		o.Confidence = 0.99
	}
	if len(o.Percentiles) == 0 {
		o.Percentiles = []int{500_000, 900_000, 990_000, 999_000}
	}
	return o
}

// Comparison is two runs beside each other.
type Comparison struct {
	Schema     string   `json:"schema"`
	A          Side     `json:"a"`
	B          Side     `json:"b"`
	Confidence float64  `json:"confidence"`
	Rows       []Row    `json:"rows"`
	Notes      []string `json:"notes"`
}

// Side is one of the runs.
type Side struct {
	File string `json:"file"`
	Name string `json:"name"`
}

// Row is one figure of both. Low and High are the confidence interval of Change;
// figures that are counted and not sampled have none.
type Row struct {
	Op          string  `json:"op"`
	Stage       string  `json:"stage,omitempty"` // queue or device; "": the whole latency
	Figure      string  `json:"figure"`
	Unit        string  `json:"unit"` // ns, 1/s, B/s or count
	A           float64 `json:"a"`
	B           float64 `json:"b"`
	Change      float64 `json:"change"` // b/a - 1
	Low         float64 `json:"low,omitempty"`
	High        float64 `json:"high,omitempty"`
	Sampled     bool    `json:"sampled"`
	Significant bool    `json:"significant"`
}

// Runs compares a and b.
func Runs(a, b *report.Run, fileA, fileB string, o Options) *Comparison {
	o = o.resolved()
	c := &Comparison{Schema: Schema, A: Side{fileA, a.Name}, B: Side{fileB, b.Name}, Confidence: o.Confidence, Notes: []string{}}
	c.counted("IOPS", "1/s", a.IOPS, b.IOPS)
	c.counted("bandwidth", "B/s", a.Bandwidth, b.Bandwidth)
	qa, qb := &a.Accounting.Requests, &b.Accounting.Requests
	for _, n := range []struct {
		what string
		a, b int64
	}{{"completed", qa.Completed, qb.Completed}, {"skipped at dispatch", qa.Cancelled.Skipped, qb.Cancelled.Skipped},
		{"aborted in device", qa.Cancelled.Aborted, qb.Cancelled.Aborted}, {"too late to cancel", qa.TooLate, qb.TooLate}, {"failed", qa.Failed, qb.Failed}} {
		if n.a != 0 || n.b != 0 {
			c.counted(n.what, "count", float64(n.a), float64(n.b))
		}
	}
	for _, op := range operations() {
		c.operation(op, a, b, o)
	}
	c.notes(a, b)
	return c
}

// operations are what runs have distributions of, in the order of the rows.
func operations() []string {
	return []string{"read", "write", "flush", "discard", "write-zeroes", "all"}
}

func (c *Comparison) counted(what, unit string, a, b float64) {
	c.Rows = append(c.Rows, Row{Op: "run", Figure: what, Unit: unit, A: a, B: b, Change: change(a, b)})
}

// change is b/a - 1, and 0 between two zeroes.
func change(a, b float64) float64 {
	switch {
	case a == b:
		return 0
	case a == 0:
		return math.Copysign(math.MaxFloat64, b) // JSON has no infinity
	}
	return b/a - 1
}

// operation adds the rows of one operation that both runs have.
func (c *Comparison) operation(op string, a, b *report.Run, o Options) {
	if op == "all" && len(a.Ops) == 2 && len(b.Ops) == 2 {
		return // the same as those of the one operation
	}
	c.Rows = append(c.Rows, sampled(op, "", a, b, o)...)
}

// sampled are the rows of one distribution of both runs; none, if one lacks it.
func sampled(op, stage string, a, b *report.Run, o Options) (rows []Row) {
	da, db := stageOf(a, op, stage), stageOf(b, op, stage)
	if da == nil || db == nil {
		return nil
	}
	row := func(figure string, x, y float64, same bool, drawA, drawB func(r *rand.Rand) float64) {
		r := Row{Op: op, Stage: stage, Figure: figure, Unit: "ns", A: x, B: y, Change: change(x, y), Sampled: true}
		r.Low, r.High = interval(drawA, drawB, o.Confidence, o.Seed)
		r.Significant = (r.Low > 0 || r.High < 0) && !same
		rows = append(rows, r)
	}
	row("mean", float64(da.Mean), float64(db.Mean), da.Mean == db.Mean, meanOf(da, a.Series), meanOf(db, b.Series))
	for _, p := range o.Percentiles {
		sa, sb := newSampler(da, a.Series, p), newSampler(db, b.Series, p)
		// Within one bucket of the histogram nothing is known.
		share, same := float64(p)/1e6, da.At(p) == db.At(p)
		row("p"+report.FormatPercentiles([]int{p}), quantile(da, share), quantile(db, share), same, sa.draw, sb.draw)
	}
	return rows
}

// stageOf is the distribution of a stage of an operation: queue, device, or "" for all
// of it. nil: the run has none.
func stageOf(r *report.Run, op, stage string) *report.Distribution {
	switch o := r.Ops[op]; stage {
	case "queue":
		return o.QueueNs
	case "device":
		return o.DeviceNs
	default:
		return o.LatencyNs
	}
}

// meanOf draws the mean again: it is close to normal. Its design effect is the
// largest of those of the median and of the tail.
func meanOf(d *report.Distribution, s *report.Series) func(r *rand.Rand) float64 {
	worst := 1.0
	for _, p := range []int{500_000, 900_000, 990_000} {
		worst = max(worst, effect(s, d.At(p)))
	}
	sd := 0.0
	if h, err := d.Histogram(); err == nil { // else report.Read refused it
		sd = h.StdDev() * math.Sqrt(worst/float64(d.Count))
	}
	return func(r *rand.Rand) float64 { return max(float64(d.Mean)+sd*r.NormFloat64(), 0) }
}

// notes say what a reader should know before believing the rows.
func (c *Comparison) notes(a, b *report.Run) {
	note := func(format string, args ...any) { c.Notes = append(c.Notes, fmt.Sprintf(format, args...)) }
	if a.Trace.Name != b.Trace.Name {
		note("different inputs: %s and %s", a.Trace.Name, b.Trace.Name)
	}
	if d := report.Differences(a.Setup, b.Setup); d != "" {
		note("the second has %s", d)
	}
	for _, r := range []*report.Run{a, b} {
		if r.Partial {
			note("run %q is partial: %s", r.Name, r.Error)
		}
		if r.Series == nil {
			note("run %q has no series of intervals: its I/Os are taken as independent, and intervals are too narrow", r.Name)
		}
	}
	if a.Setup.Clock == "virtual" && b.Setup.Clock == "virtual" {
		note("virtual time: each run is exact for its seed; the intervals say what other I/Os of the same kind would show")
	}
}
