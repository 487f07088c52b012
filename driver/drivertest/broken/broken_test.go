package broken_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/driver"
	"blksim/driver/drivertest"
	"blksim/driver/drivertest/broken"
)

// TestEachBrokenDriverIsRejectedByTheRuleThatItBreaks, and by no other; with
// -short only the one rule is looked at.
func TestEachBrokenDriverIsRejectedByTheRuleThatItBreaks(t *testing.T) {
	require.GreaterOrEqual(t, len(broken.Drivers()), 25)
	o := drivertest.Options{Seeds: 30, NoReal: true}
	for _, b := range broken.Drivers() {
		t.Run(strings.ReplaceAll(b.Name, " ", "-"), func(t *testing.T) {
			o := o
			if testing.Short() {
				o.Rules = []string{b.Rule}
			}
			rep, err := drivertest.Examine(b.Open, o)
			require.NoError(t, err)
			var fails []string
			for _, r := range rep {
				if r.Verdict == drivertest.Fail {
					fails = append(fails, r.ID)
				}
			}
			err = rep.Err()
			require.Equal(t, []string{b.Rule}, fails, "%v", err)
			var f *drivertest.Failure
			require.ErrorAs(t, err, &f)
			require.ErrorContains(t, err, b.Rule)
			t.Log(f.Seeds, err)
		})
	}
}

func TestTheGoodDriverPassesEveryRule(t *testing.T) {
	o := drivertest.Options{Seeds: 100}
	if testing.Short() {
		o.Seeds = 10
	}
	for _, cache := range []bool{true, false} {
		rep, err := drivertest.Examine(func(e drivertest.Env) (driver.Driver, error) { return broken.NewGood(e.Seed, cache), nil }, o)
		require.NoError(t, err)
		require.NoError(t, rep.Err())
		for _, r := range rep {
			if (r.ID == "flush-order" || r.ID == "fua-durable") && !cache {
				require.Equal(t, drivertest.NotClaimed, r.Verdict)
				continue
			}
			require.Equal(t, drivertest.Pass, r.Verdict, r.ID)
		}
	}
}

// TestEveryRuleIsBrokenBySomething but for the one that needs -race to see more
// than the others.
func TestEveryRuleIsBrokenBySomething(t *testing.T) {
	breaks := map[string]bool{"real-lanes": true}
	for _, b := range broken.Drivers() {
		breaks[b.Rule] = true
	}
	for _, r := range drivertest.Rules() {
		require.True(t, breaks[r.ID], "no broken driver for %s", r.ID)
	}
}
