package drivertest

import (
	"blksim/driver"
)

// playReset resets the device in the middle of a load.
func playReset(b *bench) { b.resetting(0) }

// playCancelReset does so while cancels are under way.
func playCancelReset(b *bench) { b.resetting(50) }

// resetting runs a load of which a percentage is cancelled, and resets the device
// now and then, sometimes again while one reset is under way.
func (b *bench) resetting(cancels int) {
	n := 1 + b.rand.IntN(b.lanesFor())
	b.queues(n, b.depth())
	var loads []*load
	for _, p := range b.ports {
		l := b.newLoad(p, jobs, p.depth)
		l.cancels, l.within = cancels, b.within()
		loads = append(loads, l)
		l.start()
	}
	for range 3 {
		_ = b.pass(b.rand.Duration(0, loads[0].within+1))
		b.reset()
	}
	b.run(loads...)
	b.settle()
	b.close()
}

// reset resets the device, once or twice, and checks that what it had then has
// ended when it says that it is done.
func (b *bench) reset() {
	if b.failed() {
		return
	}
	type had struct {
		p   *port
		s   *slot
		use uint64
	}
	var all []had
	asked, answers := 0, 0
	ask := func() {
		asked++
		b.drv.(driver.Resetter).Reset(func(err error) {
			answers++
			if err != nil {
				b.broke("reset", nil, nil, "Reset: %v", err)
			}
			for _, h := range all {
				if h.s.with && h.s.use == h.use {
					b.broke("reset", h.p, h.s, "queue %d still has %v when Reset is done", h.p.id, h.s.what())
				}
			}
		})
	}
	on := b.ports[b.rand.IntN(len(b.ports))]
	b.on(on, func() {
		for _, p := range b.ports {
			for i := range p.slots {
				if s := &p.slots[i]; s.with {
					all = append(all, had{p, s, s.use})
				}
			}
		}
		ask()
		if b.rand.Bool(1, 4) {
			ask()
		}
	})
	b.until(func() bool { return answers >= asked })
	if answers > asked {
		b.broke("reset", nil, nil, "Reset was asked for %d times, and was done %d times", asked, answers)
	}
}
