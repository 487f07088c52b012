// Package driver is the contract between the block layer and a block driver.
//
// An author writes two types: a [Driver], which is an open device, and a [Queue],
// which takes requests on one lane. There is nothing to lock: a queue's methods,
// its completions and its timers all run on its lane, and a driver never sees a
// goroutine. This is a whole one, a slow disk in memory (driver/example):
//
//	type Disk struct {
//		data    []byte
//		service time.Duration
//	}
//	func New(size int64, service time.Duration) *Disk {
//		return &Disk{make([]byte, size), service}
//	}
//	func (d *Disk) Limits() driver.Limits {
//		return driver.Limits{Capacity: int64(len(d.data)), BlockSize: 512, Queues: 1, QueueDepth: 64, Ops: driver.Ops(aio.OpRead, aio.OpWrite)}
//	}
//	func (d *Disk) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
//		q := &queue{d, make([]slot, depth)}
//		for tag := range q.slots {
//			q.slots[tag].timer = l.NewTimer(func() { q.finish(tag) })
//		}
//		return q, nil
//	}
//	func (d *Disk) Close() error { return nil }
//	type queue struct {
//		disk  *Disk
//		slots []slot // by tag
//	}
//	type slot struct {
//		req   *driver.Request // nil: free
//		timer lane.Timer
//	}
//
//	func (q *queue) Submit(r *driver.Request) aio.Status {
//		if r.Off < 0 || r.Len < 0 || r.Off > int64(len(q.disk.data))-r.Len {
//			return aio.OutOfRange // refused: r was never ours
//		}
//		q.slots[r.Tag].req = r
//		q.slots[r.Tag].timer.Arm(q.disk.service)
//		return aio.OK
//	}
//	func (q *queue) finish(tag int) {
//		r := q.slots[tag].req
//		q.slots[tag].req = nil
//		at := q.disk.data[r.Off:]
//		for _, b := range r.Bufs {
//			if r.Op == aio.OpRead {
//				copy(b, at)
//			} else {
//				copy(at, b)
//			}
//			at = at[len(b):]
//		}
//		r.Complete(aio.OK, r.Len)
//	}
//
// # Cancellation, with and without a callback
//
// The block layer skips a cancelled I/O that is still in its own queues: the
// driver never sees it. For one that is with the driver there are two flavours.
// The driver above has no callback: the I/O is marked and finished as if nothing
// had happened, which is always correct, and as quick as the device. With one
// method more it has the callback, and may give the request back early as
// Cancelled if that is the truth: its buffers are not touched afterwards.
//
//	func (q *queue) Cancel(r *driver.Request) {
//		if s := &q.slots[r.Tag]; s.req == r { // else it is complete
//			s.req = nil
//			s.timer.Stop()
//			r.Complete(aio.Cancelled, 0)
//		}
//	}
//
// Either way each request is completed exactly once, and the result is the truth:
// OK for an I/O that was done although somebody had cancelled it. Package
// [blksim/driver/drivertest] checks a driver against this contract.
package driver
