package nvme

import "blksim/device/nvme/spec"

// Round robin arbitration with burst (Base 3.4.4.1). The queues that have
// unfetched commands form a circular list; the first one may have up to a burst
// of commands fetched, and then goes to the end.

// activate puts q at the end of the list.
func (c *Controller) activate(q *subq) {
	q.active, q.credit = true, c.burst
	if c.ring == nil {
		q.next = q
	} else {
		q.next = c.ring.next
		c.ring.next = q
	}
	c.ring = q
}

// dropFirst takes the first queue off the list.
func (c *Controller) dropFirst() {
	q := c.ring.next
	q.active = false
	if q == c.ring {
		c.ring = nil
	} else {
		c.ring.next = q.next
	}
	q.next = nil
}

// fetchAll fetches commands for as long as there are any and slots for them.
// I/O queues share their slots and wait for one in their turn; the admin queue
// has its own, and does not wait behind them.
func (c *Controller) fetchAll() {
	if c.state != ready || c.shutdown {
		return
	}
	for c.ring != nil {
		q := c.ring.next
		switch {
		case q.head == q.tail || q.deleting != nil:
			c.dropFirst()
			continue
		case q.admin && c.admin.empty():
			c.dropFirst() // freeing a slot brings it back
			continue
		case !q.admin && c.io.empty():
			if a := c.sqs[0]; a.active {
				c.fetchAdmin(a)
			}
			return
		}
		c.fetch(q)
		if q.credit--; q.credit == 0 {
			q.credit = c.burst
			c.ring = q // the first becomes the last
		}
	}
}

// fetchAdmin fetches what the admin queue has although an I/O queue is first and
// cannot go on.
func (c *Controller) fetchAdmin(a *subq) {
	for a.head != a.tail && !c.admin.empty() {
		c.fetch(a)
	}
}

// fetch takes the command at the head of q and carries it out as far as it goes
// without waiting.
func (c *Controller) fetch(q *subq) {
	// The entry is the host's: it is read once, so that a host that changes it
	// meanwhile cannot get past a check.
	e := *spec.SQEAt(q.ring, int(q.head))
	at := q.head
	if q.head++; q.head == q.entries {
		q.head = 0
	}
	q.executing++
	if q.admin {
		cmd := c.admin.get(q, e.CID())
		cmd.opcode = e.Opcode()
		c.stats.Admin[cmd.opcode]++
		if q.marked == 0 || !c.abortMarked(q, at, cmd) {
			c.execAdmin(cmd, &e)
		}
		return
	}
	cmd := c.io.get(q, e.CID())
	cmd.opcode = e.Opcode()
	c.stats.IO[cmd.opcode]++
	if q.marked == 0 || !c.abortMarked(q, at, cmd) {
		c.execIO(cmd, &e)
	}
}
