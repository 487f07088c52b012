package drivertest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"blksim/aio/lane"
	"blksim/driver"
	"blksim/driver/trace"
	"blksim/sim"
)

// bench is one scenario on one seed: a driver, freshly opened, with a host that
// plays the block layer and watches. In a simulated world one goroutine has all
// of it; on real lanes each port is its lane's.
type bench struct {
	o     *Options
	open  Open
	later []string // rules whose scenario is yet to come
	seed  uint64
	rand  *sim.Rand
	world *sim.World // nil: real time
	real  *lane.Real // nil: a simulated world
	group *watch
	drv   driver.Driver
	lim   driver.Limits
	ports []*port

	closed atomic.Bool // Close was called

	mu      sync.Mutex // guards found, which any lane of a real group may set
	found   *Finding
	stopped func() // real lanes: ends the wait
}

// A Finding is one break of a rule.
type Finding struct {
	Rule  string
	Seed  uint64
	Text  string        // what was seen
	Story []trace.Event // the request that it was seen on, from submit to the end
}

// openError is an error of the driver's opening, which is no rule's.
type openError struct{ err error }

// lanes of a bench: the queues', then one that has none, then the device's.
const extraLanes = 2

// newBench opens the driver in a world of its own, or on lanes in real time: each a
// goroutine, if parallel, and else all on one.
func newBench(open Open, o *Options, seed uint64, parallel bool, later []string) *bench {
	b := &bench{o: o, open: open, seed: seed, later: later, rand: sim.NewRand(seed, "drivertest")}
	n := maxQueues + extraLanes
	switch {
	case parallel:
		b.real = lane.NewReal(n)
		b.group = newWatch(b.real)
	case o.RealTime:
		b.real = lane.NewReal(1)
		b.group = newWatch(onOne{b.real, n})
	default:
		b.world = sim.NewWorld(seed, n)
		b.world.SetLimit(sim.Limit{Events: maxEvents})
		b.group = newWatch(b.world)
	}
	d, err := open(Env{Group: b.group, Seed: seed})
	if err != nil {
		panic(openError{fmt.Errorf("drivertest: open: %w", err)})
	}
	b.use(d)
	return b
}

// use takes a driver that is open.
func (b *bench) use(d driver.Driver) {
	b.drv, b.lim, b.ports = d, d.Limits(), nil
	b.closed.Store(false)
}

// queues opens n queues, each on its own lane.
func (b *bench) queues(n, depth int) {
	for qid := range n {
		p := &port{b: b, id: qid, lane: b.group.lanes[qid], log: trace.NewLog(0), depth: depth}
		q, err := b.drv.OpenQueue(p.lane, qid, depth)
		if err != nil {
			panic(openError{fmt.Errorf("drivertest: open queue %d with depth %d: %w", qid, depth, err)})
		}
		p.queue, p.can = q, driver.OptionalOf(q)
		p.slots = make([]slot, depth)
		for tag := range p.slots {
			p.slots[tag].req = driver.NewRequest(p, tag)
			if !b.lim.SharedTags || tag%n == qid {
				p.free = append(p.free, tag)
			}
		}
		p.width = len(p.free)
		b.ports = append(b.ports, p)
	}
}

// broke notes that a rule was broken; the first counts. A rule whose scenario is
// yet to come will be found there. s may be nil.
func (b *bench) broke(rule string, p *port, s *slot, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.found != nil || slices.Contains(b.later, rule) {
		return
	}
	f := &Finding{Rule: rule, Seed: b.seed, Text: fmt.Sprintf(format, args...)}
	if s != nil {
		f.Story = trace.OneIO(p.log.Events(), p.id, s.req.Tag, s.use)
	}
	b.found = f
	if b.stopped != nil {
		b.stopped()
	}
}

func (b *bench) failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.found != nil
}

// on runs f on a port's lane, and what it leads to at once.
func (b *bench) on(p *port, f func()) {
	if b.failed() {
		return
	}
	if err := b.group.Do(p.lane.Index(), func(done func()) { f(); done() }); err != nil {
		b.broke("complete-bounded", nil, nil, "the world ran away: %v", err)
	}
}

// until runs the world until cond holds, for at most Options.Bound.
func (b *bench) until(cond func() bool) {
	if b.failed() {
		return
	}
	if why := b.wait(cond); why != "" && !b.failed() {
		b.during(func() { b.lost(why) })
	}
}

// lost says whose fault it is that a wait did not end.
func (b *bench) lost(why string) {
	for _, p := range b.ports {
		if s := p.oldest(); s != nil {
			rule := "complete-bounded"
			if s.asked {
				rule = "cancel-bounded"
			}
			b.broke(rule, p, s, "queue %d never completed %v, taken at %v: %s", p.id, s.what(), s.at.Sub(0), why)
			return
		}
	}
	if len(b.ports) == 0 {
		b.broke("complete-bounded", nil, nil, "under the block layer an I/O never ended: %s", why)
		return
	}
	b.broke("busy-ends", nil, nil, "nothing is with the driver, and it takes nothing: %s", why)
}

// idle says that no request is with the driver.
func (b *bench) idle() bool {
	for _, p := range b.ports {
		if p.with > 0 {
			return false
		}
	}
	return true
}

// settle lets time pass when all is done, so that what comes late is seen.
func (b *bench) settle() {
	d := b.o.Bound
	if b.world == nil {
		d = time.Millisecond // real time is dear
	}
	if b.failed() {
		return
	}
	if err := b.pass(d); err != nil {
		b.broke("complete-bounded", nil, nil, "the world ran away with nothing to do: %v", err)
	}
}

// close closes the driver and watches it for a while.
func (b *bench) close() {
	if b.failed() || b.closed.Load() {
		return
	}
	b.closed.Store(true)
	if err := b.drv.Close(); err != nil {
		b.broke("complete-close", nil, nil, "Close: %v", err)
	}
	b.settle()
}

// end frees what a bench has outside its world.
func (b *bench) end() {
	if b.real != nil {
		b.real.Close()
	}
}
