package drivertest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/driver"
	"blksim/driver/delay"
	"blksim/driver/drivertest"
	"blksim/driver/drivertest/broken"
	"blksim/driver/example"
	"blksim/driver/fault"
	"blksim/driver/null"
	"blksim/driver/ram"
	"blksim/driver/trace"
	"blksim/sim/faultplan"
)

func openExample(drivertest.Env) (driver.Driver, error) {
	return example.New(64<<10, 50*time.Microsecond), nil
}

func TestTheExamplePasses(t *testing.T) { drivertest.Run(t, openExample) }

func TestTheExampleWithoutItsCallbackPasses(t *testing.T) {
	drivertest.Run(t, func(e drivertest.Env) (driver.Driver, error) {
		d, err := openExample(e)
		return driver.WithoutCancel(d), err
	})
}

func TestRAMPasses(t *testing.T) {
	drivertest.RunWith(t, func(drivertest.Env) (driver.Driver, error) { return ram.New(make([]byte, 64<<10)), nil }, drivertest.Options{Seeds: 60})
}

func TestNullPassesButForData(t *testing.T) {
	drivertest.RunWith(t, func(drivertest.Env) (driver.Driver, error) { return null.New(null.Options{}) }, drivertest.Options{NoData: true, Seeds: 60})
}

// TestWrappersPass over a driver that has everything, so that what they forward
// is judged as well.
func TestWrappersPass(t *testing.T) {
	faults, err := faultplan.Parse("read-error chance=0.05\nwrite-error chance=0.05\nspike chance=0.1 for=200us\nstall chance=0.01 for=1ms\n")
	require.NoError(t, err)
	wrappers := map[string]func(e drivertest.Env, d driver.Driver) (driver.Driver, error){
		"delay": func(e drivertest.Env, d driver.Driver) (driver.Driver, error) {
			return delay.Wrap(d, delay.Options{Seed: e.Seed, Delay: delay.Mixture(
				delay.Part{Weight: 2, Of: delay.Exponential(50 * time.Microsecond)}, delay.Part{Weight: 1, Of: delay.Fixed(0)})})
		},
		"delay without cancel": func(e drivertest.Env, d driver.Driver) (driver.Driver, error) {
			return delay.Wrap(d, delay.Options{Seed: e.Seed, Delay: delay.Uniform(0, time.Millisecond), NoCancel: true})
		},
		"trace": func(_ drivertest.Env, d driver.Driver) (driver.Driver, error) {
			rec, err := trace.New(trace.Options{Keep: 100})
			if err != nil {
				return nil, err
			}
			return rec.Wrap(d), nil
		},
		"fault": func(e drivertest.Env, d driver.Driver) (driver.Driver, error) {
			f, err := fault.New(fault.Options{Plan: faults, Seed: e.Seed})
			if err != nil {
				return nil, err
			}
			return f.Wrap(d), nil
		},
	}
	for name, wrap := range wrappers {
		t.Run(name, func(t *testing.T) {
			drivertest.RunWith(t, func(e drivertest.Env) (driver.Driver, error) {
				return wrap(e, broken.NewGood(e.Seed, e.Seed%2 == 0))
			}, drivertest.Options{Seeds: 50})
		})
	}
}

func TestOptionsThatMakeNoSenseSaySo(t *testing.T) {
	for want, o := range map[string]drivertest.Options{
		`no rule "complete-twice": expected one of limits-valid, no-panic,`: {Rules: []string{"complete-twice"}},
		"-1 seeds":            {Seeds: -1},
		"that leaves nothing": {NoReal: true, Real: true},
	} {
		require.ErrorContains(t, drivertest.Check(openExample, o), want)
	}
}

func TestAnErrorOfOpeningIsNoRules(t *testing.T) {
	_, err := drivertest.Examine(func(drivertest.Env) (driver.Driver, error) { return nil, errOut }, drivertest.Options{})
	require.ErrorIs(t, err, errOut)
}

var errOut = errors.New("out")

// TestOneRuleAndOneSeedFindTheSameAgain: the command that a failure prints.
func TestOneRuleAndOneSeedFindTheSameAgain(t *testing.T) {
	for _, b := range broken.Drivers() {
		if b.Rule != "cancel-twice" && b.Rule != "complete-bounded" {
			continue
		}
		rep, err := drivertest.Examine(b.Open, drivertest.Options{Seeds: 50, NoReal: true})
		require.NoError(t, err)
		var first *drivertest.Failure
		require.ErrorAs(t, rep.Err(), &first)
		var again *drivertest.Failure
		require.ErrorAs(t, drivertest.Check(b.Open, drivertest.Options{Rules: []string{first.ID}, First: first.Finding.Seed, Seeds: 1}), &again)
		require.Equal(t, first.Finding, again.Finding)
		require.NotEmpty(t, first.Finding.Story)
	}
}

func TestAScriptFindsWhatItsCallsBreak(t *testing.T) {
	// Submit, commit, run, cancel what is complete.
	script := []byte{0, 1, 1, 10, 0xfc, 14, 0xfc}
	require.NoError(t, drivertest.Script(openExample, script))
	for _, b := range broken.Drivers() {
		if b.Rule == "cancel-done" {
			err := drivertest.Script(b.Open, script)
			require.ErrorContains(t, err, "a second time")
			require.ErrorContains(t, err, "script 0001010afc0efc")
		}
	}
}

func FuzzTheGoodDriver(f *testing.F) {
	f.Add([]byte{0, 1, 1, 10, 0xfc, 14, 1, 2, 3, 14, 10})
	f.Fuzz(func(t *testing.T, script []byte) {
		if err := drivertest.Script(func(e drivertest.Env) (driver.Driver, error) { return broken.NewGood(e.Seed, true), nil }, script); err != nil {
			t.Fatal(err)
		}
	})
}
