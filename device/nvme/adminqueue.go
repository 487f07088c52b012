package nvme

import "blksim/device/nvme/spec"

// Creation and deletion of I/O queues (Base 5.4 to 5.7).

// newQueueArgs checks what both create commands have: a free queue id among
// those that were granted, a size, and contiguous, page-aligned memory.
func (c *Controller) newQueueArgs(e *spec.SQE, granted int, taken func(qid int) bool, entrySize uint8, logSize uint8) (qid, entries int, ring []byte, st spec.Status) {
	qid = int(e.CDW10() & 0xffff)
	entries = int(e.CDW10()>>16) + 1
	switch {
	case qid == 0 || qid > granted || taken(qid):
		st = spec.InvalidQueueID
	case entries < 2 || entries > c.cfg.QueueDepth || logSize != entrySize:
		// CC.IOSQES and CC.IOCQES must hold the sizes of the entries by now.
		st = spec.InvalidQueueSize
	case e.CDW11()&spec.QueueContiguous == 0: // CAP.CQR
		st = spec.InvalidField
	case e.PRP1()&(1<<c.pageShift-1) != 0:
		st = spec.PRPOffsetInvalid
	default:
		var ok bool
		if ring, ok = c.mem.Window(e.PRP1(), entries<<entrySize); !ok {
			st = spec.InvalidField
		}
	}
	return qid, entries, ring, st
}

func (c *Controller) createCQ(e *spec.SQE) spec.Status {
	cdw11 := e.CDW11()
	on, iv := cdw11&spec.CQInterrupts != 0, int(cdw11>>16)
	qid, entries, ring, st := c.newQueueArgs(e, c.grantedCQs, func(q int) bool { return c.cqs[q] != nil }, 4, c.cc.Fields().IOCQES)
	if st != spec.Success {
		return st
	}
	if on && iv >= c.cfg.Vectors {
		return spec.InvalidInterruptVector
	}
	if !on {
		iv = -1
	}
	c.cqs[qid] = &compq{id: uint16(qid), ring: spec.CQEs(ring), entries: uint32(entries), phase: true, vector: iv}
	return spec.Success
}

func (c *Controller) createSQ(e *spec.SQE) spec.Status {
	cqid := int(e.CDW11() >> 16)
	qid, entries, ring, st := c.newQueueArgs(e, c.grantedSQs, func(q int) bool { return c.sqs[q] != nil }, 6, c.cc.Fields().IOSQES)
	switch {
	case st != spec.Success:
		return st
	case cqid == 0 || cqid >= len(c.cqs):
		return spec.InvalidQueueID
	case c.cqs[cqid] == nil:
		return spec.CQInvalid
	}
	cq := c.cqs[cqid]
	cq.users++
	c.sqs[qid] = &subq{
		id: uint16(qid), ring: spec.SQEs(ring), entries: uint32(entries), cq: cq,
		class: c.arb.classOf(uint8(e.CDW11() >> 1 & 3)),
	}
	return spec.Success
}

// deleteCQ: the submission queues that use it must be gone first, and with them
// everything that was to be posted in it.
func (c *Controller) deleteCQ(e *spec.SQE) spec.Status {
	qid := int(e.CDW10() & 0xffff)
	switch {
	case qid == 0 || qid >= len(c.cqs) || c.cqs[qid] == nil:
		return spec.InvalidQueueID
	case c.cqs[qid].users > 0:
		return spec.InvalidQueueDeletion
	}
	c.cqs[qid] = nil
	return spec.Success
}

// deleteSQ ends what the queue has and completes after it (Base 5.7): executing
// commands end with "aborted by queue deletion" where the medium can, and
// otherwise as they do; unfetched ones vanish without a completion.
func (c *Controller) deleteSQ(cmd *command, e *spec.SQE) spec.Status {
	qid := int(e.CDW10() & 0xffff)
	if qid == 0 || qid >= len(c.sqs) || c.sqs[qid] == nil || c.sqs[qid].deleting != nil {
		return spec.InvalidQueueID
	}
	q := c.sqs[qid]
	q.deleting = cmd
	cmd.state = cmdWaiting
	for i, a := range q.marks {
		if a != nil {
			q.marks[i] = nil
			c.answerAbort(a, false)
		}
	}
	q.marked = 0
	q.executing++ // held until the end of the loop
	for i, key := range c.io.keys {
		if key == noKey || key>>16 != uint32(qid) {
			continue
		}
		v := &c.io.cmds[i]
		if !v.live() || !c.takeBack(v) {
			continue
		}
		if v.partner != nil {
			c.endPair(v, spec.AbortedSQDeletion, spec.AbortedSQDeletion)
		} else {
			c.complete(v, spec.AbortedSQDeletion)
		}
	}
	if q.executing--; q.executing == 0 {
		c.finishDelete(q)
	}
	return spec.Success
}

// finishDelete completes the Delete command of a queue that has become empty.
func (c *Controller) finishDelete(q *subq) {
	c.goneSQ(q)
	q.tail = q.head // an arbitration pass drops it
	q.cq.users--
	c.sqs[q.id] = nil
	c.complete(q.deleting, spec.Success)
}
