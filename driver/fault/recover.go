package fault

import "blksim/aio"

// heal lets go of all that is kept: on the lane.
func (q *queue) heal() {
	q.healed, q.fatal, q.stallTo = true, false, 0
	for i := range q.slots {
		s := &q.slots[i]
		switch s.state {
		case held:
			s.timer.Arm(0)
		case hung:
			if len(q.stalled) > 0 {
				q.stall(s)
			} else {
				q.later(s)
			}
		case lost:
			q.end(s, s.st, s.n)
		}
	}
}

// stop ends all that is kept, for a reset. What inner has it ends itself.
func (q *queue) stop() {
	q.resets++
	q.fatal, q.stallTo = false, 0
	q.keep(aio.TimedOut)
}

// remove takes the device away.
func (q *queue) remove() {
	if !q.healed {
		q.gone = true
		q.keep(aio.Gone)
	}
}

// keep ends what is kept here with st; what had only lost its interrupt as it was.
func (q *queue) keep(st aio.Status) {
	q.stalled = q.stalled[:0]
	for i := range q.slots {
		s := &q.slots[i]
		switch s.state {
		case held, hung, busy:
			s.timer.Stop()
			q.end(s, st, 0)
		case lost:
			q.end(s, s.st, s.n)
		}
	}
}
