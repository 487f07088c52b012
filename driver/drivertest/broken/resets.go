package broken

import (
	"time"

	"blksim/aio"
	"blksim/driver"
)

// resets are mistakes of the reset.
func resets() []Driver {
	return []Driver{
		{"says that the reset is done before it is", "reset", open(mistake{reset: func(d *disk, done func(error)) {
			d.queues[0].lane.Post(func() { done(nil) })
			d.Good.Reset(func(error) {})
		}})},
		{"forgets one request in the reset", "reset", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if st == aio.TimedOut && q.every(4) {
				return
			}
			r.Complete(st, n)
		}})},
		{"an abort that outlives the reset", "cancel-reset", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if st == aio.TimedOut && q.slots[r.Tag].asked > 0 {
				q.lane.NewTimer(func() { r.Complete(aio.Cancelled, 0) }).Arm(3 * time.Microsecond)
			}
			r.Complete(st, n)
		}})},
	}
}
