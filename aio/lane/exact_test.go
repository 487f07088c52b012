package lane

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// idle is an exact lane without a goroutine: the test is its loop.
func idle() *realLane {
	l := newReal(1).lanes[0]
	l.Spin(time.Hour)
	l.leads.init()
	return l
}

// pushes counts what it is told.
type pushes struct {
	ring
	n, queued int
}

func (p *pushes) Push() { p.n++; p.queued = 0 }

// aimed calls aim until so many timers have fired: once, unless the test had to wait
// for a processor for so long that the lane looks at other things first.
func aimed(l *realLane, fired *int, n int) {
	for *fired < n {
		l.aim()
	}
}

func TestWhatIsDueVerySoonIsWaitedForAndPushed(t *testing.T) {
	l, w := idle(), &pushes{}
	l.pusher = w
	fired := 0
	timer := l.NewTimer(func() { fired++; w.queued++ })
	timer.Arm(time.Hour)
	l.aim()
	require.Zero(t, fired, "there is time for other things")
	timer.Arm(aimFor / 2)
	aimed(l, &fired, 1)
	require.Equal(t, 1, w.n)
	require.Zero(t, w.queued)
	l.pusher = nil
	timer.Arm(0)
	aimed(l, &fired, 2) // also without a Pusher
}

// Timers without end keep a lane from other things for a while only.
func TestTimersInARowDoNotStarveTheRest(t *testing.T) {
	l := idle()
	fired := 0
	var timer Timer
	timer = l.NewTimer(func() { fired++; timer.Arm(0) })
	timer.Arm(0)
	aimed(l, &fired, 1)
	before := fired
	l.looked -= Time(aimMost) // it has just come from there
	l.aim()
	require.Equal(t, before, fired, "it had its turn")
	aimed(l, &fired, before+1)
}

// The lead of sleeps follows what 97 in 100 of them are late by, each length by itself,
// within its limits.
func TestLeadIsWhatNearlyAllSleepsAreLateBy(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const short, long = 100 * time.Microsecond, time.Second
	var s leads
	s.init()
	fresh := s
	s.init()
	require.Equal(t, fresh, s, "what is learned stays")
	missed, n := 0, 20_000
	for i := range 2 * n {
		late := time.Duration(rnd.IntN(100_000)) // even: 97 in 100 are below 97 us
		if i >= n && late > *s.of(short) {
			missed++
		}
		s.learn(short, late, time.Hour)
	}
	require.InDelta(t, 0.03, float64(missed)/float64(n), 0.01)
	require.InDelta(t, 97_000, float64(*s.of(short)), 15_000)
	require.Equal(t, fresh[1:], s[1:], "of other lengths nothing is known")
	for range 10_000 {
		s.learn(long, time.Second, 250*time.Microsecond)
		s.learn(short, 0, time.Hour)
	}
	require.Equal(t, 250*time.Microsecond, *s.of(long), "no longer than was asked for")
	require.Equal(t, leadLeast, *s.of(short))
}

// A lane learns from sleeps that a timer ended, when it has gone round once, and from
// no others.
func TestLaneLearnsFromSleepsThatATimerEnded(t *testing.T) {
	l := idle()
	lead := func() time.Duration { return *l.leads.of(time.Millisecond) }
	first := lead()
	l.wakeAt = l.Now().Add(time.Hour)
	l.woke(time.Millisecond) // something came before
	l.woke(-1)
	for range 5 {
		l.aim()
	}
	require.Equal(t, first, lead())
	late := first + time.Millisecond
	l.wakeAt = l.Now().Add(-late)
	l.woke(time.Millisecond)
	l.aim()
	require.Equal(t, first, lead(), "the first round is not over")
	l.aim()
	require.Equal(t, first+leadUp, lead())
	l.aim()
	require.Equal(t, first+leadUp, lead(), "once")
}
