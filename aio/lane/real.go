package lane

import (
	"errors"
	"sync"
	"time"
)

// ErrClosed says that a group was closed and its lanes have stopped.
var ErrClosed = errors.New("lane: group is closed")

// Real is a group of lanes in real time: each lane is a goroutine, and the
// clock is the machine's monotonic one.
//
// A panic in a lane's function is not caught: it ends the program, as it would
// in any goroutine. A function that ends its goroutine (runtime.Goexit, which
// is what testing's FailNow does) closes the whole group, so that nobody waits
// for it forever.
type Real struct {
	start time.Time
	lanes []*realLane

	// stopped is closed when the last lane has stopped.
	stopped   chan struct{}
	running   sync.WaitGroup
	closeOnce sync.Once
}

var _ Group = (*Real)(nil)

// NewReal starts n lanes, n >= 1. Close stops them.
func NewReal(n int) *Real {
	if n < 1 {
		panic("lane: a group needs at least one lane")
	}
	r := &Real{start: time.Now(), stopped: make(chan struct{})}
	r.lanes = make([]*realLane, n)
	for i := range r.lanes {
		r.lanes[i] = newRealLane(r, i)
	}
	r.running.Add(n)
	for _, l := range r.lanes {
		go l.run()
	}
	return r
}

// Lanes is the number of lanes.
func (r *Real) Lanes() int { return len(r.lanes) }

// Lane returns lane i.
func (r *Real) Lane(i int) Lane { return r.lanes[i] }

// Now is the time since NewReal. It may be called from anywhere.
func (r *Real) Now() Time { return Time(time.Since(r.start)) }

// Do runs f on lane i and returns when done has been called, on whatever lane.
// It returns ErrClosed if the lanes have stopped and done was not called.
func (r *Real) Do(i int, f func(done func())) error {
	finished := make(chan struct{})
	var once sync.Once
	done := func() { once.Do(func() { close(finished) }) }
	if !r.lanes[i].inbox.post(func() { f(done) }) {
		return ErrClosed
	}
	select {
	case <-finished:
		return nil
	case <-r.stopped:
	}
	select {
	case <-finished: // both; the lanes stopped after it
		return nil
	default:
		return ErrClosed
	}
}

// Close has the lanes run what has been posted to them so far, stops them, and
// waits for that. What is posted later, also by those last functions, is
// dropped; timers that have not fired by the end never do. Close may be called
// again, but not on a lane: it would wait for itself.
func (r *Real) Close() {
	r.closeOnce.Do(func() {
		for _, l := range r.lanes {
			l.inbox.close()
		}
		r.running.Wait()
		close(r.stopped)
	})
	<-r.stopped
}
