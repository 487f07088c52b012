package nvme

import (
	"math"

	"blksim/aio"
	"blksim/device/nvme/spec"
	"blksim/driver"
)

// handle is the interrupt handler. Its budget needs no bound: a completion
// entry is free again only after release, so one run ends within the queue.
func (q *queue) handle() {
	q.vector.acknowledge()
	q.stats.countInterrupt()
	q.reap(math.MaxInt)
}

// Poll implements [driver.Poller].
func (q *queue) Poll(budget int) int { return q.reap(budget) }

// reap consumes completions until it has completed budget requests or there are
// no more, and returns how many it completed.
//
// It leaves the head doorbell to the next Commit, which rings it along with the
// tail, so that the controller has one thing to look at instead of two. Until
// then the controller has room for every command that it has been shown: each
// entry that it cannot use again stands for one that has completed. Only an entry
// that stands for none has taken the room of another.
func (q *queue) reap(budget int) int {
	if q.closed {
		return 0
	}
	completed, strays := 0, false
	var run driver.Run
	for completed < budget {
		e, d := q.rings.next()
		if e == nil {
			break
		}
		q.rings.consume()
		index, s := q.slots.find(d.CID())
		if s == nil || e.SQID() != q.rings.id {
			// A controller that completes a command twice, late or on the wrong
			// queue must not complete another I/O.
			q.stats.strays.Add(1)
			strays = true
			continue
		}
		if !q.rings.fetched(e.SQHead()) {
			q.stats.badHeads.Add(1)
		}
		if s.who == uint32(q.cancels.who) {
			q.answeredCancel(index, e, d.Status())
			continue
		}
		r := q.tags[s.who].request
		st, n := aio.OK, r.Len
		if status := d.Status(); !status.OK() {
			st, n = q.failed(status), 0
		}
		if r.Op.HasData() {
			m := &q.mem.slots[index]
			if m.data == nil && st == aio.OK && r.Op == aio.OpRead {
				m.scattered.copyBack(r.Bufs, int(r.Len))
			}
			m.detach()
		}
		if s.state == slotInFlight {
			q.slots.put(index)
		} else {
			q.quarantine(index, s)
		}
		run.With(r)
		r.Complete(st, n)
		completed++
	}
	run.End()
	if strays && !q.suspended {
		q.rings.release()
	}
	if completed > 0 {
		q.stats.countCompletions(completed)
	}
	return completed
}

// quarantine keeps an identifier that has completed while an Abort or a Cancel names
// it from being used.
func (q *queue) quarantine(index uint16, s *slot) {
	s.state = slotQuarantined
	if s.by == byAbort {
		q.driver.admin.lane.Post(q.aborts[index].drop)
	}
}

func (q *queue) failed(status spec.Status) aio.Status {
	st := statusOf(status)
	if st == aio.Cancelled {
		q.stats.cancelled.Add(1)
	}
	return st
}
