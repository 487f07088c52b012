package threshold

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"blksim/internal/option"
	"blksim/internal/report"
)

// Threshold is one demand.
type Threshold struct {
	text    string
	op      string
	stage   string
	metric  string
	perMill int // of metric p
	sign    string
	limit   float64
	percent bool
	change  bool // of a comparison
}

func (t Threshold) String() string { return t.text }

var form = regexp.MustCompile(`^(?:(read|write|flush|discard|write-zeroes|all)\.)?(?:(queue|device|service|slip|cancel)\.)?(p\(([0-9.]+)\)|[a-z_]+)\s*(<=|>=|<|>)\s*([-+]?[0-9][^\s]*)$`)

const want = "want METRIC<LIMIT, such as p(99.9)<2ms, read.p(50)<=100us, iops>10000, cancelled<1%"

// Parse reads a demand on a result; of a comparison with change set.
func Parse(s string, change bool) (Threshold, error) {
	m := form.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return Threshold{}, fmt.Errorf("threshold %q: %s", s, want)
	}
	t := Threshold{text: s, op: m[1], stage: m[2], metric: m[3], sign: m[5], change: change}
	if t.op == "" {
		t.op = "all"
	}
	if m[4] != "" {
		p, err := report.ParsePercentiles(m[4])
		if err != nil || len(p) != 1 {
			return t, fmt.Errorf("threshold %q: percentile %q: want more than 0, up to 100", s, m[4])
		}
		t.metric, t.perMill = "p", p[0]
	}
	limit, isPercent := strings.CutSuffix(m[6], "%")
	t.percent = isPercent
	kind := kinds[t.metric]
	var err error
	switch {
	case kind == 0:
		return t, fmt.Errorf("threshold %q: metric %q: %s", s, t.metric, want)
	case (t.stage != "" || m[1] != "") && kind != latency:
		return t, fmt.Errorf("threshold %q: %s is of the whole run", s, t.metric)
	case isPercent && (change || kind == counted):
		t.limit, err = strconv.ParseFloat(limit, 64)
	case change:
		return t, fmt.Errorf("threshold %q: of a comparison: want a change in percent, such as p(99)<+5%%", s)
	case isPercent:
		return t, fmt.Errorf("threshold %q: percent of what? want an amount", s)
	case kind == latency:
		var d time.Duration
		d, err = option.ParseDuration(limit)
		t.limit = float64(d)
	case t.metric == "bandwidth":
		var n int64
		n, err = option.ParseSize(strings.TrimSuffix(limit, "/s"))
		t.limit = float64(n)
	default:
		t.limit, err = strconv.ParseFloat(limit, 64)
	}
	if err != nil {
		return t, fmt.Errorf("threshold %q: %w", s, err)
	}
	return t, nil
}

type kind uint8

const (
	latency kind = iota + 1
	rate
	counted
)

var kinds = map[string]kind{"p": latency, "mean": latency, "min": latency, "max": latency, "iops": rate, "bandwidth": rate,
	"failed": counted, "cancelled": counted, "late": counted, "too_late": counted, "submitted": counted, "completed": counted}

// figure is the metric in a run; false if the run has nothing to measure.
func (t Threshold) figure(r *report.Run) (float64, bool) {
	q := &r.Accounting.Requests
	switch t.metric {
	case "iops":
		return r.IOPS, true
	case "bandwidth":
		return r.Bandwidth, true
	case "failed":
		return t.share(q.Failed, q), true
	case "cancelled":
		return t.share(q.Cancelled.Skipped+q.Cancelled.Aborted, q), true
	case "late":
		return t.share(r.Cancel.Late, q), true
	case "too_late":
		return t.share(q.TooLate, q), true
	case "submitted":
		return t.share(q.Submitted, q), true
	case "completed":
		return t.share(q.Completed, q), true
	}
	d := t.distribution(r)
	if d == nil {
		return 0, false
	}
	switch t.metric {
	case "min":
		return float64(d.Min), true
	case "max":
		return float64(d.Max), true
	case "mean":
		return float64(d.Mean), true
	}
	return float64(d.At(t.perMill)), true
}

// share is n, or percent of the submitted.
func (t Threshold) share(n int64, q *report.Requests) float64 {
	if !t.percent || t.change || q.Submitted == 0 {
		return float64(n)
	}
	return 100 * float64(n) / float64(q.Submitted)
}

func (t Threshold) distribution(r *report.Run) *report.Distribution {
	op := r.Ops[t.op]
	switch t.stage {
	case "queue":
		return op.QueueNs
	case "device":
		return op.DeviceNs
	case "service":
		return op.ServiceNs
	case "slip":
		return r.SlipNs
	case "cancel":
		return r.Cancel.LatencyNs
	}
	return op.LatencyNs
}

func (t Threshold) met(v float64) bool {
	switch t.sign {
	case "<":
		return v < t.limit
	case "<=":
		return v <= t.limit
	case ">":
		return v > t.limit
	}
	return v >= t.limit
}

// Check says how a run breaches the demand; nil if it does not. A run that has
// nothing to measure breaches it: a demand that was not put to the test is not met.
func (t Threshold) Check(r *report.Run) error {
	v, has := t.figure(r)
	switch {
	case !has:
		return fmt.Errorf("threshold %s: run %q completed nothing to measure", t, r.Name)
	case t.met(v):
		return nil
	}
	return fmt.Errorf("threshold %s: run %q has %s", t, r.Name, t.write(v))
}

// CheckChange says how the change from a to b breaches the demand.
func (t Threshold) CheckChange(a, b *report.Run) error {
	va, hasA := t.figure(a)
	vb, hasB := t.figure(b)
	if !hasA || !hasB {
		return fmt.Errorf("threshold %s: nothing to measure in one of the runs", t)
	}
	change := 0.0
	switch {
	case va == vb:
	case va == 0:
		return fmt.Errorf("threshold %s: from 0 to %s is no percentage", t, t.write(vb))
	default:
		change = 100 * (vb/va - 1)
	}
	if t.met(change) {
		return nil
	}
	return fmt.Errorf("threshold %s: it changed by %+.2f %%: from %s to %s", t, change, t.write(va), t.write(vb))
}

// write writes a figure with its unit.
func (t Threshold) write(v float64) string {
	switch kinds[t.metric] {
	case latency:
		return option.FormatDuration(time.Duration(v))
	case counted:
		if t.percent && !t.change {
			return fmt.Sprintf("%.3g %%", v)
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
