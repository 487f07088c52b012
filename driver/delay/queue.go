package delay

import (
	"slices"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/sim"
)

// queue holds requests, on its lane.
type queue struct {
	lane  lane.Lane
	inner driver.Queue
	can   driver.Optional // of inner
	delay Distribution
	rand  *sim.Rand
	slots []slot // by tag

	below   int     // requests that are with inner
	resets  int     // under way: nothing is taken
	stalled []*slot // inner said Busy to the first; in order

	retryDelay  time.Duration
	retryTimer  lane.Timer
	retryFn     func()
	retryPosted bool
}

var _ driver.Queue = (*queue)(nil)

type state uint8

const (
	idle    state = iota // nobody's request
	held                 // until the timer
	stalled              // in queue.stalled
	below                // with inner
)

type slot struct {
	state state
	outer *driver.Request
	mine  *driver.Request // its place below
	timer lane.Timer
}

// Submit implements [driver.Queue]. Without a delay the answer is inner's.
func (q *queue) Submit(r *driver.Request) aio.Status {
	if q.resets > 0 {
		return aio.Busy
	}
	s := &q.slots[r.Tag]
	s.outer = r
	s.mine.Forward(r)
	if d := q.delay.Draw(q.rand); d > 0 {
		s.state = held
		s.timer.Arm(d)
		return aio.OK
	}
	return q.pass(s)
}

// pass hands a request to inner.
func (q *queue) pass(s *slot) aio.Status {
	s.state = below
	q.below++
	st := q.inner.Submit(s.mine)
	if st != aio.OK {
		s.state = idle
		q.below--
	}
	return st
}

// expire ends the wait of a request that was held.
func (q *queue) expire(s *slot) {
	if len(q.stalled) > 0 { // others were first
		q.stall(s)
		return
	}
	switch st := q.pass(s); st {
	case aio.OK:
		q.commit()
	case aio.Busy:
		q.stall(s)
	default:
		s.outer.Complete(st, 0)
	}
}

func (q *queue) commit() {
	if q.can.Committer != nil {
		q.can.Committer.Commit()
	}
}

func (q *queue) stall(s *slot) {
	s.state = stalled
	q.stalled = append(q.stalled, s)
	q.wait()
}

// wait sees to it that the stalled requests are tried again.
func (q *queue) wait() {
	if q.below == 0 && len(q.stalled) > 0 {
		q.retryTimer.Arm(q.retryDelay)
	}
}

// retry hands over what was stalled, until inner says Busy again.
func (q *queue) retry() {
	q.retryPosted = false
	for len(q.stalled) > 0 {
		s := q.stalled[0]
		st := q.pass(s)
		if st == aio.Busy {
			s.state = stalled
			break
		}
		q.stalled = slices.Delete(q.stalled, 0, 1)
		if st == aio.OK {
			q.commit()
		} else {
			s.outer.Complete(st, 0)
		}
	}
	q.wait()
}

// CompleteRequest takes a request back from inner.
func (q *queue) CompleteRequest(mine *driver.Request, st aio.Status, n int64) {
	s := &q.slots[mine.Tag]
	if s.state == below { // else inner completes twice, and whoever owns us shall see it
		s.state = idle
		q.below--
	}
	if len(q.stalled) > 0 && !q.retryPosted {
		q.retryPosted = true
		q.lane.Post(q.retryFn)
	}
	s.outer.Complete(st, n)
}

// canceler is a queue with Cancel.
type canceler queue

// Cancel implements [driver.Canceler].
func (c *canceler) Cancel(r *driver.Request) {
	q := (*queue)(c)
	s := &q.slots[r.Tag]
	switch s.state {
	case held:
		s.timer.Stop()
	case stalled:
		q.stalled = slices.DeleteFunc(q.stalled, func(o *slot) bool { return o == s })
	case below:
		if q.can.Canceler != nil {
			q.can.Canceler.Cancel(s.mine)
		}
		return
	default:
		return
	}
	s.state = idle
	r.Complete(aio.Cancelled, 0)
}
