package sim

import (
	"errors"
	"fmt"
	"math"

	"blksim/aio/lane"
)

var (
	// ErrIdle says that a world has nothing left to run, though it was waited for.
	ErrIdle = errors.New("sim: nothing left to run")

	// ErrLimit says that a world has reached its limit.
	ErrLimit = errors.New("sim: limit reached")
)

// A Limit stops a world that would never stop by itself, because its functions
// post each other or its timers set themselves again for ever. The zero Limit
// is none.
type Limit struct {
	Events uint64    // a run stops when this many events have run in all; 0: no limit
	Time   lane.Time // a run stops before an event that is later than this; 0: no limit
}

// SetLimit sets the world's limit, which then holds for Run, RunUntil, RunWhile
// and Do: they return an error that wraps ErrLimit. A tester sets one that no
// honest run can reach. There is none by default, for no figure fits all.
func (w *World) SetLimit(l Limit) { w.limit = l }

// Run runs events until none is left. The error is nil or wraps ErrLimit.
func (w *World) Run() error { return w.runWhile(nil, math.MaxInt64) }

// RunUntil runs all events up to and including the time t, and then sets the
// clock to t, if it is not there yet. The error is nil or wraps ErrLimit.
func (w *World) RunUntil(t lane.Time) error {
	if err := w.runWhile(nil, t); err != nil {
		return err
	}
	w.now = max(w.now, t)
	return nil
}

// RunWhile runs events until cond, which is asked before each, says false or
// none is left. The error is nil or wraps ErrLimit.
func (w *World) RunWhile(cond func() bool) error {
	return w.runWhile(cond, math.MaxInt64)
}

// Do runs f on lane i, and the world until done is called; the clock advances
// as needed. The error wraps ErrIdle if nothing is left to run and done was not
// called, or ErrLimit.
func (w *World) Do(i int, f func(done func())) error {
	finished := false
	w.lanes[i].Post(func() { f(func() { finished = true }) })
	if err := w.RunWhile(func() bool { return !finished }); err != nil {
		return err
	}
	if !finished {
		return fmt.Errorf("%w at %v, after %d events, and done was not called: something waits for what nobody will do",
			ErrIdle, w.now.Sub(0), w.events)
	}
	return nil
}

func (w *World) runWhile(cond func() bool, until lane.Time) error {
	last := until
	if w.limit.Time != 0 {
		last = min(until, w.limit.Time)
	}
	most := w.limit.Events
	if most == 0 {
		most = math.MaxUint64
	}
	for cond == nil || cond() {
		if w.events >= most {
			return w.limitReached()
		}
		if w.step(last) {
			continue
		}
		if next, ok := w.timers.Peek(); ok && next <= int64(until) {
			return w.limitReached()
		}
		return nil
	}
	return nil
}

func (w *World) limitReached() error {
	return fmt.Errorf("%w at %v, after %d events, %d of them since the clock last moved: if that is no livelock, raise the limit",
		ErrLimit, w.now.Sub(0), w.events, w.events-w.moved)
}
