package vopr_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/driver/drivertest/broken"
	"blksim/sim/vopr"
)

// seen are the rules of the driver contract whose break shows in the whole stack.
// The others are about what the block layer never asks of a driver, what only a
// power cut shows, or what changes nothing in one run: drivertest is for those.
var seen = []string{
	"limits-constant", "no-panic", "complete-once", "complete-bounded", "complete-result", "cancel-unasked", "ops-claimed",
	"busy-untouched", "busy-ends", "refuse-untouched", "queues-apart", "buffer-readonly", "data-stored", "data-zeroes",
	"data-overlap", "cancel-submitted", "cancel-bounded", "cancel-stale", "cancel-full", "cancel-others", "cancel-data",
}

// find runs seeds with a broken driver until one fails.
func find(t *testing.T, b broken.Driver, seeds uint64) *vopr.Failure {
	t.Helper()
	for seed := uint64(1); seed <= seeds; seed++ {
		o := vopr.Draw(seed)
		o.Open = b.Open
		_, err := vopr.Run(o)
		var f *vopr.Failure
		if errors.As(err, &f) {
			return f
		}
		require.NoError(t, err)
	}
	return nil
}

// TestEveryCanaryDies: a stack with a driver that is broken on purpose fails.
func TestEveryCanaryDies(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of runs on one goroutine: not with -short, which is for the race detector")
	}
	canaries := 0
	for _, b := range broken.Drivers() {
		if !slices.Contains(seen, b.Rule) {
			continue
		}
		canaries++
		t.Run(strings.ReplaceAll(b.Name, " ", "-"), func(t *testing.T) {
			f := find(t, b, 500)
			require.NotNil(t, f, "500 seeds passed with a driver that breaks %s", b.Rule)
			require.ErrorContains(t, f, "again: blksim repro ")
			t.Log(f)
		})
	}
	require.GreaterOrEqual(t, canaries, len(seen))
}

func TestAWriteThatIsLostIsFound(t *testing.T) {
	for seed := uint64(1); seed < 50; seed++ {
		o := vopr.Draw(seed)
		o.Set[vopr.Silent] = 50
		if _, err := vopr.Run(o); err != nil {
			require.ErrorContains(t, err, "and it can only have")
			return
		}
	}
	t.Fatal("50 seeds passed with one write in twenty lost")
}

func TestShrinkMakesAFailureSimple(t *testing.T) {
	for _, b := range broken.Drivers() {
		if b.Rule != "cancel-submitted" {
			continue
		}
		f := find(t, b, 100)
		require.NotNil(t, f)
		tries := 0
		s := vopr.Shrink(f, 200, func(vopr.Options, bool) { tries++ })
		require.Positive(t, tries)
		require.LessOrEqual(t, tries, 200)
		for k, most := range map[vopr.Knob]int64{vopr.Flushes: 0, vopr.Discards: 0, vopr.Bad: 0, vopr.Storms: 1, vopr.Delay: 0} {
			require.LessOrEqual(t, s.Options.Set[k], most, "%v", s.Options.Describe())
		}
		require.Positive(t, s.Options.Set[vopr.Cancels]+s.Options.Set[vopr.Storms], "without cancels it does not fail")
		// What it prints leads to the same options, and they to the same failure.
		again := vopr.Draw(s.Options.Seed)
		require.NoError(t, again.Parse(s.Options.String()))
		require.Equal(t, s.Options.Set, again.Set)
		again.Open = b.Open
		_, err := vopr.Run(again)
		require.EqualError(t, err, s.Error())
	}
}
