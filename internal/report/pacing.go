package report

import (
	"fmt"
	"math"
	"strconv"

	"blksim/internal/replay"
)

// Pacing tells how exactly requests that were due at times of their own, those of a
// trace or of a rate, were submitted then. The distribution is the run's SlipNs.
type Pacing struct {
	Requests    int64 `json:"requests"`
	LateAfterNs int64 `json:"late_after_ns"`
	Late        int64 `json:"late"` // submitted later than that after they were due

	// DriftPPM is the slope of the line that fits slip over due times best: by how
	// many microseconds the run lags further behind for each second of it.
	DriftPPM float64 `json:"drift_ppm"`
}

// LateShare is the part of the requests that was late, 0 to 1.
func (p *Pacing) LateShare() float64 {
	if p.Requests == 0 {
		return 0
	}
	return float64(p.Late) / float64(p.Requests)
}

// pacing is nil where no request had a time of its own.
func pacing(p *replay.Pace) *Pacing {
	if p.Count == 0 {
		return nil
	}
	return &Pacing{Requests: p.Count, LateAfterNs: int64(p.After), Late: p.Late, DriftPPM: p.Drift() * 1e6}
}

// mergePacing adds up what runs have counted; the drift is the mean. nil: nothing, or
// not all by the same bound.
func mergePacing(runs []*Run) *Pacing {
	var sum *Pacing
	for _, r := range runs {
		p := r.Pacing
		switch {
		case p == nil:
			continue
		case sum == nil:
			sum = &Pacing{LateAfterNs: p.LateAfterNs}
		case sum.LateAfterNs != p.LateAfterNs:
			return nil
		}
		if all := sum.Requests + p.Requests; all > 0 {
			sum.DriftPPM = (sum.DriftPPM*float64(sum.Requests) + p.DriftPPM*float64(p.Requests)) / float64(all)
		}
		sum.Requests += p.Requests
		sum.Late += p.Late
	}
	return sum
}

// pacing is the section of a table about it.
func (t *rows) pacing() {
	some := false
	for _, r := range t.runs {
		some = some || r.Pacing != nil
	}
	if !some {
		return
	}
	t.heading("submitted after it was due")
	at := func(label string, v func(d *Distribution) int64) {
		t.row(label, func(r *Run) string {
			if r.Pacing == nil {
				return "-"
			}
			return part(r.SlipNs, v)
		})
	}
	at("p50", func(d *Distribution) int64 { return d.P50 })
	at("p90", func(d *Distribution) int64 { return d.P90 })
	at("p99", func(d *Distribution) int64 { return d.P99 })
	at("max", func(d *Distribution) int64 { return d.Max })
	for _, after := range t.lateAfter() {
		t.row("later than "+Nanos(after), func(r *Run) string {
			if r.Pacing == nil || r.Pacing.LateAfterNs != after {
				return "-"
			}
			return fmt.Sprintf("%s (%s %%)", Count(r.Pacing.Late), strconv.FormatFloat(100*r.Pacing.LateShare(), 'g', 2, 64))
		})
	}
	t.row("drift", func(r *Run) string {
		if r.Pacing == nil {
			return "-"
		}
		return drift(r.Pacing.DriftPPM)
	})
}

// lateAfter are the bounds that runs have counted by: one, but for merged files.
func (t *rows) lateAfter() (bounds []int64) {
	for _, r := range t.runs {
		if r.Pacing != nil && (len(bounds) == 0 || bounds[len(bounds)-1] != r.Pacing.LateAfterNs) {
			bounds = append(bounds, r.Pacing.LateAfterNs)
		}
	}
	return bounds
}

// drift writes millionths as percent.
func drift(ppm float64) string {
	if percent := ppm / 1e4; math.Abs(percent) >= 0.00005 {
		return fmt.Sprintf("%+.4f %%", percent)
	}
	return "0.0000 %"
}
