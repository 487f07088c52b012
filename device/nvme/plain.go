package nvme

import "blksim/device/nvme/spec"

// The plain way
//
// Nearly all that a device is asked for are reads and writes with nothing special
// about them, and many lie one behind the other in their queue. They are fetched here,
// by the run, without a step for each thing that may be special; their data lies in one
// page of the host's. A command that is
// special, or wrong, is left to fetch, which knows them all; so is everything if there
// are faults, an observer or marks of Aborts. What the plain way does is what fetch
// would have done.

// fetchPlain takes plain commands at the head of q, at most so many, and says how many
// there were.
func (c *Controller) fetchPlain(q *subq, most int) (n int) {
	if c.faults != nil || c.cfg.Observer != nil || q.admin || q.marked != 0 {
		return 0
	}
	posted, cq, page := 0, q.cq, int64(1)<<(c.pageShift&63)
	var ns *namespace
	var first uint32 // the entry that was posted first
	var firstWord spec.CQEDword3
	for ; n < most && q.head != q.tail && c.io.room() > 0; n++ {
		e := q.ring[q.head] // read once, as in fetch
		if !isPlain(&e) {
			break
		}
		if nsid := e.NSID(); ns == nil || ns.id != nsid {
			if ns = c.plainNamespace(nsid); ns == nil {
				break
			}
		}
		blocks, slba, prp1 := uint64(e.CDW12()&0xffff)+1, e.SLBA(), e.PRP1()
		size := int64(blocks << (ns.shift & 63))
		if !ns.inRange(slba, blocks) || c.tooLong(size) || prp1&3 != 0 || size > page-int64(prp1)&(page-1) {
			break
		}
		if _, ok := c.mem.Window(prp1, int(size)); !ok {
			break
		}
		q.head = q.after(q.head)
		cmd := c.io.next() // it is taken only if the medium needs time
		op := &cmd.op
		op.Off, op.Len = ns.base+int64(slba<<(ns.shift&63)), size
		c.stats.IO[e.Opcode()]++
		if e.Opcode() == spec.IORead {
			op.Kind, op.ForceUnit = OpRead, false
			c.stats.ReadsBegun++
		} else {
			op.Kind, op.ForceUnit = OpWrite, e.CDW12()&spec.RWForceUnit != 0 || c.cacheOff()
			c.stats.WritesBegun++
		}
		st, done := c.medium.Begin(op)
		if done && st == spec.Success && c.store == nil && cq.first == nil && !cq.full() {
			c.io.passed()
			c.countPlain(op)
			d := spec.MakeDword3(e.CID(), cq.phase, spec.Success)
			cq.ring[cq.tail].Fill(0, uint16(q.head), q.id)
			if posted == 0 {
				first, firstWord = cq.tail, d
			} else {
				cq.ring[cq.tail].Append(d)
			}
			cq.advance()
			posted++
			continue
		}
		cmd = c.io.get(q, e.CID()) // the same
		q.executing++
		cmd.opcode, cmd.nsid, cmd.ns, cmd.lba = e.Opcode(), e.NSID(), ns, slba
		cmd.prp1, cmd.prp2, cmd.sgl = prp1, e.PRP2(), false
		cmd.state = cmdExecuting
		if done {
			c.finishIO(cmd, st)
		}
	}
	if posted > 0 {
		cq.ring[first].HandOver(firstWord) // and all behind it
		c.statusHits[spec.Success] += uint64(posted)
		c.notify(cq, posted)
	}
	return n
}

// isPlain says whether a command is a Read or Write with nothing special about it but
// for FUA.
func isPlain(e *spec.SQE) bool {
	switch e.Opcode() {
	case spec.IORead:
	case spec.IOWrite:
		if e.CDW12()&spec.RWDirectiveMask != 0 {
			return false
		}
	default:
		return false
	}
	return e.Fuse() == spec.FuseNone && e.PSDT() == 0
}

// plainNamespace is a namespace that takes reads and writes now; nil: there is none.
func (c *Controller) plainNamespace(nsid uint32) *namespace {
	ns, st := c.findNS(nsid)
	if st != spec.Success || ns.formatting {
		return nil
	}
	return ns
}

// countPlain is what moveGood does for a device that stores no data.
func (c *Controller) countPlain(op *Op) {
	if op.Kind == OpRead {
		c.stats.ReadBytes += uint64(op.Len)
		c.counts.reads++
	} else {
		c.stats.WrittenBytes += uint64(op.Len)
		c.counts.writes++
	}
}
