package replay

import (
	"time"

	"blksim/aio/lane"
)

// Pace tells how exactly I/Os that were due at a time of their own were submitted
// then. The distribution of what they were late by is Tally.Slip.
//
// Drift is the slope of the straight line that fits slip over due times best: a
// clock or a queue that runs away shows there, and a stall of a moment hardly does.
type Pace struct {
	After time.Duration // Config.LateAfter
	Count int64         // I/Os; the others were due when they were taken
	Late  int64         // of those: more than After

	// Sums of due times and slips in seconds. No product is fused with its sum, so
	// that they are the same on all processors.
	due, slip, dueDue, dueSlip float64
}

// add counts an I/O that was due so long after the start of the run.
func (p *Pace) add(due, slip time.Duration) {
	p.Count++
	if slip > p.After {
		p.Late++
	}
	x, y := due.Seconds(), slip.Seconds()
	p.due += x
	p.slip += y
	p.dueDue += float64(x * x)
	p.dueSlip += float64(x * y)
}

// merge adds o to p.
func (p *Pace) merge(o *Pace) {
	p.After = max(p.After, o.After)
	p.Count += o.Count
	p.Late += o.Late
	p.due += o.due
	p.slip += o.slip
	p.dueDue += o.dueDue
	p.dueSlip += o.dueSlip
}

// Drift is by how much the run lags further behind for each second of it, in
// seconds; 0 if the I/Os were all due at once. A run that is one percent slow
// drifts by 0.01.
func (p *Pace) Drift() float64 {
	n := float64(p.Count)
	spread := n*p.dueDue - float64(p.due*p.due)
	if p.Count < 2 || spread <= 1e-12*n*p.dueDue {
		return 0
	}
	return (n*p.dueSlip - float64(p.due*p.slip)) / spread
}

const (
	// DefaultLateAfter is when an I/O counts as late where nothing else is said.
	DefaultLateAfter = time.Millisecond

	// spinFor is for how long at the most a real lane looks for the next due time rather
	// than sleep through it. The lane learns how long it must: after a short sleep, the
	// system woke a thread 30 us late here, and one in a hundred 120; after more than 10
	// ms, 85 and 200, and it was as slow as that in all it did first.
	spinFor = 250 * time.Microsecond

	// atOnce is how many I/Os that are due go down together: the first of them waits for
	// the last to be made ready, 0.4 us each, but the last one for a system call (4 us
	// here, where it wakes a worker of the kernel) the less.
	atOnce = 8

	// tooLate is how late an I/O may be for that. What is later goes in larger batches:
	// then it counts to catch up.
	tooLate = 100 * time.Microsecond
)

// spin has the pump's lane be exact, if it can; 0 takes that back.
func (p *pump) spin(d time.Duration) {
	if s, ok := p.lane.(lane.Spinner); ok && p.e.cfg.Timing == TraceTiming {
		s.Spin(d)
	}
}
