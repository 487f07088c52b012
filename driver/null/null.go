package null

import (
	"fmt"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// Options says what the device claims to be. Zero fields take the value stated
// there.
type Options struct {
	Capacity   int64 // bytes, a multiple of BlockSize; 0: 1 TiB
	BlockSize  int   // a power of two, at least 512; 0: 512
	Queues     int   // 0: 64
	QueueDepth int   // 0: 1024
}

// Validate says what is wrong with o.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.BlockSize < 512 || o.BlockSize&(o.BlockSize-1) != 0:
		return fmt.Errorf("null: block size %d: expected a power of two, at least 512", o.BlockSize)
	case o.Capacity < 0 || o.Capacity%int64(o.BlockSize) != 0:
		return fmt.Errorf("null: capacity %d: expected a multiple of the block size %d", o.Capacity, o.BlockSize)
	case o.Queues < 0:
		return fmt.Errorf("null: %d queues: expected at least 1", o.Queues)
	case o.QueueDepth < 0:
		return fmt.Errorf("null: queue depth %d: expected at least 1", o.QueueDepth)
	}
	return nil
}

func (o Options) withDefaults() Options {
	set(&o.Capacity, 1<<40)
	set(&o.BlockSize, 512)
	set(&o.Queues, 64)
	set(&o.QueueDepth, 1024)
	return o
}

func set[T int | int64](field *T, def T) {
	if *field == 0 {
		*field = def
	}
}

type device struct{ limits driver.Limits }

var _ driver.Driver = (*device)(nil)

// New makes a device.
func New(o Options) (driver.Driver, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	return &device{limits: driver.Limits{Capacity: o.Capacity, BlockSize: o.BlockSize, Queues: o.Queues, QueueDepth: o.QueueDepth,
		Ops: driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush, aio.OpDiscard, aio.OpWriteZeroes)}}, nil
}

func (d *device) Limits() driver.Limits { return d.limits }
func (d *device) Close() error          { return nil }
func (d *device) OpenQueue(lane.Lane, int, int) (driver.Queue, error) {
	return queue{d.limits.Capacity}, nil
}

type queue struct{ capacity int64 }

var _ driver.Queue = queue{}

func (q queue) Submit(r *driver.Request) aio.Status {
	if r.Off < 0 || r.Len < 0 || r.Off > q.capacity-r.Len {
		return aio.OutOfRange
	}
	r.Complete(aio.OK, r.Len)
	return aio.OK
}
