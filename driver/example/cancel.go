package example

import (
	"blksim/aio"
	"blksim/driver"
)

// Cancel is the cancel callback: the one method by which a driver with it
// differs from one without.
func (q *queue) Cancel(r *driver.Request) {
	if s := &q.slots[r.Tag]; s.req == r { // else it is complete
		s.req = nil
		s.timer.Stop()
		r.Complete(aio.Cancelled, 0)
	}
}
