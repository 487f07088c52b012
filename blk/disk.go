package blk

import (
	"errors"
	"fmt"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// Options configure a Disk.
type Options struct {
	// Queues are the lanes of the hardware queues: queue i is opened on
	// Queues[i]. At least one, at most the driver's Limits.Queues.
	Queues []lane.Lane

	// Submitters are the lanes that may submit. nil: Queues. A submitter's I/Os
	// go to the hardware queue of its own lane, if there is one, else to queue
	// (lane index mod number of queues).
	Submitters []lane.Lane

	// Depth is the number of requests that each hardware queue may have with
	// the driver. 0, or more than the driver takes: Limits.QueueDepth.
	Depth int
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	if len(o.Queues) == 0 {
		return errors.New("blk: no lanes for hardware queues: want at least one")
	}
	if o.Depth < 0 {
		return fmt.Errorf("blk: depth %d: want 0 or more", o.Depth)
	}
	return nil
}

// A Disk is an open block device.
type Disk struct {
	drv    driver.Driver
	limits driver.Limits
	queues []*hwQueue
	soft   []*softQueue // by lane index; nil: may not submit
}

var _ aio.BatchTarget = (*Disk)(nil)

// Open opens the hardware queues of d. The disk then owns d. From outside all
// lanes.
func Open(d driver.Driver, o Options) (*Disk, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	lim := d.Limits()
	if len(o.Queues) > lim.Queues {
		return nil, fmt.Errorf("blk: %d hardware queues: the driver has %d", len(o.Queues), lim.Queues)
	}
	depth := o.Depth
	if depth == 0 || depth > lim.QueueDepth {
		depth = lim.QueueDepth
	}
	disk := &Disk{drv: d, limits: lim}
	for i, l := range o.Queues {
		q, err := d.OpenQueue(l, i, depth)
		if err != nil {
			return nil, fmt.Errorf("blk: hardware queue %d: %w", i, err)
		}
		disk.queues = append(disk.queues, newHwQueue(l, q, depth, lim))
	}
	if o.Submitters == nil {
		o.Submitters = o.Queues
	}
	for _, l := range o.Submitters {
		for len(disk.soft) <= l.Index() {
			disk.soft = append(disk.soft, nil)
		}
		disk.soft[l.Index()] = &softQueue{lane: l, to: disk.queueFor(l)}
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

// Limits are the driver's.
func (d *Disk) Limits() driver.Limits { return d.limits }

// Depth is the number of requests that each hardware queue may have with the
// driver.
func (d *Disk) Depth() int { return len(d.queues[0].slots) }

// Close closes the driver. All I/O of the disk has completed by then. From
// outside all lanes.
func (d *Disk) Close() error { return d.drv.Close() }

// Check returns the status that an I/O of this kind ends with before it reaches
// a queue, or aio.OK: Invalid for a malformed one, OutOfRange beyond the end,
// NotSupported where the driver lacks the operation.
func (d *Disk) Check(op aio.Op, off, length int64) aio.Status {
	lim := &d.limits
	if op == aio.OpFlush && !lim.WriteCache {
		return aio.OK
	}
	if !lim.Ops.Has(op) {
		return aio.NotSupported
	}
	if op == aio.OpFlush {
		return aio.OK
	}
	block := int64(lim.BlockSize)
	switch {
	case length <= 0, off < 0, off%block != 0, length%block != 0:
		return aio.Invalid
	case length > lim.Capacity, off > lim.Capacity-length:
		return aio.OutOfRange
	case lim.MaxTransfer > 0 && length > lim.MaxTransfer:
		return aio.Invalid
	}
	return aio.OK
}
