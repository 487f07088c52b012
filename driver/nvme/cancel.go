package nvme

import "blksim/driver"

// cancelQueue is a queue with the cancel callback. It differs from one without
// by this one method.
type cancelQueue struct{ queue }

var _ interface {
	driver.Queue
	driver.Canceler
	driver.Committer
	driver.Poller
} = (*cancelQueue)(nil)

// Cancel implements [driver.Canceler]: it has an Abort sent for r's command. r
// completes when the controller completes the command: with Cancelled if the
// Abort was in time, or as if nothing had happened.
func (c *cancelQueue) Cancel(r *driver.Request) {
	q := &c.queue
	if uint(r.Tag) >= uint(len(q.byTag)) {
		return
	}
	index := q.byTag[r.Tag]
	s := &q.slots.slots[index]
	if s.owner != r || s.state != slotInFlight {
		return // completed inline, or cancelled before
	}
	// An Abort that overtook the doorbell would not find the command.
	q.Commit()
	s.state = slotAborting
	q.stats.asked.Add(1)
	a := &q.aborts[index]
	a.cid = s.cid
	q.driver.admin.lane.Post(a.ask)
}

// released ends the quarantine of a's slot: no Abort for it is queued or
// outstanding any more.
func (q *queue) released(a *abort) {
	s := &q.slots.slots[a.index]
	if s.state == slotQuarantined {
		q.slots.put(a.index)
		return
	}
	s.state = slotInFlight
}
