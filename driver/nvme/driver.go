package nvme

import (
	"errors"
	"fmt"
	"sync"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver"
)

// Driver is an open controller with one of its namespaces.
type Driver struct {
	options    Options
	regs       nvme.Registers
	cap        spec.CapFields
	memory     memory
	interrupts interrupts
	admin      admin
	reset      reset
	format     format
	limits     driver.Limits
	spares     int          // command identifiers of a queue beyond its depth
	useCancel  bool         // the queues' Cancel sends Cancel commands
	stats      []queueStats // by qid of OpenQueue

	// mu guards what follows, and makes admin commands from outside one at a
	// time. It is held while waiting for a lane, and no lane takes it.
	mu     sync.Mutex
	queues []*queue // by qid of OpenQueue; nil: not open
	closed bool
}

var _ driver.Driver = (*Driver)(nil)

// Open connects to a controller and brings it, from whatever state it is in, to
// where queues can be opened: disable, admin queues, enable, Identify, Number of
// Queues. It is called from outside all lanes and waits for the controller, each
// step for at most its timeout; the error says which step failed.
func Open(o Options) (*Driver, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	d := &Driver{options: o.withDefaults()}
	d.admin.init(o.Group.Lane(o.AdminLane))
	d.admin.rings.observe(o.Observer, d.admin.lane)
	d.reset.driver = d
	d.memory.page = aligned(pageSize)
	d.memory.queues = make([]*queueMemory, d.options.Queues+1)
	d.memory.queues[0] = &queueMemory{sq: d.admin.rings.sq, cq: d.admin.rings.cq}
	d.interrupts.vectors = make([]*vector, d.options.Queues+1)
	d.interrupts.vectors[0] = &d.admin.vector
	regs, err := o.Connect(&d.memory, &d.interrupts)
	if err != nil {
		return nil, fmt.Errorf("nvme: connect: %w", err)
	}
	d.regs = regs
	if err := d.start(); err != nil {
		// The controller must not go on using our memory. What start found is
		// the error to tell, also if this fails.
		_ = d.disable()
		return nil, err
	}
	return d, nil
}

// Limits implements [driver.Driver].
func (d *Driver) Limits() driver.Limits { return d.limits }

// OpenQueue implements [driver.Driver]: it creates completion and submission
// queue qid + 1 with interrupt vector qid + 1. l is a lane of Options.Group.
func (d *Driver) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, fmt.Errorf("nvme: open queue %d: %w", qid, ErrClosed)
	case qid < 0 || qid >= d.limits.Queues:
		return nil, fmt.Errorf("nvme: open queue %d: expected 0 to %d", qid, d.limits.Queues-1)
	case depth < 1 || depth > d.limits.QueueDepth:
		return nil, fmt.Errorf("nvme: open queue %d: depth %d: expected 1 to %d", qid, depth, d.limits.QueueDepth)
	case d.memory.queues[qid+1] != nil:
		return nil, fmt.Errorf("nvme: open queue %d: it is in use", qid)
	}
	c := d.newQueue(l, qid, depth)
	q := &c.queue
	d.memory.queues[qid+1] = q.mem
	d.interrupts.vectors[qid+1] = &q.vector
	if err := d.createQueue(q); err != nil {
		if errors.Is(err, ErrStatus) {
			// Refused, so the controller does not know these addresses. One
			// that did not answer may yet use them: they stay.
			d.memory.queues[qid+1], d.interrupts.vectors[qid+1] = nil, nil
		}
		return nil, err
	}
	d.queues[qid] = q
	err := d.onLane(d.admin.lane, func(done func()) {
		d.reset.queues = append(d.reset.queues, q)
		done()
	})
	if err != nil {
		return nil, fmt.Errorf("nvme: open queue %d: %w", qid, err)
	}
	if d.options.Callback {
		return c, nil
	}
	return q, nil
}

// newQueue makes the host's side of a queue.
func (d *Driver) newQueue(l lane.Lane, qid, depth int) *cancelQueue {
	slots := depth + d.spares
	entries := depth + 1
	if d.useCancel {
		entries += maxCancels
	}
	c := &cancelQueue{queue{
		rings:  newRings(uint16(qid+1), entries),
		driver: d,
		lane:   l,
		format: d.format,
		slots:  newSlotTable(slots),
		stats:  &d.stats[qid],

		tags:    make([]tag, depth),
		cancels: canceller{who: depth}, // no tag
	}}
	q := &c.queue
	q.rings.connect(d.regs, d.cap.DSTRD)
	q.rings.observe(d.options.Observer, l)
	q.vector.lane, q.vector.handle = l, q.handle
	q.mem = &queueMemory{
		sq: q.rings.sq, cq: q.rings.cq,
		ranges: aligned(slots * spec.DSMRangeSize),
		slots:  make([]slotMemory, slots),
		lists:  make([][]byte, slots),
	}
	q.dataAddress = busAddress(regionData, qid+1, 0, 0)
	if d.options.Callback {
		q.aborts = make([]abort, slots)
		for i := range q.aborts {
			q.aborts[i].bind(q, uint16(i))
		}
		q.cancels = canceller{who: depth, on: d.useCancel, left: maxCancels, victims: make([]uint16, slots)}
	}
	return c
}

// onLane runs f on a lane from outside and returns when it has called done.
func (d *Driver) onLane(l lane.Lane, f func(done func())) error {
	return d.options.Group.Do(l.Index(), f)
}
