package nvme

import "blksim/device/nvme/spec"

// fetch takes the command at the head of q, or a fused pair, and carries it out
// as far as it goes without waiting. It says how many commands it took: none if
// there is no slot.
func (c *Controller) fetch(q *subq) int {
	// The entry is the host's: it is read once, so that a host that changes it
	// meanwhile cannot get past a check.
	e := q.ring[q.head]
	if q.admin {
		cmd, aborted := c.take(q, &c.admin, &e)
		if !aborted {
			c.execAdmin(cmd, &e)
		}
		return 1
	}
	room := c.io.room()
	if e.Opcode() == spec.IOCancel {
		room = len(c.io.free)
	}
	if e.Fuse() == spec.FuseFirst && c.fuses() != 0 {
		return c.fetchFused(q, &e, room)
	}
	if room <= 0 {
		return 0
	}
	cmd, aborted := c.take(q, &c.io, &e)
	if !aborted {
		c.execIO(cmd, &e)
	}
	return 1
}

// fetchFused fetches a command that says that it is the first of a pair, with
// the second if that is next. The host shows both with one doorbell (Base 3.4.2):
// a second one that is not there yet is missing.
func (c *Controller) fetchFused(q *subq, e *spec.SQE, room int) int {
	next := q.after(q.head)
	e2 := q.ring[next]
	if next == q.tail || e2.Fuse() != spec.FuseSecond {
		if room < 1 {
			return 0
		}
		if cmd, aborted := c.take(q, &c.io, e); !aborted {
			c.fail(cmd, spec.FusedMissing)
		}
		return 1
	}
	if room < 2 {
		return 0
	}
	first, aborted1 := c.take(q, &c.io, e)
	second, aborted2 := c.take(q, &c.io, &e2)
	switch {
	case !aborted1 && !aborted2:
		c.execFused(first, second, e, &e2)
	case !aborted1:
		c.complete(first, spec.FusedFailed)
	case !aborted2:
		c.complete(second, spec.FusedFailed)
	}
	return 2
}

// take takes the entry at the head of q, which is e, into a slot. It says whether
// an Abort has ended the command already.
func (c *Controller) take(q *subq, pool *slotPool, e *spec.SQE) (cmd *command, aborted bool) {
	at := q.head
	q.head = q.after(at)
	c.changedSQ(q)
	q.executing++
	cmd = pool.get(q, e.CID())
	cmd.opcode, cmd.nsid = e.Opcode(), e.NSID()
	if q.admin {
		c.stats.Admin[cmd.opcode]++
	} else {
		c.stats.IO[cmd.opcode]++
	}
	return cmd, q.marked != 0 && c.abortMarked(q, at, cmd)
}
