package replay

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/hist"
)

// OpTally is what became of the I/Os of one operation.
type OpTally struct {
	Submitted int64
	Completed int64          // status OK
	Bytes     int64          // of those
	Latency   hist.Histogram // due to event, ns; of completed ones only, as the next three
	Service   hist.Histogram // submitted to event: without the slip
	Queue     hist.Histogram // submitted to dispatched: in the stack's own queues
	Device    hist.Histogram // dispatched to returned: with the driver and its device
}

// Tally is what became of the I/Os of a run, or of one worker's part of it.
type Tally struct {
	Submitted int64
	Ops       [aio.NumOps]OpTally

	Completed int64                  // status OK, those too late to cancel included
	Ramped    int64                  // of those: during the ramp, and not measured
	TooLate   int64                  // of those: a cancel had been accepted
	Late      int64                  // of those: not complete by the deadline
	Skipped   int64                  // cancelled before dispatch: the device never saw them
	Aborted   int64                  // cancelled in the device
	Failed    [aio.NumStatuses]int64 // other statuses

	CancelAsked    int64          // calls of Cancel
	CancelAccepted int64          // that were accepted
	CancelLatency  hist.Histogram // cancel accepted to event, ns; of cancelled ones
	SkippedBytes   int64          // that the device was spared
	Slip           hist.Histogram // due to submit, ns
	Pace           Pace           // the same over time, where I/Os were due at times of their own
}

// add counts one event; measured says whether as more than a request.
func (t *Tally) add(f *flight, ev *aio.Event, now lane.Time, deadline time.Duration, measured bool) {
	op := &t.Ops[f.op]
	op.Submitted++
	switch {
	case ev.Status == aio.OK:
		t.Completed++
		if ev.CancelAsked {
			t.TooLate++
		}
		latency := now.Sub(f.due)
		if deadline > 0 && latency > deadline {
			t.Late++
		}
		if !measured {
			t.Ramped++
			return
		}
		op.Completed++
		op.Bytes += ev.N
		op.Latency.Add(int64(latency))
		op.Service.Add(int64(now - f.submittedAt))
		if ev.Started { // else the stack answered by itself
			op.Queue.Add(int64(ev.Dispatched.Sub(f.submittedAt)))
			op.Device.Add(int64(ev.Returned.Sub(ev.Dispatched)))
		}
	case ev.Status == aio.Cancelled:
		if ev.Started {
			t.Aborted++
		} else {
			t.Skipped++
			t.SkippedBytes += f.length
		}
		if f.askedAt != 0 {
			t.CancelLatency.Add(int64(now.Sub(f.askedAt)))
		}
	default:
		t.Failed[ev.Status]++
	}
}

// Merge adds o to t.
func (t *Tally) Merge(o *Tally) {
	t.Submitted += o.Submitted
	t.Completed += o.Completed
	t.Ramped += o.Ramped
	t.TooLate += o.TooLate
	t.Late += o.Late
	t.Skipped += o.Skipped
	t.Aborted += o.Aborted
	t.CancelAsked += o.CancelAsked
	t.CancelAccepted += o.CancelAccepted
	t.SkippedBytes += o.SkippedBytes
	t.CancelLatency.Merge(&o.CancelLatency)
	t.Slip.Merge(&o.Slip)
	t.Pace.merge(&o.Pace)
	for i, n := range o.Failed {
		t.Failed[i] += n
	}
	for i := range o.Ops {
		a, b := &t.Ops[i], &o.Ops[i]
		a.Submitted += b.Submitted
		a.Completed += b.Completed
		a.Bytes += b.Bytes
		a.Latency.Merge(&b.Latency)
		a.Service.Merge(&b.Service)
		a.Queue.Merge(&b.Queue)
		a.Device.Merge(&b.Device)
	}
}

// Cancelled is the number of I/Os that ended as cancelled.
func (t *Tally) Cancelled() int64 { return t.Skipped + t.Aborted }

// FailedTotal is the number of I/Os that ended with another status than OK and
// Cancelled.
func (t *Tally) FailedTotal() int64 {
	var n int64
	for _, f := range t.Failed {
		n += f
	}
	return n
}
