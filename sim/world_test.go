package sim_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/aio/lane/lanetest"
	"blksim/sim"
)

func TestWorldKeepsTheRulesOfLanes(t *testing.T) {
	for _, rule := range lanetest.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			w := sim.NewWorld(1, 4)
			require.NoError(t, rule.Check(w))
			require.NoError(t, w.Run())
		})
	}
}

// on runs f on a lane, and nothing else.
func on(t *testing.T, w *sim.World, i int, f func()) {
	t.Helper()
	require.NoError(t, w.Do(i, func(done func()) { f(); done() }))
}

// The events of one instant run in the order in which they were posted or
// armed, whichever it was, whenever it was, and on whatever lane.
func TestEventsOfAnInstantKeepTheirSequence(t *testing.T) {
	w := sim.NewWorld(1, 2)
	var got []string
	say := func(s string) func() {
		return func() { got = append(got, fmt.Sprintf("%d:%s", w.Now(), s)) }
	}
	timer := func(i int, s string, d time.Duration) { w.Lane(i).NewTimer(say(s)).Arm(d) }
	w.Lane(0).Post(func() {
		timer(0, "a", 100)
		timer(0, "b", 50)
		w.Lane(1).Post(say("c"))
		timer(0, "d", 0)
		w.Lane(0).Post(say("e"))
		w.Lane(1).Post(func() {
			timer(1, "f", 100)
			timer(1, "g", 0)
		})
		w.Lane(0).NewTimer(func() {
			say("h")()
			timer(0, "i", 0)
			w.Lane(0).Post(say("j"))
			timer(0, "k", -5)
		}).Arm(100)
		timer(0, "l", 100)
	})
	require.NoError(t, w.Run())
	require.Equal(t, []string{
		"0:c", "0:d", "0:e", "0:g", "50:b", "100:a", "100:h", "100:l", "100:f", "100:i", "100:j", "100:k",
	}, got)
	require.EqualValues(t, 14, w.Events())
}

// churn runs a random workload of posts and timers on four lanes, and returns
// the order in which its events ran.
func churn(seed uint64) []string {
	w := sim.NewWorld(seed, 4)
	rnd := w.Rand("churn")
	var log []string
	timers := make([][]lane.Timer, 4)
	var act func(l, depth int)
	act = func(l, depth int) {
		log = append(log, fmt.Sprint(w.Now(), l, depth))
		if depth == 0 {
			return
		}
		for range rnd.IntN(4) {
			to := rnd.IntN(4)
			w.Lane(to).Post(func() { act(to, depth-1) })
		}
		for range rnd.IntN(3) {
			t := w.Lane(l).NewTimer(func() { act(l, depth-1) })
			t.Arm(rnd.Exp(20*time.Microsecond) * time.Duration(rnd.IntN(2)))
			timers[l] = append(timers[l], t)
		}
		if n := len(timers[l]); n > 0 && rnd.Bool(1, 3) {
			log = append(log, fmt.Sprint("stopped ", timers[l][rnd.IntN(n)].Stop()))
		}
	}
	for l := range 4 {
		w.Lane(l).Post(func() { act(l, 12) })
	}
	_ = w.RunWhile(func() bool { return w.Events() < 20_000 })
	return append(log, fmt.Sprint(w.Events(), w.Now()))
}

func TestSameSeedGivesTheSameOrder(t *testing.T) {
	first := churn(7)
	require.Greater(t, len(first), 10_000)
	require.NotEqual(t, first, churn(8))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2} {
		runtime.GOMAXPROCS(procs)
		for range 3 {
			require.Equal(t, first, churn(7))
		}
	}
}

func TestRunUntilIncludesItsTimeAndMovesTheClock(t *testing.T) {
	w := sim.NewWorld(1, 1)
	var fired []lane.Time
	on(t, w, 0, func() {
		for _, d := range []time.Duration{10, 20, 20, 21, 1_000_000} {
			w.Lane(0).NewTimer(func() { fired = append(fired, w.Now()) }).Arm(d)
		}
	})
	require.NoError(t, w.RunUntil(20))
	require.Equal(t, []lane.Time{10, 20, 20}, fired)
	require.EqualValues(t, 20, w.Now())
	require.NoError(t, w.RunUntil(500))
	require.EqualValues(t, 500, w.Now())
	on(t, w, 0, func() { w.Lane(0).NewTimer(func() { fired = append(fired, w.Now()) }).Arm(5) })
	w.Lane(0).Post(func() { fired = append(fired, -w.Now()) })
	require.NoError(t, w.RunUntil(100)) // in the past: nothing
	require.EqualValues(t, 500, w.Now())
	require.Len(t, fired, 4)
	require.NoError(t, w.Run())
	require.Equal(t, []lane.Time{10, 20, 20, 21, -500, 505, 1_000_000}, fired)
	require.False(t, w.Step())
}

func TestStepRunsOneEvent(t *testing.T) {
	w := sim.NewWorld(1, 1)
	ran := 0
	w.Lane(0).Post(func() {
		voided := w.Lane(0).NewTimer(func() { t.Error("ran after Stop") })
		voided.Arm(0)
		voided.Stop()
		w.Lane(0).Post(func() { ran++ })
	})
	require.True(t, w.Step())
	require.Zero(t, ran)
	require.True(t, w.Step())
	require.Equal(t, 1, ran)
	require.False(t, w.Step())
	require.EqualValues(t, 2, w.Events())
}

func TestDoSaysWhenNothingIsLeft(t *testing.T) {
	w := sim.NewWorld(1, 2)
	on(t, w, 1, func() { w.Lane(1).NewTimer(func() {}).Arm(3 * time.Millisecond) })
	err := w.Do(0, func(func()) {})
	require.ErrorIs(t, err, sim.ErrIdle)
	require.ErrorContains(t, err, "at 3ms, after 3 events")
}

func TestLimitEndsALivelock(t *testing.T) {
	w := sim.NewWorld(1, 1)
	w.SetLimit(sim.Limit{Events: 1000})
	var again func()
	again = func() { w.Lane(0).Post(again) }
	on(t, w, 0, again)
	err := w.Run()
	require.ErrorIs(t, err, sim.ErrLimit)
	require.ErrorContains(t, err, "after 1000 events, 1000 of them since the clock last moved")
	require.ErrorIs(t, w.Do(0, func(done func()) { done() }), sim.ErrLimit)
	require.ErrorIs(t, w.RunUntil(1), sim.ErrLimit)
	require.True(t, w.Step(), "the limit does not concern Step")
}

func TestLimitOfTimeEndsATimerThatNeverStops(t *testing.T) {
	w := sim.NewWorld(1, 1)
	w.SetLimit(sim.Limit{Time: 1_000_000})
	on(t, w, 0, func() {
		var timer lane.Timer
		timer = w.Lane(0).NewTimer(func() { timer.Arm(30_000) })
		timer.Arm(30_000)
	})
	require.NoError(t, w.RunUntil(500_000))
	require.NoError(t, w.RunUntil(1_010_000), "there is nothing between the limit and then")
	require.ErrorIs(t, w.RunUntil(2_000_000), sim.ErrLimit)
	require.ErrorIs(t, w.Run(), sim.ErrLimit)
}

func TestProgrammersErrorsPanic(t *testing.T) {
	w := sim.NewWorld(1, 2)
	timer := w.Lane(0).NewTimer(func() {})
	inEvent := func(l int, f func()) func() {
		return func() {
			w := sim.NewWorld(1, 2)
			timer = w.Lane(0).NewTimer(func() {})
			w.Lane(l).Post(func() { timer.Arm(1); f() })
			_ = w.Run()
		}
	}
	var inner *sim.World
	stepping := func(step func(*sim.World)) func() {
		return func() {
			inner = sim.NewWorld(1, 1)
			inner.Lane(0).Post(func() { step(inner) })
			_ = inner.Run()
		}
	}
	reentrant := "sim: the world was stepped from inside an event; post a function or arm a timer instead"
	for _, c := range []struct {
		f    func()
		want string
	}{
		{func() { sim.NewWorld(1, 0) }, "sim: a world needs at least one lane"},
		{func() { timer.Arm(1) }, "sim: a timer of lane 0 was used outside of all lanes; use Do or Post"},
		{inEvent(1, func() {}), "sim: a timer of lane 0 was used on lane 1; Post to its own lane"},
		{stepping(func(w *sim.World) { w.Step() }), reentrant},
		{stepping(func(w *sim.World) { _ = w.Run() }), reentrant},
		{stepping(func(w *sim.World) { _ = w.Do(0, func(done func()) { done() }) }), reentrant},
		{func() { w.Lane(0).Post(nil) }, "sim: nil function posted"},
		{func() { w.Lane(0).NewTimer(nil) }, "sim: timer made for a nil function"},
	} {
		require.PanicsWithValue(t, c.want, c.f)
	}
}

func TestClockEndsAtTheEndOfTime(t *testing.T) {
	w := sim.NewWorld(1, 1)
	require.NoError(t, w.RunUntil(1000))
	fired := 0
	on(t, w, 0, func() { w.Lane(0).NewTimer(func() { fired++ }).Arm(math.MaxInt64) })
	require.NoError(t, w.Run())
	require.Equal(t, lane.Time(math.MaxInt64), w.Now())
	on(t, w, 0, func() { w.Lane(0).NewTimer(func() { fired++ }).Arm(1) })
	require.NoError(t, w.Run())
	require.Equal(t, 2, fired)
}
