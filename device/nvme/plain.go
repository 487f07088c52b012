package nvme

import "blksim/device/nvme/spec"

// The plain way
//
// Nearly all that a device is asked for are reads and writes with nothing special
// about them, and many lie one behind the other in their queue. They are fetched here,
// by the run, without a step for each thing that may be special. A command that is
// special, or wrong, is left to fetch, which knows them all; so is everything if there
// are faults, an observer or marks of Aborts. What the plain way does is what fetch
// would have done.

// fetchPlain takes plain commands at the head of q, at most so many, and says how many
// there were.
func (c *Controller) fetchPlain(q *subq, most int) (n int) {
	if c.faults != nil || c.cfg.Observer != nil || q.admin || q.marked != 0 {
		return 0
	}
	posted := 0
	for ; n < most && q.head != q.tail && c.io.room() > 0; n++ {
		e := q.ring[q.head] // read once, as in fetch
		ns := c.plainNamespace(&e)
		if ns == nil {
			break
		}
		blocks, slba, prp1 := uint64(e.CDW12()&0xffff)+1, e.SLBA(), e.PRP1()
		size := int(blocks << (ns.shift & 63))
		if !ns.inRange(slba, blocks) || c.tooLong(int64(size)) || !c.plainData(prp1, size) {
			break
		}
		q.head = q.after(q.head)
		q.executing++
		opcode := e.Opcode()
		c.stats.IO[opcode]++
		cmd := c.io.get(q, e.CID())
		cmd.opcode, cmd.nsid, cmd.ns, cmd.lba = opcode, e.NSID(), ns, slba
		cmd.prp1, cmd.prp2, cmd.sgl = prp1, e.PRP2(), false
		cmd.state = cmdExecuting
		op := &cmd.op
		op.Off, op.Len = ns.base+int64(slba<<(ns.shift&63)), int64(size)
		if opcode == spec.IORead {
			op.Kind, op.ForceUnit = OpRead, false
			c.stats.ReadsBegun++
		} else {
			op.Kind, op.ForceUnit = OpWrite, e.CDW12()&spec.RWForceUnit != 0 || c.cacheOff()
			c.stats.WritesBegun++
		}
		st, done := c.medium.Begin(op)
		switch {
		case !done:
		case st == spec.Success && c.store == nil && q.cq.first == nil && !q.cq.full():
			c.endPlain(q, cmd)
			posted++
		default:
			c.finishIO(cmd, st)
		}
	}
	if posted > 0 {
		c.statusHits[spec.Success] += uint64(posted)
		c.notify(q.cq, posted)
	}
	return n
}

// plainNamespace is that of a command that looks plain; nil: it does not.
func (c *Controller) plainNamespace(e *spec.SQE) *namespace {
	opcode, nsid := e.Opcode(), e.NSID()
	if opcode != spec.IORead && (opcode != spec.IOWrite || e.CDW12()&spec.RWDirectiveMask != 0) {
		return nil
	}
	if e.Fuse() != spec.FuseNone || e.PSDT() != 0 || uint64(nsid-1) >= uint64(len(c.ns)) {
		return nil
	}
	ns := c.ns[nsid-1]
	if ns == nil || !ns.attached || ns.formatting {
		return nil
	}
	return ns
}

// plainData says whether n bytes at prp1 are not too many, lie in one page, and are
// there.
func (c *Controller) plainData(prp1 uint64, n int) bool {
	page := 1 << (c.pageShift & 63)
	if prp1&3 != 0 || n > page-int(prp1&uint64(page-1)) {
		return false
	}
	_, ok := c.mem.Window(prp1, n)
	return ok
}

// endPlain is what finishIO and post do for a plain command that has ended well at
// once, of a device that stores no data. There is room for its entry, of which its queue
// is notified by the caller.
func (c *Controller) endPlain(q *subq, cmd *command) {
	if cmd.op.Kind == OpRead {
		c.stats.ReadBytes += uint64(cmd.op.Len)
		c.counts.reads++
	} else {
		c.stats.WrittenBytes += uint64(cmd.op.Len)
		c.counts.writes++
	}
	q.cq.publish(q, 0, cmd.cid, spec.Success)
	q.executing--
	c.io.put(cmd)
}
