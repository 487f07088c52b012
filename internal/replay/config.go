package replay

import (
	"errors"
	"fmt"
	"time"

	"blksim/aio/lane"
)

// Timing is when the records are submitted.
type Timing uint8

// The timings.
const (
	TraceTiming Timing = iota // each at its time in the trace: an open loop
	AFAP                      // without their times, as fast as the stack takes them
	Closed                    // Depth in flight: the next one when one ends
)

var timingNames = []string{"trace", "afap", "closed"}

func (t Timing) String() string { return timingNames[t] }

// ParseTiming is the inverse of String.
func ParseTiming(s string) (Timing, error) {
	for i, n := range timingNames {
		if s == n {
			return Timing(i), nil
		}
	}
	return 0, fmt.Errorf("timing %q: want trace, afap or closed", s)
}

// DefaultLimit bounds the I/Os in flight where Depth does not.
const DefaultLimit = 65536

// maxWait keeps sums of times far from the end of the clock.
const maxWait = 1_000_000 * time.Hour

// scaled is a time of the trace on the run's clock: at most 146 years.
func scaled(ns int64, scale float64) time.Duration {
	const most = 1 << 62
	if f := float64(ns) * scale; f < most {
		return time.Duration(f)
	}
	return most
}

// Config says how to run.
type Config struct {
	Timing    Timing
	TimeScale float64 // times of the trace are multiplied by it; 0: 1
	Depth     int     // I/Os in flight at the most; 0: 32 for Closed, DefaultLimit else

	// Deadline: an I/O that is not complete so long after it was due is
	// cancelled. 0: none.
	Deadline time.Duration
	// CancelTrace: an I/O is cancelled when its record says so.
	CancelTrace bool
	// CancelChance: so many in a million I/Os are cancelled, at a time drawn
	// evenly from [0, CancelWithin) after they are submitted.
	CancelChance int
	CancelWithin time.Duration

	Redirect Redirect // where the I/Os go, on a disk of another size
	ReadOnly bool     // the disk takes no writes because nobody has allowed them: for the words of errors
	SkipBad  bool     // a record that the disk cannot take is counted, instead of ending the run
	Seed     uint64   // of the random cancels

	// Runtime: no I/O is taken that is due so long after the start. 0: none is
	// too late.
	Runtime time.Duration
	// Ramp: I/Os that are due before are run, and counted as requests, but not
	// measured: not in the tallies by operation, nor in the slip.
	Ramp time.Duration
	// LateAfter: with TraceTiming, I/Os that are submitted later than so long after
	// they were due are counted as late. 0: DefaultLateAfter.
	LateAfter time.Duration

	// ThinkEvery: after so many I/Os the pump waits until they all have ended,
	// and then for Think. 0: never. Not with TraceTiming.
	ThinkEvery int
	Think      time.Duration

	// Grace, in real time: the run ends when no I/O has come back for so long,
	// although it waits for nothing else, and those are told as stuck. 0: it waits
	// forever.
	Grace time.Duration

	// StartDelay: the run starts so long after it was asked to.
	StartDelay time.Duration

	// Watch, if set, makes the watcher of each worker. The times of the I/Os that
	// it sees count from Epoch on the group's clock.
	Watch func(l lane.Lane) Watcher
	Epoch lane.Time
	// Alloc, if set, gives memory for n bytes of data that the device likes, on any
	// lane.
	Alloc func(n int) []byte
	// Payload, if set, has the data, of an engine of one lane.
	Payload Payload
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	switch {
	case c.TimeScale != 0 && !(c.TimeScale >= 1e-9 && c.TimeScale <= 1e9):
		return fmt.Errorf("time scale %g: want 1e-9 to 1e9", c.TimeScale)
	case c.Depth < 0 || c.Depth > DefaultLimit:
		return fmt.Errorf("depth %d: want 1 to %d", c.Depth, DefaultLimit)
	case c.Runtime < 0 || c.Runtime > maxWait || c.Ramp < 0 || c.Ramp > maxWait || c.StartDelay < 0 || c.StartDelay > maxWait:
		return fmt.Errorf("runtime %v, ramp %v, start delay %v: want 0 to %v", c.Runtime, c.Ramp, c.StartDelay, maxWait)
	case c.LateAfter < 0:
		return fmt.Errorf("late after %v: want 0 or more", c.LateAfter)
	case c.Grace < 0 || c.Grace > maxWait:
		return fmt.Errorf("grace %v: want 0 to %v", c.Grace, maxWait)
	case c.ThinkEvery < 0 || c.Think < 0 || c.Think > maxWait:
		return fmt.Errorf("think %v after %d: want 0 to %v, and a number", c.Think, c.ThinkEvery, maxWait)
	case c.ThinkEvery > 0 && c.Timing == TraceTiming:
		return errors.New("think time: the times of the records leave no room for it")
	case c.Redirect.Kind == RedirectScale && c.Redirect.From <= 0:
		return errors.New("redirect scale: want the size of the recorded disk")
	case c.Redirect.Shift > farthest || c.Redirect.Shift < -farthest:
		return fmt.Errorf("redirect by %d bytes: want less", c.Redirect.Shift)
	case c.Deadline < 0 || c.Deadline > maxWait:
		return fmt.Errorf("deadline %v: want 0 to %v", c.Deadline, maxWait)
	case c.CancelChance < 0 || c.CancelChance > 1e6:
		return fmt.Errorf("cancel chance %d: want 0 to 1000000 in a million", c.CancelChance)
	case c.CancelChance > 0 && (c.CancelWithin <= 0 || c.CancelWithin > maxWait):
		return fmt.Errorf("cancel within %v: want more than 0, up to %v", c.CancelWithin, maxWait)
	}
	return nil
}

// Limit is the number of I/Os in flight at the most.
func (c Config) Limit() int {
	switch {
	case c.Depth > 0:
		return c.Depth
	case c.Timing == Closed:
		return 32
	}
	return DefaultLimit
}
