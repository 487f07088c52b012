//go:build interleave

package explore

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/step"
)

// The canaries: code that is wrong, and must be found to be.

// racyCounter adds without holding anything between its load and its store.
func racyCounter(tr *Trial) {
	var n atomic.Int64
	tr.Name(&n, "n")
	for _, name := range []string{"left", "right"} {
		tr.Actor(name, func() {
			step.Read(&n)
			v := n.Load()
			tr.Notef("saw %d", v)
			step.Write(&n)
			n.Store(v + 1)
		})
	}
	tr.Final(func() { require.EqualValues(tr, 2, n.Load(), "the counter") })
}

// naiveCancel looks whether the I/O is in flight and then cancels it, in two
// steps, as the patch of 2013 does: the I/O may have completed, and the slot may
// be another's, in between.
func naiveCancel(tr *Trial) {
	const free, live, cancelled = 0, 1, 2
	var state, owner atomic.Int64
	state.Store(live)
	owner.Store(1)
	tr.Name(&state, "state")
	tr.Name(&owner, "owner")
	tr.Actor("cancel", func() {
		step.Read(&owner)
		if owner.Load() != 1 {
			return
		}
		step.Write(&state)
		state.CompareAndSwap(live, cancelled)
	})
	tr.Actor("complete", func() {
		step.Write(&state)
		state.Store(free)
		step.Write(&owner) // used again
		owner.Store(2)
		step.Write(&state)
		state.Store(live)
	})
	tr.Final(func() {
		if owner.Load() == 2 && state.Load() == cancelled {
			tr.Failf("the next I/O of the slot was cancelled")
		}
	})
}

func find(t *testing.T, s Scenario) *Finding {
	t.Helper()
	var r Result
	for _, m := range []Reduction{Races, States} {
		var err error
		r, err = Explore(Config{Reduction: m}, s)
		require.NoError(t, err)
		require.NotNil(t, r.Finding, "reduction %d found nothing in %v", m, r)
		require.False(t, r.Exhausted)
	}
	return r.Finding
}

func TestCanaryRacyCounterIsCaught(t *testing.T) {
	f := find(t, racyCounter)
	require.Contains(t, f.Reason, "the counter")
	require.Len(t, f.Schedule, 4)
}

func TestCanaryCheckThenCancelIsCaught(t *testing.T) {
	f := find(t, naiveCancel)
	require.Contains(t, f.Reason, "next I/O of the slot")
	require.Equal(t, 2, strings.Count(f.Schedule, "0"))
}

func TestReplayFindsTheSame(t *testing.T) {
	for _, s := range []Scenario{racyCounter, naiveCancel} {
		f := find(t, s)
		again, trace, err := Replay(Config{}, s, f.Schedule)
		require.NoError(t, err)
		require.NotNil(t, again)
		require.Equal(t, []string{f.Schedule, f.Trace, f.Trace}, []string{again.Schedule, again.Trace, trace})
		none, _, err := Replay(Config{}, s, "0011")
		require.NoError(t, err)
		require.Nil(t, none, "nothing is wrong with that schedule")
	}
}

func TestReplayRefusesAScheduleThatCannotBe(t *testing.T) {
	for _, schedule := range []string{"000", "2", "x"} {
		_, _, err := Replay(Config{}, racyCounter, schedule)
		require.ErrorContains(t, err, "cannot take", schedule)
	}
}

func TestTraceNamesActorsWordsAndPlaces(t *testing.T) {
	lines := strings.Split(find(t, racyCounter).Trace, "\n")
	require.Len(t, lines, 6)
	require.Regexp(t, `^ +0 +0 left +read +n +explore\.racyCounter\S+ +finding_test\.go:\d+$`, lines[0])
	require.Regexp(t, `saw 0`, lines[1])
	require.Regexp(t, `^ +1 +1 right +read +n `, lines[2])
}

func TestPanicIsAFinding(t *testing.T) {
	f := find(t, func(tr *Trial) {
		var p *int
		x := new(int)
		tr.Actor("a", func() { step.Write(x); p = x })
		tr.Actor("b", func() { step.Read(x); _ = *p })
	})
	require.Contains(t, f.Reason, "b: panic: runtime error")
	require.Contains(t, f.Reason, "finding_test.go")
	require.Equal(t, "1", f.Schedule)
}

func TestInvariantSeesWhatDoesNotLast(t *testing.T) {
	s := func(tr *Trial) {
		var x, y int
		tr.Actor("x", func() { step.Write(&x); x = 1; step.Write(&x); x = 0 })
		tr.Actor("y", func() { step.Write(&y); y = 1; step.Write(&y); y = 0 })
		tr.Invariant(func() { require.False(tr, x == 1 && y == 1, "both at once") })
	}
	r, err := Explore(Config{Reduction: States}, s)
	require.NoError(t, err)
	require.NotNil(t, r.Finding)
	require.Contains(t, r.Finding.Reason, "both at once")
	require.Len(t, r.Finding.Schedule, 2)
	r, err = Explore(Config{}, s)
	require.NoError(t, err)
	require.Nil(t, r.Finding, "the steps are independent: the one schedule that is run does not go there")
}

func TestSpinningOnNobodyIsFound(t *testing.T) {
	f := find(t, func(tr *Trial) {
		var a, b int
		for i, words := range [][2]*int{{&a, &b}, {&b, &a}} { // each waits for the other
			tr.Actor([]string{"a", "b"}[i], func() {
				for {
					step.Read(words[1])
					if *words[1] != 0 {
						break
					}
					step.Yield()
				}
				step.Write(words[0])
				*words[0] = 1
			})
		}
	})
	require.Contains(t, f.Reason, "stuck: a waits")
}

func TestLostWakeUpIsFound(t *testing.T) {
	f := find(t, func(tr *Trial) {
		var asleep, work int
		ch := make(chan struct{}, 1)
		tr.Actor("sleeper", func() {
			step.Read(&work)
			if work == 0 { // wrong: looks before it says that it sleeps
				step.Write(&asleep)
				asleep = 1
				step.Recv(ch)
			}
		})
		tr.Actor("waker", func() {
			step.Write(&work)
			work = 1
			step.Read(&asleep)
			if asleep == 1 {
				step.Write(ch)
				ch <- struct{}{}
			}
		})
	})
	require.Contains(t, f.Reason, "stuck: sleeper waits to receive")
	require.Equal(t, "0110", f.Schedule)
}

func TestDeadlockIsFound(t *testing.T) {
	f := find(t, func(tr *Trial) {
		var a, b sync.Mutex
		for i, m := range [][2]*sync.Mutex{{&a, &b}, {&b, &a}} {
			tr.Actor([]string{"ab", "ba"}[i], func() {
				step.Lock(m[0])
				step.Lock(m[1])
				step.Unlock(m[1])
				step.Unlock(m[0])
			})
		}
	})
	require.Contains(t, f.Reason, "stuck: ab waits")
	require.Equal(t, "01", f.Schedule)
}

func TestMutexHoldsOthersOff(t *testing.T) {
	r, err := Explore(Config{}, func(tr *Trial) {
		var m sync.Mutex
		var n int
		for range 3 {
			tr.Actor("", func() {
				step.Lock(&m)
				step.Read(&n)
				v := n
				step.Write(&n)
				n = v + 1
				step.Unlock(&m)
			})
		}
		tr.Final(func() { require.Equal(tr, 3, n) })
	})
	require.NoError(t, err)
	require.Nil(t, r.Finding)
	require.Equal(t, 6, r.Schedules, "the orders of three")
}

// Closing is seen by who receives and by who waits for one of two, whichever it is.
func TestClosedChannelsLetOthersGoOn(t *testing.T) {
	for _, closes := range [][]int{{0}, {1}, {0, 1}, {}} {
		r, err := Explore(Config{}, func(tr *Trial) {
			chs := []chan struct{}{make(chan struct{}), make(chan struct{})}
			over, one := make(chan struct{}), 0
			for _, i := range closes {
				tr.Actor("close", func() {
					step.Write(chs[i])
					one++
					close(chs[i])
				})
			}
			tr.Actor("either", func() {
				step.Either(chs[0], chs[1])
				require.Positive(tr, one)
				step.Write(over)
				close(over)
			})
			tr.Actor("receive", func() {
				step.Recv(over)
				step.Recv(over) // closed for good
			})
		})
		require.NoError(t, err)
		if len(closes) == 0 {
			require.Contains(t, r.Finding.Reason, "stuck: either waits")
			continue
		}
		require.Nil(t, r.Finding, closes)
		require.True(t, r.Exhausted)
	}
}

func TestEndlessScheduleIsFound(t *testing.T) {
	r, err := Explore(Config{MaxSteps: 50}, func(tr *Trial) {
		x := new(int)
		tr.Actor("", func() {
			for {
				step.Write(x)
			}
		})
	})
	require.NoError(t, err)
	require.NotNil(t, r.Finding)
	require.Contains(t, r.Finding.Reason, "no end after 50 steps")
}

// TestPrintedCommandRunsTheScheduleAgain runs this test binary as the command that a
// failure prints would.
func TestPrintedCommandRunsTheScheduleAgain(t *testing.T) {
	if os.Getenv("EXPLORE_CANARY") != "" {
		Run(t, Config{}, crowdedCounter)
		return
	}
	self := func(extra ...string) string {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(append(os.Environ(), "EXPLORE_CANARY=1"), extra...)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, "it must fail")
		return string(out)
	}
	printed := func(out string) string {
		require.Contains(t, out, "to run it again:")
		_, line, _ := strings.Cut(out, ScheduleEnv+"=")
		line, _, _ = strings.Cut(line, "\n")
		schedule, rest, _ := strings.Cut(line, " ")
		require.Equal(t, "go test -tags interleave -count=1 -run '^"+t.Name()+"$' ./internal/explore", rest)
		again := self(ScheduleEnv + "=" + schedule)
		require.Contains(t, again, "schedule "+schedule+": ")
		require.Contains(t, again, "the counter")
		return schedule
	}
	out := self()
	require.Regexp(t, `shrunk from \d+ switches in \d+ steps to 2 switches in \d+ steps, \d+ runs; with fewer switches it does not happen`, out)
	short := printed(out)
	out = self(ShrinkEnv + "=0")
	require.NotContains(t, out, "shrunk")
	require.Less(t, sizeOf(short).switches, sizeOf(printed(out)).switches, "as it was found")
	require.Contains(t, self(ShrinkEnv+"=1"), "1 runs; stopped by its bound")
	require.Contains(t, self(ShrinkEnv+"=few"), "want the number of runs")
}
