package nvme_test

import (
	"flag"
	"testing"
)

var (
	seedCount = flag.Int("seeds", 0, "runs of TestSeeds; 0: 3,000, with -short 400")
	seedFirst = flag.Uint64("seed", 1, "first seed of TestSeeds")
)

// TestSeeds runs a controller under a random load, with Aborts, Cancels and resets
// at random moments and a random plan of faults, one run a seed. Every command has
// exactly one end: a completion, or a reset of the controller while it was out;
// only where the plan says so is there another entry, for a command that has ended.
// Commands completed with 07h are as many as Aborts and Cancels say. When
// the faults are healed, data is what the completions said that it is, and
// everything ends within seedBound. `make seeds N=100000` runs more of them.
//
// A run follows from its seed alone, to the nanosecond: one in 16 is run twice and
// must leave the same trace. A failure prints the command that repeats it.
func TestSeeds(t *testing.T) {
	n := *seedCount
	if n == 0 {
		n = 3000
		if testing.Short() {
			n = 400
		}
	}
	var sum seedStats
	for i := range n {
		seed := *seedFirst + uint64(i)
		h := runSeed(t, seed)
		if i%16 == 0 && !t.Failed() {
			if again := runSeed(t, seed); again.hash != h.hash {
				t.Errorf("the second run of the seed has another trace: %x, %x", h.hash, again.hash)
			}
		}
		if t.Failed() {
			t.Fatalf("trace %x, faults:\n%vagain: go test ./device/nvme -run 'TestSeeds$' -seeds 1 -seed %d", h.hash, h.faults.Plan(), seed)
		}
		sum.add(&h.stats)
	}
	t.Logf("%d seeds: %+v", n, sum)
	if n >= 400 {
		sum.everythingHappened(t)
	}
}

// seedStats count what happened in runs.
type seedStats struct {
	Commands, Completions, Aborted, Cancelled, Deferred uint64
	MediaErrors, Resets, LostInReset, Fatal, LostIRQs   uint64
	PowerCuts, WrongData, Strays                        uint64
}

func (s *seedStats) add(o *seedStats) {
	s.Commands += o.Commands
	s.Completions += o.Completions
	s.Aborted += o.Aborted
	s.Cancelled += o.Cancelled
	s.Deferred += o.Deferred
	s.MediaErrors += o.MediaErrors
	s.Resets += o.Resets
	s.LostInReset += o.LostInReset
	s.Fatal += o.Fatal
	s.LostIRQs += o.LostIRQs
	s.PowerCuts += o.PowerCuts
	s.WrongData += o.WrongData
	s.Strays += o.Strays
}

// everythingHappened is the test of the test: a load that never meets a fault
// would prove nothing.
func (s *seedStats) everythingHappened(t *testing.T) {
	for name, n := range map[string]uint64{
		"aborts": s.Aborted, "cancels": s.Cancelled, "deferred cancels": s.Deferred, "media errors": s.MediaErrors,
		"resets": s.Resets, "commands lost in a reset": s.LostInReset, "fatal controllers": s.Fatal, "lost interrupts": s.LostIRQs,
		"power cuts": s.PowerCuts, "wrong data": s.WrongData, "stray completions": s.Strays,
	} {
		if n == 0 {
			t.Errorf("there were no %s", name)
		}
	}
}
