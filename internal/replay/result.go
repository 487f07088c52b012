package replay

import (
	"time"

	"blksim/aio"
)

// Result is what a run did.
type Result struct {
	Records   int64            // taken from the source
	Replayed  int64            // of those: submitted
	Skipped   map[string]int64 // of those: by why the disk could not take them
	Expanded  int64            // replayed ones that were made to fit whole blocks
	Wrapped   int64            // records that were brought back from beyond the end
	Moved     int64            // records whose offset was scaled or shifted
	Held      int64            // replayed ones that were due before the limit of I/Os in flight had room
	Span      time.Duration    // from the first record's time to the last's
	Elapsed   time.Duration    // on the run's clock
	Start     time.Duration    // since the epoch
	Stopped   bool             // ended early by Stop
	Abandoned bool             // by Abandon, with I/Os in flight
	Stuck     []StuckIO        // those, the oldest first

	Tally
	Context aio.Stats
}

// result adds up the workers. All I/O has ended, or the run was abandoned, with
// lanes that do not answer where it is blocked. The source is its owner's again.
func (e *Engine) result(blocked bool) *Result {
	p := &e.pump
	e.Live.submitted.Load() // pairs with the pump's publish, where its lane does not answer
	if blocked && !p.finished {
		p.abandoned, p.stopped = true, true
	}
	if p.ahead != nil {
		p.ahead.stop()
	}
	if !p.finished {
		p.end = p.lane.Now()
	}
	r := &Result{
		Records: p.records, Replayed: p.replayed, Skipped: p.skipped, Expanded: p.expanded, Wrapped: p.wrapped, Moved: p.moved, Held: p.held,
		Span: time.Duration(p.span), Elapsed: max(p.end.Sub(p.start), 0),
		Start: p.start.Sub(e.cfg.Epoch), Stopped: p.stopped, Abandoned: p.abandoned,
		Context: e.ctx.Stats(),
	}
	if !p.abandoned {
		for _, w := range e.workers {
			r.Tally.Merge(&w.tally)
		}
		return r
	}
	for _, c := range gather(e.workers) {
		r.Tally.Merge(&c.tally)
		r.Stuck = append(r.Stuck, c.stuck...)
	}
	sortStuck(r.Stuck)
	return r
}

// Merge adds what another engine did, side by side with r's or after it: the
// counts and distributions add up, and Start and Elapsed cover both.
func (r *Result) Merge(o *Result) {
	end := max(r.Start+r.Elapsed, o.Start+o.Elapsed)
	r.Start = min(r.Start, o.Start)
	r.Elapsed = end - r.Start
	r.Span = max(r.Span, o.Span)
	r.Stopped = r.Stopped || o.Stopped
	r.Abandoned = r.Abandoned || o.Abandoned
	r.Stuck = append(r.Stuck, o.Stuck...)
	sortStuck(r.Stuck)
	r.Records += o.Records
	r.Replayed += o.Replayed
	r.Expanded += o.Expanded
	r.Wrapped += o.Wrapped
	r.Moved += o.Moved
	r.Held += o.Held
	for why, n := range o.Skipped {
		r.Skipped[why] += n
	}
	r.Tally.Merge(&o.Tally)
	r.Context.StaleCompletes += o.Context.StaleCompletes
}
