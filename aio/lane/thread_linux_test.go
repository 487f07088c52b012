package lane

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// policy is that of the calling thread.
func policy() uintptr {
	p, _, _ := syscall.RawSyscall(syscall.SYS_SCHED_GETSCHEDULER, 0, 0, 0)
	return p
}

// urgentHere skips a test where the process may not be urgent.
func urgentHere(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if policy() != schedOther {
		t.Skip("skipped: started with a scheduling policy of its own")
	}
	if !setUrgent(true) {
		require.EqualValues(t, schedOther, policy(), "refused, and changed")
		t.Skip("skipped: no right to real-time priority (CAP_SYS_NICE)")
	}
	require.EqualValues(t, schedFIFO|schedResetOnFork, policy())
	require.False(t, setUrgent(true), "it is already")
	require.True(t, setUrgent(false))
	require.EqualValues(t, schedOther, policy())
	require.False(t, setUrgent(false))
}

// watched is a ring that notes the policy of who waits in it.
type watched struct {
	*ring
	waiting []uintptr
}

func (w *watched) Wait(d time.Duration) {
	w.waiting = append(w.waiting, policy())
	w.ring.Wait(d)
}

// The thread of an exact lane is urgent from when it gets up for a timer until it waits
// again, and never else.
func TestLaneIsUrgentOnlyWhenItIsUpForATimer(t *testing.T) {
	urgentHere(t)
	g := NewReal(1)
	defer g.Close()
	w := &watched{ring: newRing()}
	attach(t, g, w)
	run := func(most time.Duration) (atTimer, waiting []uintptr) {
		require.NoError(t, g.Do(0, func(done func()) {
			w.waiting = nil
			g.Lane(0).(Spinner).Spin(most)
			g.lanes[0].leads = leads{most, most, most} // the ring's waits are a millisecond late
			var timer Timer
			timer = g.Lane(0).NewTimer(func() {
				if atTimer = append(atTimer, policy()); len(atTimer) == 20 {
					waiting = w.waiting
					done()
					return
				}
				timer.Arm(3 * time.Millisecond)
			})
			timer.Arm(3 * time.Millisecond)
		}))
		return atTimer, waiting
	}
	const urgent uintptr = schedFIFO | schedResetOnFork
	up := false
	for attempt := 0; !up; attempt++ { // a machine that is busy may wake the lane after the timer
		require.Less(t, attempt, 50)
		atTimer, waiting := run(2500 * time.Microsecond)
		require.NotContains(t, waiting, urgent)
		up = slices.Contains(atTimer, urgent)
	}
	atTimer, waiting := run(0)
	require.NotContains(t, atTimer, urgent)
	require.NotContains(t, waiting, urgent)
	attach(t, g, nil)
}

// One that is busy for long is ordinary, until it has waited.
func TestLaneThatIsBusyIsNotUrgent(t *testing.T) {
	urgentHere(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l := idle()
	l.urgent.rise()
	require.NotEqualValues(t, schedOther, policy())
	l.slept = l.Now()
	l.aim()
	require.NotEqualValues(t, schedOther, policy())
	l.slept -= Time(2 * busyMost)
	l.aim()
	require.EqualValues(t, schedOther, policy())
	l.urgent.rise()
	require.EqualValues(t, schedOther, policy(), "it has not waited since")
	l.woke(-1)
	l.urgent.rise()
	require.NotEqualValues(t, schedOther, policy())
	l.urgent.end()
	require.EqualValues(t, schedOther, policy())
}

// A lane that has bound itself to a processor lets its thread run everywhere again when
// it is no longer to be exact, and where it waits in nothing.
func TestLaneIsBoundOnlyWhileItIsExact(t *testing.T) {
	all := allowed()
	if len(all) < 2 {
		t.Skip("skipped: one processor")
	}
	g := NewReal(1)
	defer g.Close()
	attach(t, g, newRing())
	l := g.lanes[0]
	on := func(f func()) (cpus []int) {
		require.NoError(t, g.Do(0, func(done func()) { f(); cpus = allowed(); done() }))
		return cpus
	}
	bound := func() {
		l.Spin(time.Microsecond)
		l.place.bind(1)
	}
	require.Equal(t, all[1:2], on(bound))
	on(func() { l.Spin(time.Millisecond) }) // exact as before
	require.Equal(t, all, on(func() { l.Spin(0) }))
	require.Equal(t, all[1:2], on(bound))
	require.Equal(t, all, on(func() { l.Attach(nil) }))
}
