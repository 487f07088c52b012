package blk

import (
	"blksim/aio"
)

// Stats counts I/Os by stage. Once all have ended
//
//	Queued            = Reached + Skipped + Refused
//	Dispatched in all = Reached - Merged + Again + FlushesAdded
type Stats struct {
	Rejected        int64 // refused by Check, before any queue
	NeedlessFlushes int64 // answered here, as the device has no write cache
	IgnoredDiscards int64 // answered here, as the driver has none, and a discard is a hint
	GoneAtOnce      int64 // of a disk that is removed or given up, before any queue

	Queued      int64 // put on a hardware queue
	Skipped     int64 // cancelled before dispatch: the driver never saw any of them
	Refused     int64 // ended otherwise before the driver took any of them: it refused them, or is gone
	Reached     int64 // the driver took at least a piece of them
	Expired     int64 // cancelled by their deadline
	BackMerges  int64 // put at the end of a request that waited
	FrontMerges int64 // at its front

	Dispatched      [aio.NumOps]int64      // requests taken by the driver, by what it was asked for
	Completed       [aio.NumStatuses]int64 // and given back
	Ended           [aio.NumStatuses]int64 // I/Os that were queued, by how they ended
	Merged          int64                  // I/Os that went in the request of another
	Again           int64                  // pieces of I/Os beyond the first of each: splits, remainders, retries
	FlushesAdded    int64                  // flushes that no user asked for as such
	FlushesMerged   int64                  // flushes that went with another
	Splits          int64                  // requests cut off a longer one
	Partial         int64                  // completions of a part, whose rest was sent again
	Busy            int64                  // Submits that the driver put off
	Kicks           int64                  // calls of the driver's Cancel because of users' cancels
	DoubleCompletes int64                  // completions of requests that the driver did not have

	Timeouts       int64 // requests that were not back in time, at each step of the ladder
	LostInterrupts int64 // completions that were there, and that nothing had told of
	TimeoutAborts  int64 // calls of the driver's Cancel because of timeouts
	Retried        int64 // requests sent again after a timeout or a reset
	GivenUp        int64 // requests that the driver never gave back, or too late
	LateCompletes  int64 // of those: given back too late
	Resets         int64
	FailedResets   int64

	PeakInFlight int64     // most requests that were with the driver at once, the queues' peaks added up
	InFlight     [][]Point // by queue: requests with the driver over time
	Stages       *Stages   // nil without Options.Histograms
}

// TotalDispatched is the number of requests that the driver took.
func (s Stats) TotalDispatched() int64 {
	var n int64
	for _, d := range s.Dispatched {
		n += d
	}
	return n
}

// Stats adds up the counters of all queues. While I/O runs they belong to their
// lanes: call it when all I/O has completed.
func (d *Disk) Stats() Stats {
	var t Stats
	for _, s := range d.soft {
		if s != nil {
			t.Rejected += s.rejected
			t.NeedlessFlushes += s.needless
			t.IgnoredDiscards += s.ignored
			t.GoneAtOnce += s.gone
		}
	}
	if d.opts.Histograms {
		t.Stages = &Stages{}
	}
	for _, h := range d.queues {
		t.add(&h.stats)
		t.PeakInFlight += int64(h.flight.peak)
		t.InFlight = append(t.InFlight, h.flight.points(h.lane.Now()))
		if h.stages != nil {
			t.Stages.merge(h.stages)
		}
	}
	t.Resets, t.FailedResets = d.control.resets, d.control.failed
	return t
}

// Add adds what another disk counted, as for a volume of several.
func (t *Stats) Add(o *Stats) {
	for _, c := range []struct{ sum, n *int64 }{
		{&t.Rejected, &o.Rejected}, {&t.NeedlessFlushes, &o.NeedlessFlushes}, {&t.IgnoredDiscards, &o.IgnoredDiscards},
		{&t.GoneAtOnce, &o.GoneAtOnce}, {&t.Resets, &o.Resets}, {&t.FailedResets, &o.FailedResets}, {&t.PeakInFlight, &o.PeakInFlight},
	} {
		*c.sum += *c.n
	}
	t.add(o)
	t.InFlight = append(t.InFlight, o.InFlight...)
	if o.Stages != nil {
		if t.Stages == nil {
			t.Stages = &Stages{}
		}
		t.Stages.merge(o.Stages)
	}
}

// add adds up what queues count.
func (t *Stats) add(s *Stats) {
	for _, c := range []struct{ sum, n *int64 }{
		{&t.Queued, &s.Queued}, {&t.Skipped, &s.Skipped}, {&t.Refused, &s.Refused}, {&t.Reached, &s.Reached}, {&t.Expired, &s.Expired},
		{&t.BackMerges, &s.BackMerges}, {&t.FrontMerges, &s.FrontMerges},
		{&t.Merged, &s.Merged}, {&t.Again, &s.Again}, {&t.FlushesAdded, &s.FlushesAdded},
		{&t.FlushesMerged, &s.FlushesMerged}, {&t.Splits, &s.Splits}, {&t.Partial, &s.Partial},
		{&t.Busy, &s.Busy}, {&t.Kicks, &s.Kicks}, {&t.DoubleCompletes, &s.DoubleCompletes},
		{&t.Timeouts, &s.Timeouts}, {&t.LostInterrupts, &s.LostInterrupts}, {&t.TimeoutAborts, &s.TimeoutAborts},
		{&t.Retried, &s.Retried}, {&t.GivenUp, &s.GivenUp}, {&t.LateCompletes, &s.LateCompletes},
	} {
		*c.sum += *c.n
	}
	for i, n := range s.Dispatched {
		t.Dispatched[i] += n
	}
	for i, n := range s.Completed {
		t.Completed[i] += n
		t.Ended[i] += s.Ended[i]
	}
}
