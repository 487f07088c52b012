package fault

import (
	"sync"
	"time"

	"blksim/aio/lane"
	"blksim/driver"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// Options are a plan and the seed of its chances.
type Options struct {
	Plan faultplan.Plan
	Seed uint64
}

// Validate says what is wrong with o: a rule that makes no sense, or a fault that a
// driver cannot make.
func (o Options) Validate() error {
	for i := range o.Plan.Rules {
		if err := o.Plan.Rules[i].Validate(); err != nil {
			return err
		}
	}
	return o.Plan.Check("driver/fault", func(w faultplan.What) bool {
		return w != faultplan.PowerCut && w != faultplan.Late
	})
}

// Faults are a plan at work on one driver.
type Faults struct {
	mu       sync.Mutex // guards injector
	injector *faultplan.Injector

	queues []*queue
	lanes  []lane.Lane // of the queues
}

// New puts a plan to work.
func New(o Options) (*Faults, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Faults{injector: faultplan.NewInjector(o.Plan, sim.NewRand(o.Seed, "driver/fault"))}, nil
}

// Wrap wraps d, which the result then owns. Once.
func (f *Faults) Wrap(d driver.Driver) driver.Driver {
	w := &wrapped{Driver: d, f: f, block: uint64(d.Limits().BlockSize)}
	w.below, _ = d.(driver.Resetter)
	return w
}

// Heal ends all faults, and lets go of all that is kept. A device that is gone
// stays gone. It does not wait. Any lane, or none.
func (f *Faults) Heal() {
	f.mu.Lock()
	f.injector.Heal()
	f.mu.Unlock()
	driver.OnEach(f.lanes, func(i int) { f.queues[i].heal() }, func() {})
}

// Hits is how often rule i of the plan has hit. Any lane.
func (f *Faults) Hits(i int) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.injector.Hits(i)
}

// hit asks the plan about one operation.
func (f *Faults) hit(w faultplan.What, op faultplan.Op, lba, n uint64, now lane.Time) *faultplan.Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.injector.Hit(w, op, lba, n, now.Sub(0))
}

func (f *Faults) due(w faultplan.What, now lane.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.injector.Due(w, now.Sub(0))
}

// wrapped is a driver with faults.
type wrapped struct {
	driver.Driver
	f     *Faults
	below driver.Resetter // nil: it has none
	block uint64
}

var _ driver.Resetter = (*wrapped)(nil)

// OpenQueue implements [driver.Driver].
func (d *wrapped) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	inner, err := d.Driver.OpenQueue(l, qid, depth)
	if err != nil {
		return nil, err
	}
	q := &queue{d: d, f: d.f, lane: l, inner: inner, can: driver.OptionalOf(inner), slots: make([]slot, depth)}
	for tag := range q.slots {
		s := &q.slots[tag]
		s.mine = driver.NewRequest(q, tag)
		s.timer = l.NewTimer(func() { q.release(s) })
	}
	q.retryFn = q.retry
	q.retryTimer = l.NewTimer(q.retryFn)
	d.f.queues, d.f.lanes = append(d.f.queues, q), append(d.f.lanes, l)
	q.timeEvents()
	can := q.can
	if can.Canceler != nil {
		can.Canceler = q
	}
	if can.Poller != nil || d.f.injector.Has(faultplan.LostInterrupt) {
		can.Poller = q
	}
	return can.With(q), nil
}

// timeEvents has the queue hear of what happens at a time.
func (q *queue) timeEvents() {
	q.f.injector.Events(func(w faultplan.What, at time.Duration) {
		t := q.lane.NewTimer(func() {
			switch w {
			case faultplan.Fatal:
				q.fatal = !q.healed
			case faultplan.Remove:
				q.remove()
			}
		})
		// Timers are armed on their lane.
		q.lane.Post(func() { t.Arm(at - q.lane.Now().Sub(0)) })
	})
}

// Reset implements [driver.Resetter].
func (d *wrapped) Reset(done func(error)) {
	finish := func(err error) {
		driver.OnEach(d.f.lanes, func(i int) { d.f.queues[i].resets-- }, func() { done(err) })
	}
	if d.below != nil {
		driver.OnEach(d.f.lanes, func(i int) { d.f.queues[i].stop() }, func() { d.below.Reset(finish) })
		return
	}
	// What the wrapped driver has it ends by itself.
	driver.OnEach(d.f.lanes, func(i int) { d.f.queues[i].stop() }, func() {
		d.drain(0, func() { finish(nil) })
	})
}

// drain calls then when no queue from the ith on has anything below.
func (d *wrapped) drain(i int, then func()) {
	if i == len(d.f.queues) {
		then()
		return
	}
	q := d.f.queues[i]
	q.lane.Post(func() {
		next := func() { d.drain(i+1, then) }
		if q.below == 0 {
			next()
		} else {
			q.drained = append(q.drained, next)
		}
	})
}
