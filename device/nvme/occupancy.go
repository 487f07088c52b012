package nvme

import (
	"blksim/aio/lane"
	"blksim/device/nvme/spec"
)

// A QueueObserver is told what the controller does to the queues, as it does it.
// Called on the controller's lane; at is the lane's time. Queue 0 is the admin
// queue. What the host does to them it knows itself: driver/nvme has the other half.
type QueueObserver interface {
	// SubmissionQueue tells at each change how many commands of queue qid are not
	// fetched (tail minus head), of its entries: one less than those is full. What
	// the host has written and not rung for is not among them. A queue that is new
	// is empty, which is not told.
	SubmissionQueue(at lane.Time, qid uint16, pending, entries int)
	// Posted tells of one more entry in completion queue qid, of entries, just
	// before the host can see it.
	Posted(at lane.Time, qid uint16, entries int)
}

// changedSQ follows each change of a submission queue's head or tail. Without an
// observer it is one comparison.
func (c *Controller) changedSQ(q *subq) {
	if o := c.cfg.Observer; o != nil {
		o.SubmissionQueue(c.lane.Now(), q.id, int(q.pending()), int(q.entries))
	}
}

// goneSQ tells that what a queue had is gone with it; nil: there is no queue.
func (c *Controller) goneSQ(q *subq) {
	if o := c.cfg.Observer; o != nil && q != nil && q.pending() > 0 {
		o.SubmissionQueue(c.lane.Now(), q.id, 0, int(q.entries))
	}
}

// publish writes the next entry of a completion queue, which has room.
func (c *Controller) publish(cq *compq, sq *subq, result uint64, cid uint16, st spec.Status) {
	if o := c.cfg.Observer; o != nil {
		o.Posted(c.lane.Now(), cq.id, int(cq.entries))
	}
	cq.publish(sq, result, cid, st)
	c.notify(cq, 1)
}
