package nvme_test

import (
	"time"

	"blksim/device/nvme"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// seedFaults are the faults that a run may have, some more often than others: a
// controller that failed, or lost its power, has no other faults for a while. A
// device that was removed has none at all, and ends the run.
var seedFaults = []faultplan.What{
	faultplan.ReadError, faultplan.ReadError, faultplan.WriteError, faultplan.WriteError, faultplan.Spike, faultplan.Spike,
	faultplan.Stall, faultplan.Stall, faultplan.Hang, faultplan.Hang, faultplan.LostInterrupt, faultplan.LostInterrupt,
	faultplan.Duplicate, faultplan.Late, faultplan.Corrupt, faultplan.Torn, faultplan.Misdirected, faultplan.LostWrite,
	faultplan.Fatal, faultplan.PowerCut,
}

// randomPlan makes a plan of up to 5 rules that begin within span.
func randomPlan(rnd *sim.Rand, span time.Duration) faultplan.Plan {
	var rules []faultplan.Rule
	for range rnd.IntN(6) {
		r := faultplan.Rule{
			What: seedFaults[rnd.IntN(len(seedFaults))], Chance: 1, Until: faultplan.Forever, After: time.Duration(rnd.IntN(int(span))),
		}
		if !r.What.Event() {
			r.Chance = float64(1+rnd.IntN(10)) / 10
			r.Count = uint64(1 + rnd.IntN(12))
			r.Until = r.After + 1 + time.Duration(rnd.IntN(int(span/2)))
			if r.What != faultplan.LostInterrupt && rnd.IntN(4) == 0 {
				r.Ranged, r.First = true, uint64(rnd.IntN(seedRegions*seedBlocks))
				r.Last = r.First + uint64(rnd.IntN(64))
			}
		}
		if r.What == faultplan.Spike || r.What == faultplan.Stall {
			r.For = time.Duration(1 + rnd.IntN(int(span/3)))
		}
		rules = append(rules, r)
	}
	return faultplan.New(rules...)
}

// wrongData says whether a plan has the device lie about data.
func wrongData(in *faultplan.Injector) bool {
	return in.Has(faultplan.Corrupt) || in.Has(faultplan.Torn) || in.Has(faultplan.Misdirected) || in.Has(faultplan.LostWrite)
}

// stubborn is a medium that refuses some aborts, until the faults are healed.
type stubborn struct {
	nvme.Medium
	rnd     *sim.Rand
	faults  *faultplan.Injector
	refuses int // of 10
}

func (m *stubborn) Abort(op *nvme.Op) bool {
	if !m.faults.Healed() && m.rnd.IntN(10) < m.refuses {
		return false
	}
	return m.Medium.Abort(op)
}

// countFaults counts what the plan of a run has hit.
func (h *seedHost) countFaults() {
	for i, r := range h.faults.Plan().Rules {
		n := h.faults.Hits(i)
		switch r.What {
		case faultplan.Fatal:
			h.stats.Fatal += n
		case faultplan.PowerCut:
			h.stats.PowerCuts += n
		case faultplan.LostInterrupt:
			h.stats.LostIRQs += n
		case faultplan.Corrupt, faultplan.Torn, faultplan.Misdirected, faultplan.LostWrite:
			h.stats.WrongData += n
		}
	}
}
