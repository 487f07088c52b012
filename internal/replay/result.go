package replay

import (
	"time"

	"blksim/aio"
)

// Result is what a run did.
type Result struct {
	Records  int64            // taken from the source
	Replayed int64            // of those: submitted
	Skipped  map[string]int64 // of those: by why the disk could not take them
	Expanded int64            // replayed ones that were made to fit whole blocks
	Wrapped  int64            // replayed ones that were wrapped around the end
	Held     int64            // replayed ones that were due before the limit of I/Os in flight had room
	Span     time.Duration    // from the first record's time to the last's
	Elapsed  time.Duration    // on the run's clock
	Stopped  bool             // ended early by Stop

	Tally
	Context aio.Stats
}

// result adds up the workers. All I/O has ended.
func (e *Engine) result() *Result {
	p := &e.pump
	if !p.finished {
		p.end = p.lane.Now()
	}
	r := &Result{
		Records: p.records, Replayed: p.replayed, Skipped: p.skipped, Expanded: p.expanded, Wrapped: p.wrapped, Held: p.held,
		Span: time.Duration(p.span), Elapsed: p.end.Sub(p.start), Stopped: p.stopped,
		Context: e.ctx.Stats(),
	}
	for _, w := range e.workers {
		r.merge(&w.tally)
	}
	return r
}
