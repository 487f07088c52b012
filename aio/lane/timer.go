package lane

import (
	"math"
	"time"

	"blksim/internal/wheel"
)

// realTimer is a timer of a real lane.
type realTimer struct {
	node wheel.Node[realTimer]
	lane *realLane
	f    func()
}

func (l *realLane) NewTimer(f func()) Timer {
	if f == nil {
		panic("lane: timer made for a nil function")
	}
	t := &realTimer{lane: l, f: f}
	t.node.Owner = t
	return t
}

func (t *realTimer) Arm(d time.Duration) {
	t.lane.timers.Add(&t.node, int64(after(t.lane.Now(), d)))
}

func (t *realTimer) Stop() (pending bool) { return t.lane.timers.Remove(&t.node) }

// after is d from now, or the end of time if that is beyond it.
func after(now Time, d time.Duration) Time {
	if d <= 0 {
		return now
	}
	if at := now.Add(d); at > now {
		return at
	}
	return math.MaxInt64
}
