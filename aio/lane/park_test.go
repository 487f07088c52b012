package lane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds of the lane after it has surely parked again.
func settle(r *Real, i int) uint64 {
	l := r.lanes[i]
	for {
		before := l.rounds.Load()
		time.Sleep(2 * time.Millisecond)
		l.inbox.mu.Lock()
		parked := l.inbox.parked
		l.inbox.mu.Unlock()
		if parked && before == l.rounds.Load() {
			return before
		}
	}
}

// An idle lane does nothing at all; what it does is counted, not timed.
func TestIdleLaneStaysParked(t *testing.T) {
	r := NewReal(2)
	defer r.Close()
	require.NoError(t, r.Do(0, func(done func()) {
		r.Lane(0).NewTimer(func() {}).Arm(time.Hour)
		stopped := r.Lane(0).NewTimer(func() {})
		stopped.Arm(time.Millisecond)
		stopped.Stop()
		done()
	}))
	before := [2]uint64{settle(r, 0), settle(r, 1)}
	time.Sleep(50 * time.Millisecond)
	require.Equal(t, before, [2]uint64{r.lanes[0].rounds.Load(), r.lanes[1].rounds.Load()})
}

func TestDistantTimerCostsFewRounds(t *testing.T) {
	r := NewReal(1)
	defer r.Close()
	before := settle(r, 0)
	require.NoError(t, r.Do(0, func(done func()) {
		left := 3
		for i := range left { // three that share their slots
			timer := r.Lane(0).NewTimer(func() {
				if left--; left == 0 {
					done()
				}
			})
			timer.Arm(40*time.Millisecond + time.Duration(i)*time.Microsecond)
		}
	}))
	// The post, at most four rounds for the first timer and one for each of the others.
	require.LessOrEqual(t, settle(r, 0)-before, uint64(7))
}

// A wake token that was sent to a lane which a deadline had woken costs one
// empty round and loses nothing.
func TestLateWakeTokenIsHarmless(t *testing.T) {
	r := NewReal(1)
	defer r.Close()
	settle(r, 0)
	r.lanes[0].inbox.wakeUp()
	r.lanes[0].inbox.wakeUp() // the second does not block
	for range 100 {
		require.NoError(t, r.Do(0, func(done func()) { done() }))
	}
	settle(r, 0)
	require.Len(t, r.lanes[0].inbox.wake, 0)
}

func TestAfterSaturates(t *testing.T) {
	require.Equal(t, Time(5), after(5, -1))
	require.Equal(t, Time(5), after(5, 0))
	require.Equal(t, Time(6), after(5, 1))
	require.Equal(t, Time(1<<63-1), after(5, 1<<63-1))
}
