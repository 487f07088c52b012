package delay

import (
	"blksim/aio"
	"blksim/driver"
)

// resettable is a wrapped driver that can be reset.
type resettable struct {
	*wrapped
	below driver.Resetter
}

var _ driver.Resetter = (*resettable)(nil)

// Reset implements [driver.Resetter]: what is held ends here, and then the driver
// below is reset. Queues say Busy until that is done.
func (d *resettable) Reset(done func(error)) {
	driver.OnEach(d.lanes, func(i int) { d.queues[i].stop() }, func() {
		d.below.Reset(func(err error) {
			driver.OnEach(d.lanes, func(i int) { d.queues[i].resume() }, func() { done(err) })
		})
	})
}

// stop ends what is held, for a reset.
func (q *queue) stop() {
	q.resets++
	q.stalled = q.stalled[:0]
	for i := range q.slots {
		s := &q.slots[i]
		if s.state == held || s.state == stalled {
			s.timer.Stop()
			s.state = idle
			s.outer.Complete(aio.TimedOut, 0)
		}
	}
}

// resume ends one reset.
func (q *queue) resume() { q.resets-- }
