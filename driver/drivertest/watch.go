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
		w.lanes = append(w.lanes, &watchedLane{Lane: g.Lane(i), watch: w, index: i})
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
	watch  *watch
	index  int
	waiter lane.Waiter // attached, where lanes share a goroutine
	// running is set by the lane's own functions; others look at it to find out
	// that they are not on the lane, and then it hardly matters what they see.
	running atomic.Bool
}

func (l *watchedLane) during(f func()) {
	l.running.Store(true)
	f()
	l.running.Store(false)
}

func (l *watchedLane) Index() int { return l.index }

func (l *watchedLane) Post(f func())                { l.Lane.Post(func() { l.during(f) }) }
func (l *watchedLane) NewTimer(f func()) lane.Timer { return l.Lane.NewTimer(func() { l.during(f) }) }

// Attach is of a lane in real time: what it waits in runs its functions.
func (l *watchedLane) Attach(w lane.Waiter) {
	a, ok := l.Lane.(lane.Attacher)
	if !ok {
		panic("drivertest: a driver that needs lanes in real time is checked with Options.RealTime")
	}
	if w != nil {
		w = &watchedWaiter{w, l}
	}
	if _, shared := l.watch.Group.(onOne); shared {
		w = l.watch.share(l, w)
	}
	a.Attach(w)
}

// share makes one of what all the lanes have attached; nil: nothing.
func (w *watch) share(l *watchedLane, mine lane.Waiter) lane.Waiter {
	l.waiter = mine
	all := &waiters{}
	for _, one := range w.lanes {
		if one.waiter != nil {
			all.all = append(all.all, one.waiter)
		}
	}
	if len(all.all) == 0 {
		return nil
	}
	return all
}

// watchedWaiter runs on its lane.
type watchedWaiter struct {
	lane.Waiter
	l *watchedLane
}

func (w *watchedWaiter) Poll() (some bool) {
	w.l.during(func() { some = w.Waiter.Poll() })
	return some
}
