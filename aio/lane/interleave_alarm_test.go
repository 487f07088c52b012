//go:build interleave

package lane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/explore"
)

// Scenarios about parking with a timer armed: the alarm shares the wake token with
// those who post.

// arm arms a timer before the lane runs, and counts how often it fires.
func (r *rig) arm(lane int, d time.Duration, f func()) (t Timer, fired *int) {
	fired = new(int)
	l := r.r.lanes[lane]
	t = l.NewTimer(func() {
		r.tr.Notef("timer fires")
		if r.ended[lane] {
			r.tr.Failf("a timer fires after the lane has stopped")
		}
		*fired++
		if f != nil {
			f()
		}
	})
	t.Arm(d)
	return t, fired
}

func TestAlarmMeetsPark(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		b := r.newBell(0)
		_, fired := r.arm(0, time.Hour, r.r.stop)
		tr.Actor("alarm", func() { b.goOff(2 * time.Hour) })
		tr.Final(func() { require.Equal(tr, 1, *fired) })
	})
}

// The alarm's clock may run faster than the group's: an alarm that rang too early
// is set again.
func TestEarlyAlarmIsSetAgain(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		b := r.newBell(0)
		_, fired := r.arm(0, time.Hour, r.r.stop)
		tr.Actor("alarm", func() {
			b.goOff(0)
			b.goOff(2 * time.Hour)
		})
		tr.Final(func() { require.Equal(tr, 1, *fired) })
	})
}

// The alarm and a post wake the lane at once; neither gets lost for the other.
func TestAlarmMeetsPost(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 2)
		b := r.newBell(0)
		_, fired := r.arm(0, time.Hour, func() { r.post("timer", 0, nil) })
		tr.Actor("alarm", func() { b.goOff(2 * time.Hour) })
		tr.Actor("post", func() { r.post("a", 0, nil) })
		tr.Final(func() { require.Equal(tr, 1, *fired) })
	})
}

// A function arms a timer that comes before the one that the alarm is set for.
func TestAlarmIsSetEarlierMeetsItsRing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		b := r.newBell(0)
		_, late := r.arm(0, 5*time.Hour, r.r.stop)
		early, inTime := 0, false
		tr.Actor("post", func() {
			r.post("a", 0, func() {
				r.r.lanes[0].NewTimer(func() { early++ }).Arm(time.Hour)
				inTime = r.r.Now() < Time(4*time.Hour)
			})
		})
		tr.Actor("alarm", func() {
			b.goOff(2 * time.Hour) // too early for one, not for the other
			for b.goOff(10 * time.Hour) {
			}
		})
		tr.Final(func() {
			require.Equal(tr, 1, *late)
			require.LessOrEqual(tr, early, 1)
			if inTime {
				require.Equal(tr, 1, early)
			}
		})
	})
}

// The alarm of a timer that was stopped meanwhile rings all the same: an empty
// round, and nothing fires.
func TestAlarmOfAStoppedTimerIsHarmless(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		b := r.newBell(0)
		timer, fired := r.arm(0, time.Hour, nil)
		stopped := false
		tr.Actor("post", func() {
			r.post("a", 0, func() { stopped = timer.Stop() })
			r.post("a", 0, nil)
		})
		tr.Actor("alarm", func() { b.goOff(2 * time.Hour) })
		tr.Actor("close", r.close)
		tr.Final(func() {
			if *fired > 1 || stopped && *fired > 0 {
				tr.Failf("the timer fired %d times, and Stop said %v", *fired, stopped)
			}
		})
	})
}

func TestAlarmMeetsClose(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		b := r.newBell(0)
		_, fired := r.arm(0, time.Hour, nil)
		tr.Actor("alarm", func() { b.goOff(2 * time.Hour) })
		tr.Actor("close", r.close)
		tr.Final(func() {
			require.LessOrEqual(tr, *fired, 1)
			require.True(tr, b.closed, "the alarm of a lane that has stopped")
		})
	})
}
