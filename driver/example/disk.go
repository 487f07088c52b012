package example

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// Disk is a device in memory that takes its time.
type Disk struct {
	data    []byte
	service time.Duration
}

// New makes a device of size bytes, a multiple of 512, that serves each request
// in the given time.
func New(size int64, service time.Duration) *Disk {
	return &Disk{make([]byte, size), service}
}

// Limits tells what the device takes.
func (d *Disk) Limits() driver.Limits {
	return driver.Limits{Capacity: int64(len(d.data)), BlockSize: 512, Queues: 1, QueueDepth: 64, Ops: driver.Ops(aio.OpRead, aio.OpWrite)}
}

// OpenQueue makes the one queue, with a timer for each tag.
func (d *Disk) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	q := &queue{d, make([]slot, depth)}
	for tag := range q.slots {
		q.slots[tag].timer = l.NewTimer(func() { q.finish(tag) })
	}
	return q, nil
}

// Close has nothing to give back.
func (d *Disk) Close() error { return nil }

type queue struct {
	disk  *Disk
	slots []slot // by tag
}

type slot struct {
	req   *driver.Request // nil: free
	timer lane.Timer
}

func (q *queue) Submit(r *driver.Request) aio.Status {
	if r.Off < 0 || r.Len < 0 || r.Off > int64(len(q.disk.data))-r.Len {
		return aio.OutOfRange // refused: r was never ours
	}
	q.slots[r.Tag].req = r
	q.slots[r.Tag].timer.Arm(q.disk.service)
	return aio.OK
}

func (q *queue) finish(tag int) {
	r := q.slots[tag].req
	q.slots[tag].req = nil
	at := q.disk.data[r.Off:]
	for _, b := range r.Bufs {
		if r.Op == aio.OpRead {
			copy(b, at)
		} else {
			copy(at, b)
		}
		at = at[len(b):]
	}
	r.Complete(aio.OK, r.Len)
}
