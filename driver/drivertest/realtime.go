package drivertest

import (
	"fmt"
	"time"

	"blksim/aio/lane"
	"blksim/sim"
)

// pass lets time go by.
func (b *bench) pass(d time.Duration) error {
	if b.world != nil {
		return b.world.RunUntil(b.world.Now().Add(d))
	}
	return b.group.Do(0, func(done func()) { b.group.lanes[0].NewTimer(done).Arm(d) })
}

// wait waits until cond holds, or something was found, for at most Options.Bound. It
// returns why it came to nothing, or "".
func (b *bench) wait(cond func() bool) (why string) {
	if b.world != nil {
		b.world.SetLimit(sim.Limit{Events: b.world.Events() + maxEvents, Time: b.world.Now().Add(b.o.Bound)})
		err := b.world.RunWhile(func() bool { return !cond() && b.found == nil })
		b.world.SetLimit(sim.Limit{Events: b.world.Events() + maxEvents})
		switch {
		case cond():
			return ""
		case err != nil:
			return err.Error()
		}
		return fmt.Sprintf("nothing is left to run at %v", b.world.Now().Sub(0))
	}
	end := b.real.Now().Add(b.o.Bound)
	for pause := 10 * time.Microsecond; b.real.Now() < end; pause = min(2*pause, time.Millisecond) {
		over := false
		b.during(func() { over = cond() })
		if over || b.failed() {
			return ""
		}
		_ = b.pass(pause)
	}
	return fmt.Sprintf("it is not so after %v", b.o.Bound)
}

// during runs f where the lanes' state can be looked at: on the one goroutine that
// they all run on.
func (b *bench) during(f func()) {
	if b.world != nil {
		f()
		return
	}
	_ = b.group.Do(0, func(done func()) { f(); done() })
}

// onOne is a group of n lanes that are all the only one of another: in real time,
// but one at a time, so that the host can look at them all.
type onOne struct {
	lane.Group
	n int
}

func (g onOne) Lanes() int                          { return g.n }
func (g onOne) Lane(int) lane.Lane                  { return g.Group.Lane(0) }
func (g onOne) Do(_ int, f func(done func())) error { return g.Group.Do(0, f) }

// waiters are what the lanes of onOne have attached to the one that they are. The
// lane waits in the first, for a short time at once where there are others.
type waiters struct{ all []lane.Waiter }

const shortly = 100 * time.Microsecond

func (w *waiters) Poll() (some bool) {
	for _, one := range w.all {
		some = one.Poll() || some
	}
	return some
}

func (w *waiters) Wait(d time.Duration) {
	if len(w.all) > 1 && (d < 0 || d > shortly) {
		d = shortly
	}
	w.all[0].Wait(d)
}

func (w *waiters) Wake() { w.all[0].Wake() }
