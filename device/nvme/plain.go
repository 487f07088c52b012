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

// plainCount counts the plain commands of one run, by their op's kind: those that the
// medium began and that took a slot, and those that passed without one, with their bytes.
type plainCount [2]struct{ begun, passed, bytes uint64 }

// fetchPlain takes plain commands at the head of q, at most so many, and says how many
// there were.
func (c *Controller) fetchPlain(q *subq, most int) (n int) {
	if c.faults != nil || c.cfg.Observer != nil || q.admin || q.marked != 0 {
		return 0
	}
	cq, page, longest := q.cq, int64(1)<<(c.pageShift&63), c.longest()
	room := c.io.room()
	if room <= 0 {
		return 0
	}
	cmd := c.io.next() // it is taken only if the medium needs time
	var ns *namespace
	var count plainCount
	posted, passed := 0, 0
	var first *spec.CQE // the entry that was posted first
	var firstWord spec.CQEDword3
	for ; n < most && q.head != q.tail && room > 0; n++ {
		e := &q.ring[q.head] // the host's: each of its fields is read once, as in fetch
		word, cdw12 := e.CDW0(), e.CDW12()
		if !isPlain(word, cdw12) {
			break
		}
		if nsid := e.NSID(); ns == nil || ns.id != nsid {
			if ns = c.plainNamespace(nsid); ns == nil {
				break
			}
		}
		blocks, slba, prp1 := uint64(cdw12&0xffff)+1, e.SLBA(), e.PRP1()
		size := int64(blocks << (ns.shift & 63))
		if !ns.inRange(slba, blocks) || size > longest || prp1&3 != 0 || size > page-int64(prp1)&(page-1) {
			break
		}
		if _, ok := c.mem.Window(prp1, int(size)); !ok {
			break
		}
		q.head = q.after(q.head)
		op := &cmd.op
		op.Off, op.Len = ns.base+int64(slba<<(ns.shift&63)), size
		op.Kind, op.ForceUnit = OpRead, false
		if word.Opcode() == spec.IOWrite {
			op.Kind, op.ForceUnit = OpWrite, cdw12&spec.RWForceUnit != 0 || c.cacheOff()
		}
		kind := &count[op.Kind&1]
		st, done := c.medium.Begin(op)
		if done && st == spec.Success && c.store == nil && cq.first == nil && !cq.full() {
			kind.passed++
			kind.bytes += uint64(size)
			entry := &cq.ring[cq.tail]
			entry.Fill(0, uint16(q.head), q.id)
			if d := spec.MakeDword3(word.CID(), cq.phase, spec.Success); posted == 0 {
				first, firstWord = entry, d
			} else {
				entry.Append(d)
			}
			cq.advance()
			posted++
			continue
		}
		if posted > passed { // since the last one that needed time
			c.io.passed()
			passed = posted
		}
		kind.begun++
		c.io.get(q, word.CID()) // cmd
		q.executing++
		cmd.opcode, cmd.nsid, cmd.ns, cmd.lba = word.Opcode(), ns.id, ns, slba
		cmd.prp1, cmd.prp2, cmd.sgl = prp1, e.PRP2(), false
		cmd.state = cmdExecuting
		if done {
			c.finishIO(cmd, st)
		}
		if room = c.io.room(); room > 0 {
			cmd = c.io.next()
		}
	}
	c.countPlain(&count)
	if posted > passed {
		c.io.passed()
	}
	if posted > 0 {
		first.HandOver(firstWord) // and all behind it
		c.statusHits[spec.Success] += uint64(posted)
		c.notify(cq, posted)
	}
	return n
}

// isPlain says whether a command is a Read or Write with nothing special about it but
// for FUA.
func isPlain(word spec.SQEDword0, cdw12 uint32) bool {
	switch word & spec.SQEKindMask { // neither fused, nor with an SGL
	case spec.IORead:
		return true
	case spec.IOWrite:
		return cdw12&spec.RWDirectiveMask == 0
	}
	return false
}

// plainNamespace is a namespace that takes reads and writes now; nil: there is none.
func (c *Controller) plainNamespace(nsid uint32) *namespace {
	ns, st := c.findNS(nsid)
	if st != spec.Success || ns.formatting {
		return nil
	}
	return ns
}

// countPlain is what take, begin and, of a device that stores no data, moveGood do for
// each command.
func (c *Controller) countPlain(count *plainCount) {
	r, w := &count[OpRead], &count[OpWrite]
	c.stats.IO[spec.IORead] += r.begun + r.passed
	c.stats.IO[spec.IOWrite] += w.begun + w.passed
	c.stats.ReadsBegun += r.begun + r.passed
	c.stats.WritesBegun += w.begun + w.passed
	c.stats.ReadBytes += r.bytes
	c.stats.WrittenBytes += w.bytes
	c.counts.reads += r.passed
	c.counts.writes += w.passed
}
