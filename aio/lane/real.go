package lane

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"blksim/internal/step"
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
	start time.Time // the clock; scenarios move it
	lanes []*realLane

	running atomic.Int32  // lanes that have not stopped
	stopped chan struct{} // the last of them closes it
}

var _ Group = (*Real)(nil)

// NewReal starts n lanes, n >= 1. Close stops them.
func NewReal(n int) *Real {
	r := newReal(n)
	for _, l := range r.lanes {
		go l.run()
	}
	return r
}

// newReal makes a group whose lanes do not run yet.
func newReal(n int) *Real {
	if n < 1 {
		panic("lane: a group needs at least one lane")
	}
	r := &Real{start: time.Now(), stopped: make(chan struct{})}
	r.lanes = make([]*realLane, n)
	for i := range r.lanes {
		r.lanes[i] = newRealLane(r, i)
	}
	r.running.Store(int32(n))
	return r
}

// Lanes is the number of lanes.
func (r *Real) Lanes() int { return len(r.lanes) }

// Lane returns lane i.
func (r *Real) Lane(i int) Lane { return r.lanes[i] }

// Now is the time since NewReal. It may be called from anywhere.
func (r *Real) Now() Time {
	step.Read(&r.start)
	return Time(time.Since(r.start))
}

// Do runs f on lane i and returns when done has been called, on whatever lane.
// It returns ErrClosed if the lanes have stopped and done was not called.
func (r *Real) Do(i int, f func(done func())) error {
	finished := make(chan struct{})
	var once sync.Once
	done := func() {
		step.Write(finished)
		once.Do(func() { close(finished) })
	}
	if !r.lanes[i].inbox.post(func() { f(done) }) {
		return ErrClosed
	}
	step.Either(finished, r.stopped)
	step.Read(finished)
	select {
	case <-finished: // perhaps both; then the lanes stopped after it
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
	r.stop()
	step.Recv(r.stopped)
}

// stop has the lanes stop, and does not wait for it.
func (r *Real) stop() {
	for _, l := range r.lanes {
		l.inbox.close()
	}
}

// left is called by each lane once it runs nothing more.
func (r *Real) left() {
	step.Write(&r.running)
	if r.running.Add(-1) == 0 {
		step.Write(r.stopped)
		close(r.stopped)
	}
}
