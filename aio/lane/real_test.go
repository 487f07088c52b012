package lane_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/aio/lane/lanetest"
)

func TestRealKeepsTheRulesOfLanes(t *testing.T) {
	for _, rule := range lanetest.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			r := lane.NewReal(4)
			defer r.Close()
			require.NoError(t, rule.Check(r))
		})
	}
}

// Senders that are no lanes: each has its own order, and none is lost.
func TestPostIsFIFOForEachOfManyGoroutines(t *testing.T) {
	const senders, each = 16, 3000
	r := lane.NewReal(1)
	defer r.Close()
	last := make([]int, senders) // owned by the lane
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for n := 1; n <= each; n++ {
				r.Lane(0).Post(func() {
					if last[s] != n-1 {
						t.Errorf("sender %d: %d came after %d", s, n, last[s])
					}
					last[s] = n
				})
			}
		})
	}
	wg.Wait()
	require.NoError(t, r.Do(0, func(done func()) { done() }))
	for s := range senders {
		require.Equal(t, each, last[s])
	}
}

// A lane that is flooded still fires its timers, and a timer that always sets
// itself again does not keep the lane from its inbox.
func TestPostsAndTimersDoNotStarveEachOther(t *testing.T) {
	r := lane.NewReal(1)
	defer r.Close()
	l := r.Lane(0)
	flooding, fired := true, 0
	var flood func()
	flood = func() {
		if flooding {
			l.Post(flood)
		}
	}
	require.NoError(t, r.Do(0, func(done func()) {
		for range 1000 {
			l.Post(flood)
		}
		var tick lane.Timer
		tick = l.NewTimer(func() {
			if fired++; flooding {
				tick.Arm(0)
			}
		})
		tick.Arm(0)
		l.NewTimer(func() { flooding = false; done() }).Arm(5 * time.Millisecond)
	}))
	require.NoError(t, r.Do(0, func(done func()) {
		if fired == 0 {
			t.Error("the timer never fired")
		}
		done()
	}))
}

func TestCloseRunsWhatWasPosted(t *testing.T) {
	r := lane.NewReal(3)
	const each = 5000
	ran := make([]int, 3)
	for i := range 3 {
		for range each {
			r.Lane(i).Post(func() {
				ran[i]++
				r.Lane((i + 1) % 3).Post(func() {}) // may or may not be dropped
			})
		}
	}
	r.Close()
	require.Equal(t, []int{each, each, each}, ran)
}

func TestAfterCloseNothingRuns(t *testing.T) {
	r := lane.NewReal(2)
	fired := false
	require.NoError(t, r.Do(0, func(done func()) {
		r.Lane(0).NewTimer(func() { fired = true }).Arm(time.Millisecond)
		done()
	}))
	r.Close()
	r.Close() // again is harmless
	r.Lane(1).Post(func() { t.Error("a function that was posted after Close ran") })
	require.ErrorIs(t, r.Do(0, func(done func()) { done() }), lane.ErrClosed)
	time.Sleep(5 * time.Millisecond)
	require.False(t, fired)
}

func TestCloseEndsADoThatNobodyFinishes(t *testing.T) {
	r := lane.NewReal(1)
	started := make(chan struct{})
	result := make(chan error)
	go func() { result <- r.Do(0, func(func()) { close(started) }) }()
	<-started
	r.Close()
	require.ErrorIs(t, <-result, lane.ErrClosed)
}

func TestGoexitOnALaneClosesTheGroup(t *testing.T) {
	r := lane.NewReal(2)
	require.ErrorIs(t, r.Do(0, func(func()) { runtime.Goexit() }), lane.ErrClosed)
	r.Close()
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		r := lane.NewReal(8)
		r.Close()
	}
	for range 1000 { // the last one may still be on its way out
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// The panic of a lane's function ends the program; so this test needs one.
func TestPanicOnALaneIsNotSwallowed(t *testing.T) {
	if os.Getenv("LANE_TEST_PANIC") != "" {
		r := lane.NewReal(1)
		_ = r.Do(0, func(func()) { panic("the panic of a posted function") })
		time.Sleep(time.Minute) // by then the program has ended
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPanicOnALaneIsNotSwallowed$")
	cmd.Env = append(os.Environ(), "LANE_TEST_PANIC=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "the panic of a posted function")
	require.True(t, strings.Contains(string(out), "TestPanicOnALaneIsNotSwallowed.func"), "the stack of the function is missing:\n%s", out)
}

func TestNilFunctionsPanicWhereTheyAreHandedOver(t *testing.T) {
	r := lane.NewReal(1)
	defer r.Close()
	require.PanicsWithValue(t, "lane: nil function posted", func() { r.Lane(0).Post(nil) })
	require.PanicsWithValue(t, "lane: timer made for a nil function", func() { r.Lane(0).NewTimer(nil) })
	require.PanicsWithValue(t, "lane: a group needs at least one lane", func() { lane.NewReal(0) })
}

func TestPostDoesNotAllocate(t *testing.T) {
	r := lane.NewReal(2)
	defer r.Close()
	l := r.Lane(0)
	done := make(chan struct{}, 1)
	var n int
	var hop func()
	hop = func() {
		if n++; n%1000 == 0 {
			done <- struct{}{}
			return
		}
		r.Lane(n & 1).Post(hop)
	}
	require.Zero(t, testing.AllocsPerRun(50, func() {
		l.Post(hop)
		<-done
	}))
}

func TestArmDoesNotAllocate(t *testing.T) {
	r := lane.NewReal(1)
	defer r.Close()
	done := make(chan struct{}, 1)
	var n int
	var timer, far lane.Timer
	timer = r.Lane(0).NewTimer(func() {
		far.Arm(30 * time.Second)
		if n++; n%100 == 0 {
			done <- struct{}{}
			return
		}
		timer.Arm(time.Duration(n%2) * time.Microsecond)
	})
	far = r.Lane(0).NewTimer(func() {})
	start := func() { timer.Arm(0) }
	require.Zero(t, testing.AllocsPerRun(50, func() {
		r.Lane(0).Post(start)
		<-done
	}))
}
