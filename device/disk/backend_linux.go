package disk

import (
	"time"
)

// A backend is the kernel's side of an engine. It runs on the engine's lane.
type backend interface {
	// enter hands the first of ios to the kernel, each with a place in the engine's
	// table, and says how many it took. If d is not 0 it then waits until something
	// can be reaped, the bell was rung, or d has passed (d < 0: no limit).
	enter(ios []*IO, d time.Duration) (taken int)
	// reap ends what the kernel has completed.
	reap()
	// ready says whether reap would find something.
	ready() bool
	// deferred says whether the kernel has completions that enter would bring.
	deferred() bool
	// cancel asks the kernel to cancel an I/O that it has.
	cancel(io *IO)
	// register and unregister tell the kernel of a file.
	register(h *Handle) error
	unregister(h *Handle)
	// listens says whether the kernel is watching the bell.
	listens() bool
	// room is how many I/Os the kernel may have at once.
	room() int
	close() error
}

// shortWait is how long a wait in the kernel is short: for so long the engine does not
// tell the Go scheduler of it. If it did, the scheduler's monitor would take the
// thread's place away and give it to others every 10 ms, and look every 20 us whether
// it should: one eighth of all the time that a lane at full speed took. Who needs the
// thread meanwhile, as the collector, sends it signals until the wait has ended.
const shortWait = 10 * time.Millisecond

// short divides a wait of d (< 0: no limit) in what is short and the rest (0: none).
// With nothing in the kernel, others may have to run before anything comes; and with
// I/Os in the pool they do.
//
// While I/Os come quickly a short wait has no limit (-1), and the kernel need set no
// timer, which took a tenth of the CPU time of a load of one I/O at a time. If nothing
// comes after all, the scheduler's signal ends the wait, after 10 to 20 ms, and the
// next is one with a limit.
func (e *Engine) short(d time.Duration) (short, rest time.Duration) {
	e.pace.note(time.Now(), e.ios.Load())
	switch {
	case e.inKernel == 0 || e.inPool > 0:
		return 0, d
	case !e.stalled && e.pace.quick() && (d < 0 || d > 5*shortWait):
		return -1, d
	case d < 0:
		return shortWait, d
	}
	short = min(d, shortWait)
	return short, d - short
}

// several is how many completions a short wait is for, and limits it so that one that
// comes alone is not told too late. It is for one where the limit is short already: a
// timer of the lane is near.
func (e *Engine) several(short *time.Duration) int {
	inKernel := e.inKernel
	if *short >= 0 {
		inKernel = 1
	}
	n := e.pace.several(inKernel)
	if n > 1 {
		*short = latest
	}
	return n
}
