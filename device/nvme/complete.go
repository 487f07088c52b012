package nvme

import "blksim/device/nvme/spec"

// fail completes cmd with an error that a repetition would meet again.
func (c *Controller) fail(cmd *command, st spec.Status) {
	c.complete(cmd, st|spec.DoNotRetry)
}

// complete ends cmd: its entry is posted, now or when the host has made room.
// Entries of one completion queue are posted in the order of completion.
func (c *Controller) complete(cmd *command, st spec.Status) {
	if !st.OK() {
		st = c.noteError(cmd, st)
	}
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
	c.publish(cq, sq, cmd.result, cmd.cid, cmd.status)
	c.statusHits[cmd.status.Code()]++

	abort := cmd.abort
	cmd.abort = nil
	sq.executing--
	if sq.admin {
		c.postedAdmin(cmd)
		c.admin.put(cmd)
		if !sq.active && sq.head != sq.tail {
			c.arb.add(sq)
		}
	} else {
		if c.faults != nil {
			c.faults.posted(cmd)
		}
		if cmd.cancelled > 0 {
			c.postedCancel(cmd)
		}
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
	switch op {
	case &c.flushOp:
		c.setCSTS(c.csts().WithSHST(spec.ShutdownComplete))
	case &c.format.op:
		c.finishFormat(st)
	default:
		if c.faults == nil || !c.faults.keep(op, st) {
			c.finishIO(&c.io.cmds[op.Slot], st)
		}
	}
}

// Settle follows a run of completions and doorbells: commands are fetched into
// the slots that have become free, and each vector with new entries is raised
// once.
func (c *Controller) Settle() {
	c.fetchAll()
	if c.shutdown {
		c.goOnShutdown()
	}
	if len(c.dirty) > 0 {
		c.raiseAll()
	}
}
