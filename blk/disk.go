package blk

import (
	"fmt"
	"sync/atomic"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk/tagset"
	"blksim/driver"
)

// A Disk is an open block device.
type Disk struct {
	drv    driver.Driver
	opts   Options
	limits driver.Limits // the driver's, lowered by the options
	bounds bounds
	queues []*hwQueue
	soft   []*softQueue // by lane index; nil: may not submit

	control control
	dead    atomic.Bool // removed, or given up: what is submitted ends as Gone
}

var _ aio.BatchTarget = (*Disk)(nil)

// Open opens the hardware queues of d. The disk then owns d. From outside all
// lanes.
func Open(d driver.Driver, o Options) (*Disk, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	lim, err := o.limits(d.Limits())
	if err != nil {
		return nil, err
	}
	if len(o.Queues) > lim.Queues {
		return nil, fmt.Errorf("blk: %d hardware queues: the driver has %d", len(o.Queues), lim.Queues)
	}
	depth := lim.QueueDepth
	if o.Tags != nil && o.Tags.Size() > depth {
		return nil, fmt.Errorf("blk: %d shared tags: the driver takes %d", o.Tags.Size(), depth)
	}
	if o.Tags != nil {
		depth = o.Tags.Size()
	} else if o.Depth > 0 {
		depth = min(depth, o.Depth)
	}
	if o.ReservedTags >= depth {
		return nil, fmt.Errorf("blk: %d reserved tags: want fewer than the depth, %d", o.ReservedTags, depth)
	}
	if lim.SharedTags && o.Tags == nil && len(o.Queues) > 1 {
		if o.ReservedTags > 0 {
			return nil, fmt.Errorf("blk: %d reserved tags: the driver's tags are shared by its queues", o.ReservedTags)
		}
		o.Tags = tagset.New(depth)
	}
	var budget *tagset.Set
	if o.Budget > 0 {
		budget = tagset.New(o.Budget)
	}
	disk := &Disk{drv: d, opts: o, limits: lim, bounds: boundsOf(&lim)}
	for i, l := range o.Queues {
		q, err := d.OpenQueue(l, i, depth)
		if err != nil {
			return nil, fmt.Errorf("blk: hardware queue %d: %w", i, err)
		}
		disk.queues = append(disk.queues, newHwQueue(disk, l, q, depth, budget))
	}
	disk.control.init(disk)
	for _, l := range o.Submitters {
		for len(disk.soft) <= l.Index() {
			disk.soft = append(disk.soft, nil)
		}
		disk.soft[l.Index()] = newSoftQueue(disk, l)
	}
	return disk, nil
}

func (d *Disk) queueFor(l lane.Lane) *hwQueue {
	for _, h := range d.queues {
		if h.lane == l {
			return h
		}
	}
	return d.queues[l.Index()%len(d.queues)]
}

// Limits are the driver's, lowered by the options.
func (d *Disk) Limits() driver.Limits { return d.limits }

// Depth is the number of requests that each hardware queue may have with the
// driver.
func (d *Disk) Depth() int { return len(d.queues[0].slots) }

// Close closes the driver. All I/O of the disk has completed by then. From
// outside all lanes.
func (d *Disk) Close() error {
	for _, h := range d.queues {
		h.tags.leave()
	}
	return d.drv.Close()
}

// Check returns the status that an I/O of this kind ends with before it reaches
// a queue, or aio.OK: Invalid for a malformed one, OutOfRange beyond the end,
// NotSupported where the driver lacks the operation and nothing stands in for it.
// No length is too long: what passes the driver's limits is split.
func (d *Disk) Check(op aio.Op, off, length int64) aio.Status {
	if d.bounds.takes(op, off, length) {
		return aio.OK
	}
	return d.checkSlowly(op, off, length)
}

// checkSlowly is Check, with the reason.
func (d *Disk) checkSlowly(op aio.Op, off, length int64) aio.Status {
	lim := &d.limits
	switch op {
	case aio.OpFlush:
		if lim.WriteCache && !lim.Ops.Has(op) {
			return aio.NotSupported
		}
		return aio.OK
	case aio.OpWriteZeroes:
		if !lim.Ops.Has(op) && !lim.Ops.Has(aio.OpWrite) {
			return aio.NotSupported
		}
	case aio.OpDiscard:
		if !lim.Ops.Has(op) && !d.discards() {
			return aio.NotSupported
		}
	default:
		if !lim.Ops.Has(op) {
			return aio.NotSupported
		}
	}
	block := int64(lim.BlockSize)
	switch {
	case length <= 0, off < 0, off%block != 0, length%block != 0:
		return aio.Invalid
	case length > lim.Capacity, off > lim.Capacity-length:
		return aio.OutOfRange
	}
	return aio.OK
}

// discards says whether something stands in for a discard.
func (d *Disk) discards() bool {
	switch d.opts.Discard {
	case DiscardIgnore:
		return true
	case DiscardZero:
		return d.limits.Ops.Has(aio.OpWriteZeroes) || d.limits.Ops.Has(aio.OpWrite)
	}
	return false
}
