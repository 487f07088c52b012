package lane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Both kinds of alarm, whichever the system's own one is.
func TestAlarmWakesOnceWhenSetAndNotWhenStopped(t *testing.T) {
	for name, open := range map[string]func(wake func()) alarm{"runtime": newRuntimeAlarm, "system": newAlarm} {
		t.Run(name, func(t *testing.T) {
			woken := newWaker()
			a := open(woken.wake)
			defer a.close()
			for range 20 {
				start := time.Now()
				a.set(300 * time.Microsecond)
				<-woken
				require.GreaterOrEqual(t, time.Since(start), 300*time.Microsecond)
			}
			a.set(time.Hour) // replaced
			a.set(time.Millisecond)
			<-woken
			a.set(2 * time.Millisecond)
			a.stop()
			time.Sleep(10 * time.Millisecond)
			require.Empty(t, woken)
			a.set(2 * time.Millisecond)
			a.close()
			time.Sleep(10 * time.Millisecond)
			require.Empty(t, woken)
		})
	}
}

type waker chan struct{}

func newWaker() waker { return make(waker, 10) }
func (w waker) wake() { w <- struct{}{} }

// A lane whose process has no descriptors left still has its timers.
func TestLaneRunsOnTheRuntimesAlarm(t *testing.T) {
	r := NewReal(1)
	defer r.Close()
	l := r.lanes[0]
	require.NoError(t, r.Do(0, func(done func()) {
		l.alarm = newRuntimeAlarm(l.ring)
		n := 0
		var timer Timer
		timer = l.NewTimer(func() {
			if n++; n == 20 {
				done()
				return
			}
			timer.Arm(time.Duration(n) * 10 * time.Microsecond)
		})
		timer.Arm(0)
	}))
}

// A deadline that stays the same is set once, however often the lane parks.
func TestAlarmIsSetOncePerDeadline(t *testing.T) {
	r := NewReal(1)
	defer r.Close()
	l := r.lanes[0]
	counter := &countingAlarm{}
	require.NoError(t, r.Do(0, func(done func()) {
		l.alarm = counter
		l.NewTimer(func() {}).Arm(time.Hour)
		done()
	}))
	for range 50 {
		settle := make(chan struct{})
		r.Lane(0).Post(func() { close(settle) })
		<-settle
		time.Sleep(100 * time.Microsecond)
	}
	sets := func() (n int) {
		require.NoError(t, r.Do(0, func(done func()) { n = counter.sets; done() }))
		return n
	}
	require.Equal(t, 1, sets())
	l.ring() // too early, as if it had been set for a clock that runs faster
	settle(r, 0)
	require.Equal(t, 2, sets(), "an alarm that rang must be set again")
}

// countingAlarm is owned by the lane, as any alarm.
type countingAlarm struct{ sets int }

func (a *countingAlarm) set(time.Duration) { a.sets++ }
func (a *countingAlarm) stop()             {}
func (a *countingAlarm) close()            {}
