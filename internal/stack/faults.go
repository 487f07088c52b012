package stack

import (
	"time"

	device "blksim/device/nvme"
	"blksim/driver"
	"blksim/driver/fault"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// faultTimeout is how long a request may be with the driver in a stack with faults
// where the user says nothing: what Linux gives a request.
const faultTimeout = 30 * time.Second

// injected is where the faults of a plan are made on one disk: in the simulated
// device, or before a driver that has none.
type injected struct {
	plan   faultplan.Plan
	device *faultplan.Injector
	driver *fault.Faults
}

// Rule is a rule of the fault plan, and how often it has struck.
type Rule struct {
	Text string
	What faultplan.What
	Hits uint64
}

// injectDevice has a controller make the faults.
func (st *Stack) injectDevice(s Spec, c *device.Config) {
	if s.Faults == nil {
		return
	}
	in := faultplan.NewInjector(*s.Faults, sim.NewRand(s.Seed, "faults"))
	c.Faults, c.FaultRand = in, sim.NewRand(s.Seed, "faults/places")
	st.faults = append(st.faults, &injected{plan: *s.Faults, device: in})
}

// injectDriver makes the faults before a driver.
func (st *Stack) injectDriver(s Spec, d driver.Driver) (driver.Driver, error) {
	if s.Faults == nil {
		return d, nil
	}
	f, err := fault.New(fault.Options{Plan: *s.Faults, Seed: s.Seed})
	if err != nil {
		return nil, &SpecError{err}
	}
	st.faults = append(st.faults, &injected{plan: *s.Faults, driver: f})
	return f.Wrap(d), nil
}

// rules counts.
func (in *injected) rules() (all []Rule) {
	for i := range in.plan.Rules {
		r := Rule{Text: in.plan.Rules[i].String(), What: in.plan.Rules[i].What}
		if in.device != nil {
			r.Hits = in.device.Hits(i)
		} else {
			r.Hits = in.driver.Hits(i)
		}
		all = append(all, r)
	}
	return all
}
