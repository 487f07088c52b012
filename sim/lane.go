package sim

import (
	"fmt"
	"math"
	"time"

	"blksim/aio/lane"
	"blksim/internal/wheel"
)

// simLane is a lane of a World.
type simLane struct {
	world *World
	index int
}

var _ lane.Lane = (*simLane)(nil)

func (l *simLane) Index() int     { return l.index }
func (l *simLane) Now() lane.Time { return l.world.now }

func (l *simLane) Post(f func()) {
	if f == nil {
		panic("sim: nil function posted")
	}
	l.world.instant.push(entry{f: f, lane: l.index})
}

func (l *simLane) NewTimer(f func()) lane.Timer {
	if f == nil {
		panic("sim: timer made for a nil function")
	}
	t := &timer{lane: l, f: f}
	t.node.Owner = t
	return t
}

// timer is a lane's timer. It waits in the world's timers (node), or in the
// current instant (ticket), or nowhere.
type timer struct {
	node   wheel.Node[timer]
	lane   *simLane
	f      func()
	ticket uint64 // 0: not in the current instant
}

func (t *timer) Arm(d time.Duration) {
	w := t.world()
	t.leaveInstant()
	if d <= 0 {
		w.timers.Remove(&t.node)
		t.ticket = w.instant.push(entry{f: t.f, timer: t, lane: t.lane.index})
		return
	}
	at := w.now.Add(d)
	if at < w.now {
		at = math.MaxInt64 // beyond the end of time
	}
	w.timers.Add(&t.node, int64(at))
}

func (t *timer) Stop() (pending bool) {
	w := t.world()
	return t.leaveInstant() || w.timers.Remove(&t.node)
}

// leaveInstant voids the timer's entry in the current instant, if it has one.
func (t *timer) leaveInstant() (had bool) {
	if t.ticket == 0 {
		return false
	}
	t.lane.world.instant.void(t.ticket)
	t.ticket = 0
	return true
}

// world is the timer's, if the caller is on the timer's lane.
func (t *timer) world() *World {
	w := t.lane.world
	if w.running != t.lane.index {
		panic(foreignTimer(t.lane.index, w.running))
	}
	return w
}

func foreignTimer(own, running int) string {
	if running == outside {
		return fmt.Sprintf("sim: a timer of lane %d was used outside of all lanes; use Do or Post", own)
	}
	return fmt.Sprintf("sim: a timer of lane %d was used on lane %d; Post to its own lane", own, running)
}
