package report

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"blksim/internal/load"
	"blksim/internal/replay"
	"blksim/traces"
)

// JobRun is what one clone of a job did. Its figures are as those of a Run.
type JobRun struct {
	Name       string            `json:"name"`
	Job        string            `json:"job"`   // the name without the clone's number
	Phase      int               `json:"phase"` // jobs of one phase ran side by side
	Options    map[string]string `json:"options"`
	StartNs    int64             `json:"start_ns"`
	ElapsedNs  int64             `json:"elapsed_ns"`
	MeasuredNs int64             `json:"measured_ns"` // of that, after the ramp
	IOPS       float64           `json:"iops"`
	Bandwidth  float64           `json:"bytes_per_second"`
	Requests   Requests          `json:"requests"`
	Ops        map[string]OpRun  `json:"ops"`
	SlipNs     *Distribution     `json:"slip_ns,omitempty"`
	Verify     *Verify           `json:"verify,omitempty"`
}

// Verify is what checking the data found.
type Verify struct {
	Checked int64    `json:"checked"` // intervals with a header
	Bad     int64    `json:"bad"`
	First   []string `json:"first_bad,omitempty"` // at most 10
}

// FillJobs takes over what the clones of a load did, in place of Fill. It returns
// the second completions that the asynchronous core refused.
func (r *Run) FillJobs(clones []*load.Clone) (stale int64) {
	all := &replay.Result{Skipped: map[string]int64{}}
	if len(clones) > 0 {
		all.Start = clones[0].Result.Start
	}
	ramp, phases := time.Duration(1<<62), 0
	for _, c := range clones {
		all.Merge(c.Result)
		ramp, phases = min(ramp, c.Job.Ramp), max(phases, c.Phase+1)
		r.Jobs = append(r.Jobs, jobRun(c))
		if !c.Job.Verify {
			continue
		}
		if r.Verify == nil {
			r.Verify = &Verify{}
		}
		r.Verify.Checked += c.Checked
		r.Verify.Bad += c.Bad
		for _, s := range c.FirstBad {
			r.Verify.First = append(r.Verify.First, "job "+c.Name()+": "+s)
		}
	}
	r.Fill(all, traces.Stats{In: all.Records})
	if len(clones) > 0 && phases == 1 && ramp > 0 {
		measured := (all.Elapsed - ramp).Seconds()
		if measured > 0 {
			r.IOPS = float64(r.Ops["all"].Completed) / measured
			r.Bandwidth = float64(r.Ops["all"].Bytes) / measured
		}
	}
	if n := all.Ramped; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s during the ramp not measured", plural(int(n), "request")))
	}
	return all.Context.StaleCompletes
}

func jobRun(c *load.Clone) JobRun {
	res := c.Result
	j := JobRun{Name: c.Name(), Job: c.Job.Name, Phase: c.Phase, StartNs: int64(res.Start), ElapsedNs: int64(res.Elapsed),
		MeasuredNs: int64(max(res.Elapsed-c.Job.Ramp, 0)), Requests: requests(&res.Tally), SlipNs: Sum(&res.Slip),
		Options: map[string]string{}}
	ops, all := opRuns(&res.Tally)
	j.Ops = ops
	j.IOPS, j.Bandwidth = rates(&all, time.Duration(j.MeasuredNs))
	if c.Job.Verify {
		j.Verify = &Verify{c.Checked, c.Bad, c.FirstBad}
	}
	given, plain := c.Job, load.DefaultJob()
	rows, usual := given.Options(), plain.Options()
	for _, name := range rows.Names() {
		if v := rows.Find(name); v.Name == name && v.Value.String() != usual.Find(name).Value.String() {
			j.Options[name] = v.Value.String()
		}
	}
	return j
}

// requests accounts for the I/Os of a tally.
func requests(t *replay.Tally) Requests {
	q := Requests{Submitted: t.Submitted, Completed: t.Completed, TooLate: t.TooLate,
		Cancelled: Cancelled{t.Skipped, t.Aborted}, Failed: t.FailedTotal()}
	q.Stuck = q.Submitted - q.Completed - q.Cancelled.Skipped - q.Cancelled.Aborted - q.Failed
	return q
}

// optionList writes a job's options in a line.
func optionList(options map[string]string) string {
	s := ""
	for _, name := range slices.Sorted(maps.Keys(options)) {
		switch v := options[name]; {
		case name == "name", name == "randseed", name == "stonewall":
		case v == "true":
			s += " " + name
		default:
			s += " " + name + "=" + v
		}
	}
	return s
}
