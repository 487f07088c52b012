package nvme

import (
	"math/bits"

	"blksim/device/nvme/spec"
)

// fail completes cmd with an error that a repetition would meet again.
func (c *Controller) fail(cmd *command, st spec.Status) {
	c.complete(cmd, st|spec.DoNotRetry)
}

// complete ends cmd: its entry is posted, now or when the host has made room.
// Entries of one completion queue are posted in the order of completion.
func (c *Controller) complete(cmd *command, st spec.Status) {
	cmd.status = st
	cq := cmd.sq.cq
	if cq.first == nil && !cq.full() {
		c.post(cq, cmd)
		return
	}
	cmd.state = cmdCompleting
	cmd.next = nil
	if cq.first == nil {
		cq.first = cmd
	} else {
		cq.last.next = cmd
	}
	cq.last = cmd
}

// drain posts what waits for room in cq.
func (c *Controller) drain(cq *compq) {
	for cq.first != nil && !cq.full() {
		cmd := cq.first
		cq.first = cmd.next
		cmd.next = nil
		c.post(cq, cmd)
	}
}

// post writes cmd's completion entry; there is room. The command is gone
// afterwards, and what waited for it goes on.
func (c *Controller) post(cq *compq, cmd *command) {
	sq := cmd.sq
	spec.CQEAt(cq.ring, int(cq.tail)).Publish(cmd.result, uint16(sq.head), sq.id,
		spec.MakeDword3(cmd.cid, cq.phase, cmd.status))
	cq.advance()
	if v := cq.vector; v >= 0 && !c.vectors[v] {
		c.vectors[v] = true
		c.dirty = append(c.dirty, v) // within its capacity: one entry a vector
	}
	c.statusHits[cmd.status.Code()]++

	abort := cmd.abort
	cmd.abort = nil
	sq.executing--
	if sq.admin {
		c.postedAdmin(cmd)
		c.admin.put(cmd)
		if !sq.active && sq.head != sq.tail {
			c.activate(sq)
		}
	} else {
		c.io.put(cmd)
	}
	if abort != nil {
		c.complete(abort, spec.Success) // "aborted", after the command that it aborted
	}
	if sq.deleting != nil && sq.executing == 0 {
		c.finishDelete(sq)
	}
}

// Done takes a command back from the medium.
func (c *Controller) Done(op *Op, st spec.Status) {
	if op == &c.flushOp {
		c.setCSTS(c.csts().WithSHST(spec.ShutdownComplete))
		return
	}
	c.finishIO(&c.io.cmds[op.Slot], st)
}

// Settle follows a run of completions and doorbells: commands are fetched into
// the slots that have become free, and each vector with new entries is raised
// once.
func (c *Controller) Settle() {
	if c.ring != nil {
		c.fetchAll()
	}
	if len(c.dirty) == 0 {
		return
	}
	for _, v := range c.dirty {
		c.vectors[v] = false
		if v < 32 && c.masked>>v&1 != 0 {
			c.maskedDue |= 1 << v
			continue
		}
		c.irq.Raise(v)
	}
	c.dirty = c.dirty[:0]
}

// unmask is INTMC: what became due while it was masked is raised now.
func (c *Controller) unmask(vectors uint32) {
	c.masked &^= vectors
	due := c.maskedDue & vectors
	c.maskedDue &^= vectors
	for ; due != 0; due &= due - 1 {
		c.irq.Raise(bits.TrailingZeros32(due))
	}
}
