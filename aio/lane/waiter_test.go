package lane

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ring is a Waiter whose completions are functions. Others push, the lane polls.
type ring struct {
	arrived chan func()
	woken   chan struct{}
	waits   atomic.Int64
	limit   atomic.Int64 // of the last Wait that had one, ns
	endless atomic.Bool  // the last Wait had none
}

func newRing() *ring {
	return &ring{arrived: make(chan func(), 1000), woken: make(chan struct{}, 1)}
}

func (r *ring) push(f func()) { r.arrived <- f; r.Wake() }

func (r *ring) Poll() (some bool) {
	for {
		select {
		case f := <-r.arrived:
			f()
			some = true
		default:
			return some
		}
	}
}

func (r *ring) Wait(d time.Duration) {
	r.waits.Add(1)
	r.endless.Store(d < 0)
	var over <-chan time.Time
	if d >= 0 {
		r.limit.Store(int64(d))
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-r.woken:
	case <-over:
	}
}

func (r *ring) Wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

func attach(t *testing.T, g *Real, w Waiter) {
	require.NoError(t, g.Do(0, func(done func()) { g.Lane(0).(Attacher).Attach(w); done() }))
}

func TestLaneWaitsInWhatIsAttached(t *testing.T) {
	g := NewReal(1)
	defer g.Close()
	w := newRing()
	attach(t, g, w)
	for range 100 { // posts end its wait
		require.NoError(t, g.Do(0, func(done func()) { done() }))
	}
	for range 100 { // and so does what arrives
		arrived := make(chan struct{})
		w.push(func() { close(arrived) })
		<-arrived
	}
	require.Eventually(t, w.endless.Load, time.Minute, time.Millisecond, "no timer: no limit")
	require.NoError(t, g.Do(0, func(done func()) { g.Lane(0).NewTimer(done).Arm(20 * time.Millisecond) }))
	require.Positive(t, w.limit.Load(), "a timer: a limit")

	idle := settle(g, 0)
	attach(t, g, nil)
	waits := w.waits.Load()
	require.NoError(t, g.Do(0, func(done func()) { g.Lane(0).NewTimer(done).Arm(time.Millisecond) }))
	require.Greater(t, settle(g, 0), idle)
	require.Equal(t, waits, w.waits.Load(), "waits after it was taken off")
	w.Wake() // late
	require.NoError(t, g.Do(0, func(done func()) { done() }))
}

// The alarm of a timer that was armed before is off while a Waiter is attached, and
// set again after.
func TestAttachMeetsAnArmedTimer(t *testing.T) {
	g := NewReal(1)
	defer g.Close()
	fired := make(chan struct{})
	require.NoError(t, g.Do(0, func(done func()) {
		g.Lane(0).NewTimer(func() { close(fired) }).Arm(30 * time.Millisecond)
		done()
	}))
	settle(g, 0)
	attach(t, g, newRing())
	settle(g, 0)
	require.Zero(t, g.lanes[0].alarmAt)
	attach(t, g, nil)
	<-fired
}

// A group that is closed ends a lane that waits, and functions and completions take
// turns while both are there.
func TestLaneWithAWaiterIsFairAndEnds(t *testing.T) {
	g := NewReal(1)
	w := newRing()
	attach(t, g, w)
	stop, posted := false, 0
	finished := make(chan struct{})
	require.NoError(t, g.Do(0, func(done func()) {
		var again func()
		again = func() {
			if posted++; !stop {
				g.Lane(0).Post(again)
			}
		}
		again()
		done()
	}))
	w.push(func() { stop = true; close(finished) }) // although the inbox is never empty
	<-finished
	settle(g, 0)
	require.Positive(t, posted)
	g.Close()
}

// A lane that spins never sleeps within so long of a timer: every round before it
// found the clock too early, so there are more of them than a sleeper has.
func TestSpinLooksForTheTimerWithoutSleeping(t *testing.T) {
	for name, w := range map[string]*ring{"alone": nil, "with a waiter": newRing()} {
		t.Run(name, func(t *testing.T) {
			g := NewReal(1)
			defer g.Close()
			if w != nil {
				attach(t, g, w)
			}
			before := settle(g, 0)
			require.NoError(t, g.Do(0, func(done func()) {
				g.Lane(0).(Spinner).Spin(time.Hour)
				g.Lane(0).NewTimer(func() {
					g.Lane(0).(Spinner).Spin(-1)
					done()
				}).Arm(5 * time.Millisecond)
			}))
			require.LessOrEqual(t, settle(g, 0)-before, uint64(2), "parked while it was to spin")
			require.Zero(t, g.lanes[0].spin)
		})
	}
}

// A lane that is to be exact lets the Go scheduler have its thread while nothing is
// due, and never when something is soon.
func TestExactLaneYieldsOnlyInAGap(t *testing.T) {
	for _, c := range []struct {
		period time.Duration
		yields bool
	}{{time.Millisecond, true}, {yieldGap / 2, false}} {
		g := NewReal(1)
		attach(t, g, newRing())
		l := g.lanes[0]
		var before, after Time
		require.NoError(t, g.Do(0, func(done func()) {
			l.Spin(20 * time.Microsecond)
			left := int(4 * yieldEvery / c.period)
			var timer Timer
			timer = l.NewTimer(func() {
				if left--; left == 0 {
					after = l.yielded
					done()
					return
				}
				timer.Arm(c.period)
			})
			timer.Arm(c.period)
			before = l.yielded
		}))
		require.Equal(t, c.yields, after > before, c.period)
		g.Close()
	}
}
