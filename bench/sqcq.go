package main

import (
	"fmt"
	"runtime"

	"blksim/bench/figures"
)

// sqcqRows are what NVMe's queues cost: the whole stack with the NVMe driver,
// submission and completion queues, doorbells and the controller over a null
// medium, against the same stack with the null driver; 32 I/Os at a time. The
// queues must add no allocation: a row that allocates fails.
func sqcqRows() []row {
	return []row{{"sqcq-null-b32", "of the time without queues", figures.Bar{}, func(m *meter) (*figures.Reading, error) {
		with, err := newStackLoop("sim:null", 32)
		if err != nil {
			return nil, err
		}
		defer with.st.Close()
		without, err := newStackLoop("null", 32)
		if err != nil {
			return nil, err
		}
		defer without.st.Close()
		added, err := addedAllocations(with.piece, without.piece)
		if err != nil {
			return nil, err
		}
		if added > 0 {
			return nil, fmt.Errorf("the queues add %g allocations to an I/O: want none", added)
		}
		r, err := m.compare("with queues", onCPU(with.piece), "without", onCPU(without.piece))
		if err == nil {
			r.Detail += ", no allocation added"
		}
		return r, err
	}}}
}

// addedAllocations is how many more with has for an operation than without.
func addedAllocations(with, without piece) (float64, error) {
	a, err := allocations(with)
	if err != nil {
		return 0, err
	}
	b, err := allocations(without)
	return a - b, err
}

// allocations is how often a piece of work allocates, for an operation, once it
// has warmed up. What others in the process allocate meanwhile counts as well, so
// the fewest of some runs are taken.
func allocations(work piece) (per float64, err error) {
	per = -1
	for range 20 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, err := work()
		if err != nil {
			return 0, err
		}
		runtime.ReadMemStats(&after)
		if x := float64(after.Mallocs-before.Mallocs) / float64(n); per < 0 || x < per {
			per = x
		}
	}
	return per, nil
}
