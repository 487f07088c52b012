package delay

import (
	"errors"
	"fmt"

	"blksim/aio/lane"
	"blksim/driver"
	"blksim/sim"
)

// Options say how long requests are held. Delay is needed.
type Options struct {
	Delay    Distribution
	Seed     uint64 // of the draws
	NoCancel bool   // leave Cancel out
}

// Validate says what is wrong with o.
func (o Options) Validate() error {
	if o.Delay == nil {
		return errors.New("delay: no distribution: expected one, such as Fixed(100us)")
	}
	return nil
}

// Wrap wraps d, which the result then owns.
func Wrap(d driver.Driver, o Options) (driver.Driver, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	w := &wrapped{Driver: d, options: o}
	if r, ok := d.(driver.Resetter); ok {
		return &resettable{w, r}, nil
	}
	return w, nil
}

type wrapped struct {
	driver.Driver
	options Options
	queues  []*queue
	lanes   []lane.Lane // of the queues
}

var _ driver.Driver = (*wrapped)(nil)

// OpenQueue implements [driver.Driver].
func (d *wrapped) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	inner, err := d.Driver.OpenQueue(l, qid, depth)
	if err != nil {
		return nil, err
	}
	q := &queue{
		lane: l, inner: inner, can: driver.OptionalOf(inner), delay: d.options.Delay,
		rand: sim.NewRand(d.options.Seed, fmt.Sprint("driver/delay/", qid)), retryDelay: d.Limits().RetryAfter(),
		slots: make([]slot, depth), stalled: make([]*slot, 0, depth),
	}
	q.retryFn = q.retry
	q.retryTimer = l.NewTimer(q.retryFn)
	for tag := range q.slots {
		s := &q.slots[tag]
		s.mine = driver.NewRequest(q, tag)
		s.timer = l.NewTimer(func() { q.expire(s) })
	}
	d.queues, d.lanes = append(d.queues, q), append(d.lanes, l)
	can := driver.Optional{Committer: q.can.Committer, Poller: q.can.Poller}
	if !d.options.NoCancel {
		can.Canceler = (*canceler)(q)
	}
	return can.With(q), nil
}
