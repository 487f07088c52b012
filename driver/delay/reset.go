package delay

import (
	"sync/atomic"

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
	if len(d.queues) == 0 {
		d.below.Reset(done)
		return
	}
	d.each((*queue).stop, func() {
		d.below.Reset(func(err error) {
			d.each((*queue).resume, func() { done(err) })
		})
	})
}

// each runs f on each queue's lane, and then, on the last of them, then.
func (d *resettable) each(f func(q *queue), then func()) {
	left := new(atomic.Int64)
	left.Store(int64(len(d.queues)))
	for _, q := range d.queues {
		q.lane.Post(func() {
			f(q)
			if left.Add(-1) == 0 {
				then()
			}
		})
	}
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
