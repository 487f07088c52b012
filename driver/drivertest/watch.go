package drivertest

import (
	"sync/atomic"

	"blksim/aio/lane"
)

// watch is a group whose lanes know whether they are running, so that a call can
// be told to come from the lane that it belongs on.
type watch struct {
	lane.Group
	lanes []*watchedLane
}

var _ lane.Group = (*watch)(nil)

func newWatch(g lane.Group) *watch {
	w := &watch{Group: g}
	for i := range g.Lanes() {
		w.lanes = append(w.lanes, &watchedLane{Lane: g.Lane(i)})
	}
	return w
}

func (w *watch) Lane(i int) lane.Lane { return w.lanes[i] }

func (w *watch) Do(i int, f func(done func())) error {
	l := w.lanes[i]
	return w.Group.Do(i, func(done func()) { l.during(func() { f(done) }) })
}

type watchedLane struct {
	lane.Lane
	// running is set by the lane's own functions; others look at it to find out
	// that they are not on the lane, and then it hardly matters what they see.
	running atomic.Bool
}

func (l *watchedLane) during(f func()) {
	l.running.Store(true)
	f()
	l.running.Store(false)
}

func (l *watchedLane) Post(f func())                { l.Lane.Post(func() { l.during(f) }) }
func (l *watchedLane) NewTimer(f func()) lane.Timer { return l.Lane.NewTimer(func() { l.during(f) }) }
