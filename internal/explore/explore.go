//go:build interleave

package explore

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"blksim/internal/step"
)

// Config bounds an exploration. The zero value is ready for use.
type Config struct {
	MaxSchedules int  // runs, repeats included; 0: 4 Mi
	MaxSteps     int  // of one schedule; more is a finding; 0: 5000
	MayStop      bool // Run does not fail because MaxSchedules was reached
	Reduction    Reduction

	// What may be spent on making the schedule of a finding a short one.
	ShrinkRuns int           // 0: 20,000; negative: it stays as it was found
	ShrinkTime time.Duration // 0: 5 s
}

// orDefaults returns c with what is left zero filled in.
func (c Config) orDefaults() Config {
	c.MaxSchedules = cmp.Or(c.MaxSchedules, defaultMaxSchedules)
	c.MaxSteps = cmp.Or(c.MaxSteps, defaultMaxSteps)
	c.ShrinkRuns = cmp.Or(c.ShrinkRuns, defaultShrinkRuns)
	c.ShrinkTime = cmp.Or(c.ShrinkTime, defaultShrinkTime)
	return c
}

// Reduction is which schedules are left out.
type Reduction uint8

const (
	// Races runs each class of equivalent schedules once, and little else. Not
	// every state is seen: an Invariant sees those of the schedules that are run.
	Races Reduction = iota
	// States reaches every state, at the cost of many runs that are cut short.
	States
	// None runs every schedule.
	None
)

const (
	defaultMaxSchedules = 4 << 20
	defaultMaxSteps     = 5000
)

// A Scenario makes fresh state and tells tr its actors and checks. It is called
// once for each schedule.
type Scenario func(tr *Trial)

// Result is what an exploration did.
type Result struct {
	Schedules int  // run to their end
	Repeats   int  // cut short: they would have repeated one of Schedules
	Steps     int  // of all runs
	Exhausted bool // there is no other schedule
	Finding   *Finding
	Elapsed   time.Duration
}

// String says how far it went.
func (r Result) String() string {
	end := "exhausted"
	switch {
	case r.Finding != nil:
		end = "stopped at a finding"
	case !r.Exhausted:
		end = "NOT exhausted"
	}
	return fmt.Sprintf("%d schedules (and %d cut short as repeats), %d steps, %v, %s",
		r.Schedules, r.Repeats, r.Steps, r.Elapsed.Round(time.Millisecond), end)
}

// A Finding is a schedule that broke a rule.
type Finding struct {
	Schedule string // a digit a step: the actor that takes it
	Reason   string
	Trace    string // one line a step

	Shrinking *Shrinking // what was done to Schedule; nil: nothing
}

// The marks' hook is one for the program.
var exploring sync.Mutex

// Explore runs s under every schedule, until there is none left, one breaks a
// rule, or the bound is reached. An error says that the scenario is unfit.
func Explore(c Config, s Scenario) (Result, error) {
	exploring.Lock()
	defer exploring.Unlock()
	c = c.orDefaults()
	began := time.Now()
	var r Result
	t := tree{reduce: c.Reduction, most: anySwitches}
	for {
		if r.Schedules+r.Repeats == c.MaxSchedules {
			break
		}
		tr := &Trial{known: len(t.path), failingCAS: c.Reduction == None}
		end, err := tr.run(s, &t, c.MaxSteps)
		if err != nil {
			return r, err
		}
		r.Steps += len(t.path)
		if end == endRepeat {
			r.Repeats++
		} else {
			r.Schedules++
		}
		if end == endFailed {
			r.Finding = &Finding{Schedule: t.schedule(), Reason: tr.failure}
			if r.Finding.Trace, err = traceOf(s, r.Finding, c.MaxSteps); err != nil {
				return r, err
			}
			if c.ShrinkRuns > 0 {
				shrink(c, s, r.Finding)
			}
			break
		}
		if !t.next() {
			r.Exhausted = true
			break
		}
	}
	r.Elapsed = time.Since(began)
	return r, nil
}

// A chooser says which actor takes the next step.
type chooser interface {
	// choose is called before step number depth. at is what each actor would
	// do and enabled, not empty, who can. ok is false if the run is to be cut
	// short.
	choose(depth int, at *steps, enabled actorSet) (actor int, ok bool, err error)
	// ended is called when nobody can.
	ended(at *steps)
}

type ending uint8

const (
	endAll    ending = iota // all actors ended, and all checks held
	endRepeat               // cut short by the chooser
	endFailed               // see Trial.failure
)

// run runs s once, under c's schedule.
func (tr *Trial) run(s Scenario, c chooser, maxSteps int) (ending, error) {
	defer step.SetHook(step.SetHook(tr))
	defer tr.abandon()
	if tr.guard(func() { s(tr) }); tr.failed() {
		return endFailed, nil
	}
	if err := tr.launch(); err != nil {
		return endFailed, err
	}
	for depth := 0; ; depth++ {
		if depth >= tr.known {
			tr.checkInvariants()
		}
		if tr.failed() {
			return endFailed, nil
		}
		at, enabled := tr.look()
		if enabled == 0 {
			c.ended(&at)
			break
		}
		if depth == maxSteps {
			tr.Errorf("no end after %d steps", maxSteps)
			return endFailed, nil
		}
		i, ok, err := c.choose(depth, &at, enabled)
		if err != nil {
			return endFailed, err
		}
		if !ok {
			return endRepeat, nil
		}
		tr.take(i)
	}
	if tr.startsOver() {
		return endRepeat, nil
	}
	if tr.finish(); tr.failed() {
		return endFailed, nil
	}
	return endAll, nil
}
