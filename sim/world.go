package sim

import (
	"math"

	"blksim/aio/lane"
	"blksim/internal/wheel"
)

// outside is the running lane's number when no event is running.
const outside = -1

// A World is a group of lanes in virtual time. See the package's comment for
// the order of its events and for who may call what.
type World struct {
	now   lane.Time
	lanes []simLane

	// instant is what was posted, and armed with d <= 0, at the current time.
	instant fifo
	// timers is what is armed for later and, while timersDue, for now.
	timers wheel.Queue[timer]
	// timersDue says that the clock has moved to a timer and more timers of the
	// new instant may be left. They go before what is in instant.
	timersDue bool

	// running is the lane whose event is running, or outside.
	running int

	events uint64 // run so far
	moved  uint64 // events when the clock last moved
	limit  Limit

	seed    uint64
	streams map[string]*Rand
}

var _ lane.Group = (*World)(nil)

// NewWorld makes a world with the given number of lanes, at least 1, at time 0.
func NewWorld(seed uint64, lanes int) *World {
	if lanes < 1 {
		panic("sim: a world needs at least one lane")
	}
	w := &World{seed: seed, running: outside, streams: map[string]*Rand{}}
	w.lanes = make([]simLane, lanes)
	for i := range w.lanes {
		w.lanes[i] = simLane{world: w, index: i}
	}
	return w
}

// Lanes is the number of lanes.
func (w *World) Lanes() int { return len(w.lanes) }

// Lane returns lane i.
func (w *World) Lane(i int) lane.Lane { return &w.lanes[i] }

// Now is the virtual time.
func (w *World) Now() lane.Time { return w.now }

// Seed is what the world was made with.
func (w *World) Seed() uint64 { return w.seed }

// Events is the number of events that have run.
func (w *World) Events() uint64 { return w.events }

// Step runs the next event and says whether there was one. The limit does not
// concern it.
func (w *World) Step() bool { return w.step(math.MaxInt64) }

// step runs the next event, if there is one by the time until.
func (w *World) step(until lane.Time) bool {
	if w.running != outside {
		panic("sim: the world was stepped from inside an event; post a function or arm a timer instead")
	}
	if until < w.now {
		return false
	}
	for w.instant.len() > 0 {
		if w.timersDue {
			if w.fire(w.now) {
				return true
			}
			w.timersDue = false
		}
		e := w.instant.pop()
		if e.f == nil {
			continue // a timer that was stopped or set again
		}
		if e.timer != nil {
			e.timer.ticket = 0
		}
		w.run(e.lane, e.f)
		return true
	}
	return w.fire(until)
}

// fire runs the next timer that is due by the time until, if there is one, and
// moves the clock to it.
func (w *World) fire(until lane.Time) bool {
	n := w.timers.PopDue(int64(until))
	if n == nil {
		return false
	}
	if at := lane.Time(n.At()); at > w.now {
		w.now = at
		w.moved = w.events
		w.timersDue = true
	}
	t := n.Owner
	w.run(t.lane.index, t.f)
	return true
}

// run runs one event. A panic goes through to the caller of the world, which
// is of no use after it.
func (w *World) run(lane int, f func()) {
	w.events++
	w.running = lane
	f()
	w.running = outside
}
