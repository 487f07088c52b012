package report

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/internal/replay"
	"blksim/traces"
)

// EndedBy says what ended the run early, if anything did; before it is filled.
func (r *Run) EndedBy(err error, stopped bool) {
	switch {
	case err != nil:
		r.Error = err.Error()
	case stopped:
		r.Error = "interrupted"
	}
	r.Partial = err != nil || stopped
}

// Fill takes over what the engine measured, and what the reader says of the
// trace.
func (r *Run) Fill(res *replay.Result, stats traces.Stats) {
	r.Schema = Schema
	r.ElapsedNs = int64(res.Elapsed)
	r.Trace.SpanNs = int64(res.Span)
	r.Partial = r.Partial || res.Stopped || r.Error != ""

	rec := &r.Accounting.Records
	rec.In, rec.Replayed, rec.Rejected = stats.In, res.Replayed, stats.Rejected
	rec.NotRun = stats.In - stats.SkippedTotal() - stats.Rejected - res.Records
	rec.Expanded, rec.Wrapped, rec.Held, rec.OutOfOrder = res.Expanded, res.Wrapped, res.Held, stats.OutOfOrder
	rec.Skipped = map[string]int64{}
	for _, k := range stats.Skipped {
		rec.Skipped[k.Reason] += k.Count
	}
	for why, n := range res.Skipped {
		rec.Skipped[why] += n
	}
	if n := rec.Expanded; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s made to fit whole blocks: bytes and bandwidth count what was transferred", plural(int(n), "request")))
	}
	if n := rec.Wrapped; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s beyond the end of the device wrapped around", plural(int(n), "request")))
	}
	if n := res.Moved; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s redirected by %s", plural(int(n), "record"), r.Setup.Redirect))
	}
	if n := rec.Held; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s due before the limit of requests in flight had room: see slip", plural(int(n), "request")))
	}
	r.Odd = append(r.Odd, stats.Notes...)
	if rec.Rejected > 0 {
		for _, e := range stats.FirstErrors {
			r.Odd = append(r.Odd, "left out: "+e.Error())
		}
	}

	r.Accounting.Requests = requests(&res.Tally)
	var all replay.OpTally
	r.Ops, all = opRuns(&res.Tally)
	if n := all.Latency.Beyond(); n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s took longer than 17.2 s: percentiles among those are too low", plural(int(n), "request")))
	}
	r.IOPS, r.Bandwidth = rates(&all, res.Elapsed)
	r.Cancel = Cancel{Asked: res.CancelAsked, Accepted: res.CancelAccepted, Late: res.Late,
		LatencyNs: Sum(&res.CancelLatency), BytesKept: res.SkippedBytes}
	r.SlipNs = Sum(&res.Slip)
	if r.Setup.Clock == "real" || r.Setup.MaxSlip != "" {
		r.Pacing = pacing(&res.Pace)
	}
	r.fillStuck(res.Stuck)
}

func opRun(t *replay.OpTally) OpRun {
	return OpRun{Submitted: t.Submitted, Completed: t.Completed, Bytes: t.Bytes,
		LatencyNs: Sum(&t.Latency), ServiceNs: Sum(&t.Service), QueueNs: Sum(&t.Queue), DeviceNs: Sum(&t.Device)}
}

// opRuns sums up each operation, and all together.
func opRuns(t *replay.Tally) (map[string]OpRun, replay.OpTally) {
	ops := map[string]OpRun{}
	var all replay.OpTally
	for op := range t.Ops {
		one := &t.Ops[op]
		if one.Submitted == 0 {
			continue
		}
		ops[aio.Op(op).String()] = opRun(one)
		all.Submitted += one.Submitted
		all.Completed += one.Completed
		all.Bytes += one.Bytes
		all.Latency.Merge(&one.Latency)
		all.Service.Merge(&one.Service)
		all.Queue.Merge(&one.Queue)
		all.Device.Merge(&one.Device)
	}
	ops["all"] = opRun(&all)
	return ops, all
}

// rates are the completed I/Os and their bytes a second.
func rates(t *replay.OpTally, elapsed time.Duration) (iops, bytes float64) {
	s := elapsed.Seconds()
	if s <= 0 {
		return 0, 0
	}
	return float64(t.Completed) / s, float64(t.Bytes) / s
}
