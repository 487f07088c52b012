package compare

import (
	"fmt"

	"blksim/internal/report"
)

// ValidationSchema names the JSON form of a Validation.
const ValidationSchema = "blksim.compare/v1"

// Validation is a simulation beside what was recorded: A is the recording, B the
// simulation, and each change is the simulation's error.
type Validation struct {
	Schema      string     `json:"schema"`
	Recorded    Side       `json:"recorded"`
	Simulated   Side       `json:"simulated"`
	RecordedOn  string     `json:"recorded_on"` // what was recorded, in words
	SimulatedOn string     `json:"simulated_on"`
	Title       string     `json:"title"` // of the second column: simulated or, on the wall clock, replayed
	Confidence  float64    `json:"confidence"`
	Rows        []Row      `json:"rows"`
	Distances   []Distance `json:"distances"`
	Shift       *Shift     `json:"completions_by_interval,omitempty"`
	Notes       []string   `json:"notes"`
}

// Validate compares a run with a recording.
func Validate(recorded, run *report.Run, recordedFile, runFile string, o Options) *Validation {
	o = o.resolved()
	v := &Validation{Schema: ValidationSchema, Recorded: Side{recordedFile, recorded.Name}, Simulated: Side{runFile, run.Name},
		RecordedOn: on(recorded), SimulatedOn: on(run), Title: "simulated", Confidence: o.Confidence, Distances: []Distance{}, Notes: []string{}}
	if run.Setup.Clock == "real" {
		v.Title = "replayed"
	}
	v.throughput(recorded, run)
	stages := o
	stages.Percentiles = []int{500_000, 990_000}
	for _, op := range operations() {
		if op == "all" && len(recorded.Ops) == 2 && len(run.Ops) == 2 {
			continue // the same as those of the one operation
		}
		for _, stage := range []string{"", "queue", "device"} {
			a, b := stageOf(recorded, op, stage), stageOf(run, op, stage)
			if a == nil || b == nil {
				continue
			}
			options := o
			if stage != "" {
				options = stages
			}
			v.Rows = append(v.Rows, sampled(op, stage, recorded, run, options)...)
			v.Distances = append(v.Distances, distance(op, stage, a, b))
		}
	}
	v.Shift = shift(recorded.Series, run.Series)
	v.notes(recorded, run)
	return v
}

// on says what a run was and what it ran on, in a line.
func on(r *report.Run) string {
	s := &r.Setup
	if s.Driver == "" { // a recording
		return fmt.Sprintf("%s, %s records, of which %s completed", r.Trace.Format, report.Count(r.Accounting.Records.In), report.Count(r.Accounting.Requests.Completed))
	}
	return fmt.Sprintf("%s, driver %s; %s timing, %s time, seed %d", s.Device, s.Driver, s.Timing, s.Clock, s.Seed)
}

func (v *Validation) throughput(a, b *report.Run) {
	add := func(what, unit string, x, y float64) {
		v.Rows = append(v.Rows, Row{Op: "run", Figure: what, Unit: unit, A: x, B: y, Change: change(x, y)})
	}
	add("completed", "count", float64(a.Accounting.Requests.Completed), float64(b.Accounting.Requests.Completed))
	add("elapsed", "ns", float64(a.ElapsedNs), float64(b.ElapsedNs))
	add("IOPS", "1/s", a.IOPS, b.IOPS)
	add("bandwidth", "B/s", a.Bandwidth, b.Bandwidth)
}

// notes say what a reader should know before believing the rows.
func (v *Validation) notes(a, b *report.Run) {
	note := func(format string, args ...any) { v.Notes = append(v.Notes, fmt.Sprintf(format, args...)) }
	sides := []struct {
		what string
		run  *report.Run
	}{{"recorded", a}, {v.Title, b}}
	for _, s := range sides {
		for _, odd := range s.run.Odd {
			note("%s: %s", s.what, odd)
		}
		if s.run.Partial {
			note("%s: partial: %s", s.what, s.run.Error)
		}
		if s.run.Series == nil {
			note("%s: no series of intervals: its I/Os are taken as independent, and intervals are too narrow", s.what)
		}
	}
	for _, op := range operations() {
		x, y := stageOf(a, op, ""), stageOf(b, op, "")
		if op != "all" && (x == nil) != (y == nil) {
			missing := "recorded"
			if x != nil {
				missing = v.Title
			}
			note("%s: no completed %s to compare with", missing, op)
		}
	}
	if stageOf(a, "all", "device") == nil {
		note("recorded: no issue times: latencies are not split in queue and device")
	}
	if n := b.Accounting.Requests.Cancelled; n.Skipped+n.Aborted > 0 {
		note("%s: %s I/Os were cancelled, and have no latency: --cancel none runs them all", v.Title, report.Count(n.Skipped+n.Aborted))
	}
	if b.Setup.Timing != "trace" || b.Setup.TimeScale != 1 {
		note("%s: not at the recorded times: throughput is not that of the same load", v.Title)
	}
}
