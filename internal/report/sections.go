package report

import (
	"slices"
)

func (t *rows) requests() {
	t.heading("requests")
	t.number("submitted", true, func(r *Run) int64 { return r.Accounting.Requests.Submitted })
	t.number("completed", true, func(r *Run) int64 { return r.Accounting.Requests.Completed })
	t.number("  too late to cancel", false, func(r *Run) int64 { return r.Accounting.Requests.TooLate })
	t.number("cancelled: skipped at dispatch", false, func(r *Run) int64 { return r.Accounting.Requests.Cancelled.Skipped })
	t.number(t.aborted(), false, func(r *Run) int64 { return r.Accounting.Requests.Cancelled.Aborted })
	t.number("failed", true, func(r *Run) int64 { return r.Accounting.Requests.Failed })
	t.number("STUCK, no answer", false, func(r *Run) int64 { return r.Accounting.Requests.Stuck })
	t.number("flushes answered without the device", false, func(r *Run) int64 { return r.Block.Needless })
	t.number("blocks verified", false, func(r *Run) int64 { return r.verify().Checked })
	t.number("  BAD", false, func(r *Run) int64 { return r.verify().Bad })
	t.leftOut()
}

// aborted is what to call requests that were cancelled when the driver had them. That of
// a real disk may have taken them back before the kernel knew of them: they were never in
// the device, and the section of the disks has how many.
func (t *rows) aborted() string {
	if t.real() {
		return "cancelled: in driver or kernel"
	}
	return "cancelled: aborted in device"
}

// real says whether all runs were on real disks.
func (t *rows) real() bool {
	return !slices.ContainsFunc(t.runs, func(r *Run) bool { return len(r.Disks) == 0 })
}

func (r *Run) verify() Verify {
	if r.Verify == nil {
		return Verify{}
	}
	return *r.Verify
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
	t.measure("elapsed", func(r *Run) (float64, bool) { return float64(r.ElapsedNs), true }, func(v float64) string { return Nanos(int64(v)) })
	t.measure("IOPS", func(r *Run) (float64, bool) { return r.IOPS, true }, Rate)
	t.measure("bandwidth", func(r *Run) (float64, bool) { return r.Bandwidth, true }, func(v float64) string { return Amount(v) + "/s" })
	if len(t.runs) > 1 {
		t.row("schedule slip, p99", func(r *Run) string {
			if r.Setup.Timing != "trace" && r.Setup.Timing != "load" {
				return ""
			}
			return part(r.SlipNs, func(d *Distribution) int64 { return d.P99 })
		})
	}
}

// matrix writes the latencies of one run: a row for each operation and stage, a
// column for each percentile.
func (t *rows) matrix(r *Run) {
	if r.Ops["all"].LatencyNs == nil {
		return
	}
	head := line{label: "latency of completed", head: true}
	for _, p := range t.look.Percentiles {
		head.cells = append(head.cells, "p"+FormatPercentiles([]int{p}))
	}
	head.cells = append(head.cells, "max")
	wide := t.look.Width >= 100
	if wide {
		head.cells = slices.Concat([]string{"count", "min", "mean"}, head.cells)
	}
	t.lines = append(t.lines, head)
	add := func(label string, d *Distribution) {
		if d == nil {
			return
		}
		l := line{label: "  " + label}
		if wide {
			l.cells = append(l.cells, Count(d.Count), Nanos(d.Min), Nanos(d.Mean))
		}
		for _, p := range t.look.Percentiles {
			l.cells = append(l.cells, part(d, func(d *Distribution) int64 { return d.At(p) }))
		}
		l.cells = append(l.cells, Nanos(d.Max))
		t.lines = append(t.lines, l)
	}
	ops := 0
	for _, op := range []string{"read", "write", "flush", "discard", "write-zeroes"} {
		add(op, r.Ops[op].LatencyNs)
		if r.Ops[op].LatencyNs != nil {
			ops++
		}
	}
	all := r.Ops["all"]
	if ops > 1 {
		add("all", all.LatencyNs)
	}
	// Where every I/O was submitted when it was due, this would be a line of zeroes.
	if d := r.SlipNs; d != nil && d.Max > 0 {
		add("  due to submit", d)
		add("  submit to end", all.ServiceNs)
	}
	add("  in queue", all.QueueNs)
	add("  in device", all.DeviceNs)
}

// jobs writes a line for each job of a load that has several.
func (t *rows) jobs(r *Run) {
	if len(r.Jobs) < 2 {
		return
	}
	t.lines = append(t.lines, line{label: "jobs", head: true, cells: []string{"phase", "IOPS", "bandwidth", "p50", "p99", "max"}})
	for _, j := range r.Jobs {
		d := j.Ops["all"].LatencyNs
		t.lines = append(t.lines, line{label: "  " + j.Name, cells: []string{Count(int64(j.Phase + 1)), Rate(j.IOPS), Amount(j.Bandwidth) + "/s",
			part(d, func(d *Distribution) int64 { return d.P50 }), part(d, func(d *Distribution) int64 { return d.P99 }),
			part(d, func(d *Distribution) int64 { return d.Max })}})
	}
}

// latency writes the distribution of one operation, of several runs.
func (t *rows) latency(op string) {
	if !t.has(op) {
		return
	}
	t.heading("latency of completed " + op + "s")
	t.distribution("", op, total)
}

// distribution writes the percentiles of a table and the greatest value.
func (t *rows) distribution(label, op string, d func(o OpRun) *Distribution) {
	for _, p := range t.look.Percentiles {
		t.time(label+"p"+FormatPercentiles([]int{p}), op, d, func(d *Distribution) int64 { return d.At(p) })
	}
	t.time(label+"max", op, d, func(d *Distribution) int64 { return d.Max })
}

// time adds a row of one figure of one operation.
func (t *rows) time(label, op string, d func(o OpRun) *Distribution, v func(d *Distribution) int64) {
	if !t.has(op) {
		return
	}
	l := line{label: "  " + label, ratio: true}
	for _, r := range t.runs {
		dist, value := d(r.Ops[op]), -1.0
		if dist != nil {
			value = float64(v(dist))
		}
		l.cells, l.value = append(l.cells, part(dist, v)), append(l.value, value)
	}
	t.lines = append(t.lines, l)
}

// stages writes where the time of all requests went, and one line for each of
// the operations that have no section of their own.
func (t *rows) stages() {
	if !t.has("all") {
		return
	}
	p50 := func(d *Distribution) int64 { return d.P50 }
	p99 := func(d *Distribution) int64 { return d.P99 }
	t.heading("latency of all completed")
	for _, op := range []string{"flush", "discard", "write-zeroes"} {
		t.time(op+" p99", op, total, p99)
	}
	t.time("p99", "all", total, p99)
	t.time("  in queue, p50", "all", inQueue, p50)
	t.time("  in queue, p99", "all", inQueue, p99)
	t.time("  in device, p50", "all", inDevice, p50)
	t.time("  in device, p99", "all", inDevice, p99)
}

func (t *rows) has(op string) bool {
	for _, r := range t.runs {
		if r.Ops[op].LatencyNs != nil {
			return true
		}
	}
	return false
}

func total(o OpRun) *Distribution    { return o.LatencyNs }
func inQueue(o OpRun) *Distribution  { return o.QueueNs }
func inDevice(o OpRun) *Distribution { return o.DeviceNs }

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
	t.row("asked to ended, p50", func(r *Run) string { return part(r.Cancel.LatencyNs, func(d *Distribution) int64 { return d.P50 }) })
	t.row("asked to ended, p99", func(r *Run) string { return part(r.Cancel.LatencyNs, func(d *Distribution) int64 { return d.P99 }) })
	t.number("completed after the deadline", false, func(r *Run) int64 { return r.Cancel.Late })
	t.row("data never sent to the device", func(r *Run) string { return Amount(float64(r.Cancel.BytesKept)) })
}

func part(d *Distribution, v func(d *Distribution) int64) string {
	if d == nil {
		return "-"
	}
	if n := v(d); n < beyond || d.Beyond == 0 || n == d.Max {
		return Nanos(n)
	}
	return "> 17.2 s"
}

// beyond is the middle of the histogram's last bucket, about 17.1 s: a
// percentile there stands for anything from it to Max.
const beyond = 1<<34 - 1<<27

func (t *rows) device() {
	commands := "commands"
	if t.real() { // a disk is not asked: some of these the kernel never had
		t.heading("disk, by the counters of engine and driver")
		commands = "commands given to the engine"
	} else {
		t.heading("device, by its own counters")
	}
	t.row(commands, func(r *Run) string {
		if !r.Device.Counted {
			return "not counted"
		}
		return Count(r.Device.Commands)
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
	t.disks()
	t.injected()
}

// injected is a row for each rule of the fault plan, which all runs have.
func (t *rows) injected() {
	if len(t.runs[0].Injected) == 0 {
		return
	}
	t.heading("faults injected")
	for i, in := range t.runs[0].Injected {
		t.number(in.Rule, true, func(r *Run) int64 {
			if i < len(r.Injected) {
				return r.Injected[i].Hits
			}
			return 0
		})
	}
}
