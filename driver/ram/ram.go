package ram

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// Disk is a device over a slice of bytes. It has one queue, so one lane owns the
// bytes and nothing needs a lock.
type Disk struct{ data []byte }

var _ driver.Driver = (*Disk)(nil)

// New makes a device over data. Bytes beyond the last whole block are not used.
func New(data []byte) *Disk { return &Disk{data[:len(data)/512*512]} }

// Limits tells what the device takes; see [driver.Limits] for the zero fields.
func (d *Disk) Limits() driver.Limits {
	return driver.Limits{Capacity: int64(len(d.data)), BlockSize: 512, Queues: 1, QueueDepth: 256,
		Ops: driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush, aio.OpDiscard, aio.OpWriteZeroes)}
}

// OpenQueue gives the queue. A driver that has to wait or to set a timer keeps l.
func (d *Disk) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	return &queue{d.data}, nil
}

// Close has nothing to give back: the bytes are the caller's.
func (d *Disk) Close() error { return nil }

// queue takes the requests. A one-method type is a whole driver.Queue.
type queue struct{ data []byte }

var _ driver.Queue = (*queue)(nil)

func (q *queue) Submit(r *driver.Request) aio.Status {
	size := int64(len(q.data))
	if r.Off < 0 || r.Len < 0 || r.Off > size || r.Len > size-r.Off {
		return aio.OutOfRange // not OK: r stays the caller's, so do not complete it
	}
	extent := q.data[r.Off : r.Off+r.Len]
	switch r.Op {
	case aio.OpRead:
		for _, b := range r.Bufs {
			extent = extent[copy(b, extent):]
		}
	case aio.OpWrite:
		for _, b := range r.Bufs {
			extent = extent[copy(extent, b):]
		}
	case aio.OpDiscard, aio.OpWriteZeroes:
		clear(extent)
	}
	r.Complete(aio.OK, r.Len)
	return aio.OK
}
