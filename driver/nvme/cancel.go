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

// Cancel implements [driver.Canceler]: it has a Cancel or an Abort sent for r's
// command (Options.Cancel). r completes when the controller completes the command:
// with Cancelled if that was in time, or as if nothing had happened.
func (c *cancelQueue) Cancel(r *driver.Request) {
	q := &c.queue
	if uint(r.Tag) >= uint(len(q.tags)) {
		return
	}
	index := q.tags[r.Tag].slot
	s := &q.slots.slots[index]
	if s.who != uint32(r.Tag) || q.tags[r.Tag].request != r || s.state != slotInFlight || q.suspended {
		return // completed inline, cancelled before, or about to end by a reset
	}
	// An Abort that overtook the doorbell would not find the command.
	q.Commit()
	s.state = slotAborting
	q.stats.asked.Add(1)
	if s.by = byCancel; q.cancelByCommand(index) {
		return
	}
	s.by = byAbort
	a := &q.aborts[index]
	a.cid = s.cid
	q.driver.admin.lane.Post(a.ask)
}

// released ends the quarantine of a slot: no Abort or Cancel for it is queued or
// outstanding any more.
func (q *queue) released(index uint16) {
	s := &q.slots.slots[index]
	if s.state == slotQuarantined {
		q.slots.put(index)
		return
	}
	s.state = slotInFlight
}
