package nvme

import "blksim/device/nvme/spec"

// execAbort carries out Abort (Base 5.1); the package comment has the rules.
func (c *Controller) execAbort(cmd *command, e *spec.SQE) {
	s := &c.stats.Aborts
	s.Asked++
	if c.aborts >= c.cfg.AbortLimit {
		s.LimitExceeded++
		c.fail(cmd, spec.AbortLimitExceeded)
		return
	}
	c.aborts++
	cmd.state = cmdWaiting
	sqid, cid := uint16(e.CDW10()), uint16(e.CDW10()>>16)
	if int(sqid) >= len(c.sqs) || c.sqs[sqid] == nil {
		c.answerAbort(cmd, false)
		return
	}
	q := c.sqs[sqid]
	if v := c.abortExecuting(q, cid); v != nil {
		v.abort = cmd
		if v.partner != nil {
			c.endPair(v, spec.AbortRequested, spec.FusedFailed)
		} else {
			c.complete(v, spec.AbortRequested)
		}
		return
	}
	if q.deleting != nil || !q.mark(cid, cmd) {
		c.answerAbort(cmd, false)
	}
}

// abortExecuting takes a command of q with that id away from whoever has it, and
// returns it; nil if there is none that can be had.
func (c *Controller) abortExecuting(q *subq, cid uint16) *command {
	pool := &c.io
	if q.admin {
		pool = &c.admin
	}
	key := uint32(q.id)<<16 | uint32(cid)
	for i, k := range pool.keys {
		if k != key {
			continue
		}
		switch v := &pool.cmds[i]; {
		case v.state == cmdHeld:
			c.dropHeld(v)
			return v
		case !q.admin && v.live() && c.takeBack(v):
			return v
		}
	}
	return nil
}

// mark finds the first unfetched command with that id that no other Abort wants,
// and has it end with 07h when it is fetched.
func (q *subq) mark(cid uint16, abort *command) bool {
	for i := q.head; i != q.tail; {
		if q.ring[i].CID() == cid && (q.marks == nil || q.marks[i] == nil) {
			if q.marks == nil {
				q.marks = make([]*command, q.entries)
			}
			q.marks[i] = abort
			q.marked++
			abort.victim = cid
			return true
		}
		if i++; i == q.entries {
			i = 0
		}
	}
	return false
}

// abortMarked ends cmd, just fetched from entry at, if an Abort wants it. A host
// that has since put another command there has its Abort answered "not aborted".
func (c *Controller) abortMarked(q *subq, at uint32, cmd *command) bool {
	a := q.marks[at]
	if a == nil {
		return false
	}
	q.marks[at] = nil
	q.marked--
	if a.victim != cmd.cid {
		c.answerAbort(a, false)
		return false
	}
	cmd.abort = a
	c.complete(cmd, spec.AbortRequested)
	return true
}

// answerAbort answers at once. Otherwise the answer follows from posting the
// aborted command.
func (c *Controller) answerAbort(cmd *command, aborted bool) {
	if !aborted {
		cmd.result = spec.AbortNotDone
	}
	c.complete(cmd, spec.Success)
}

// postedAbort counts an Abort whose answer the host has.
func (c *Controller) postedAbort(cmd *command) {
	if cmd.status != spec.Success {
		return // refused: counted when it was
	}
	c.aborts--
	if cmd.result&spec.AbortNotDone != 0 {
		c.stats.Aborts.NotAborted++
	} else {
		c.stats.Aborts.Aborted++
	}
}

// countCut counts, at a reset, the Aborts and Cancels whose commands were posted
// with 07h and whose own answer still waited for room.
func (c *Controller) countCut() {
	for i := range c.io.cmds {
		if v := &c.io.cmds[i]; v.state == cmdCompleting && v.cancel != nil {
			v.cancel.cancelled-- // it was not posted either
		}
	}
	for i := range c.io.cmds {
		if v := &c.io.cmds[i]; v.state == cmdCompleting && v.opcode == spec.IOCancel {
			c.stats.Cancels.Cut += uint64(v.cancelled)
			v.cancelled = 0
		}
	}
	for i := range c.admin.cmds {
		v := &c.admin.cmds[i]
		if v.state == cmdCompleting && v.opcode == spec.AdminAbort && v.status == spec.Success && v.result&spec.AbortNotDone == 0 {
			c.stats.Aborts.Cut++
		}
	}
}
