package nvme

import (
	"math"

	"blksim/device/nvme/spec"
)

// execIO decodes an I/O command that is not fused and starts it.
func (c *Controller) execIO(cmd *command, e *spec.SQE) {
	if e.Fuse() != spec.FuseNone {
		st := spec.InvalidField
		if e.Fuse() == spec.FuseSecond && c.fuses() != 0 {
			st = spec.FusedMissing // its first one is not in front of it
		}
		c.fail(cmd, st)
		return
	}
	if cmd.opcode == spec.IOCancel {
		c.execCancel(cmd, e)
		return
	}
	if st := c.decodeIO(cmd, e); st != spec.Success {
		c.fail(cmd, st)
		return
	}
	c.begin(cmd)
}

// decodeIO checks an I/O command (NVM 3.2) and sets its op up. The checks are in
// the order of the fields, so that a command with several faults has one answer.
func (c *Controller) decodeIO(cmd *command, e *spec.SQE) spec.Status {
	if !c.hasIO(cmd.opcode) {
		return spec.InvalidOpcode
	}
	if e.PSDT() == 3 {
		return spec.InvalidField
	}
	cmd.op.ForceUnit = false
	if cmd.opcode == spec.IOFlush && e.NSID() == spec.NSIDAll {
		cmd.op.Kind = OpFlush
		return spec.Success
	}
	var st spec.Status
	if cmd.ns, st = c.findNS(e.NSID()); st != spec.Success {
		return st
	}
	if cmd.ns.formatting {
		return spec.FormatInProgress
	}
	switch cmd.opcode { // no table of functions: it would put every entry on the heap
	case spec.IORead:
		return c.decodeRead(cmd, e)
	case spec.IOWrite:
		return c.decodeWrite(cmd, e)
	case spec.IOCompare:
		return c.decodeCompare(cmd, e)
	case spec.IOWriteZeroes:
		return c.decodeWriteZeroes(cmd, e)
	case spec.IODatasetManagement:
		return c.decodeDSM(cmd, e)
	case spec.IOVerify:
		return c.decodeVerify(cmd, e)
	case spec.IOCopy:
		return c.decodeCopy(cmd, e)
	}
	cmd.op.Kind = OpFlush
	return spec.Success
}

// hasIO says whether there is such an I/O command.
func (c *Controller) hasIO(opcode uint8) bool {
	switch opcode {
	case spec.IOFlush, spec.IORead, spec.IOWrite, spec.IOWriteZeroes, spec.IODatasetManagement, spec.IOVerify,
		spec.IOCopy, spec.IOCancel:
		return true
	case spec.IOCompare:
		return c.store != nil // without data there is nothing to compare with
	}
	return false
}

// begin gives cmd's op to the medium.
func (c *Controller) begin(cmd *command) {
	switch cmd.opcode {
	case spec.IORead:
		c.stats.ReadsBegun++
	case spec.IOWrite:
		c.stats.WritesBegun++
	}
	cmd.state = cmdExecuting
	if c.faults != nil && c.faults.strike(cmd) {
		return
	}
	if st, done := c.medium.Begin(&cmd.op); done {
		c.finishIO(cmd, st)
	}
}

func (c *Controller) decodeRead(cmd *command, e *spec.SQE) spec.Status {
	cmd.op.Kind = OpRead
	return c.decodeTransfer(cmd, e)
}

// decodeWrite decodes Write (NVM 3.2.6). Directives are not supported.
func (c *Controller) decodeWrite(cmd *command, e *spec.SQE) spec.Status {
	cmd.op.Kind = OpWrite
	cmd.op.ForceUnit = e.CDW12()&spec.RWForceUnit != 0 || c.cacheOff()
	if e.CDW12()&spec.RWDirectiveMask != 0 {
		return spec.InvalidField
	}
	return c.decodeTransfer(cmd, e)
}

// decodeTransfer decodes what Read, Write and Compare have (NVM 3.2.4, 3.2.6,
// 3.2.1). Limited retry, the dataset hints and protection information change
// nothing on a namespace without metadata; FUA of a read is met by any read.
func (c *Controller) decodeTransfer(cmd *command, e *spec.SQE) spec.Status {
	blocks := int64(e.CDW12()&0xffff) + 1
	n := blocks << cmd.ns.shift
	if c.tooLong(n) {
		return spec.InvalidField
	}
	if st := cmd.setBlocks(e.SLBA(), uint64(blocks)); st != spec.Success {
		return st
	}
	cmd.setData(e)
	return c.checkData(cmd, int(n))
}

// tooLong says that a transfer of n bytes passes MDTS.
func (c *Controller) tooLong(n int64) bool { return n > c.longest() }

// longest is the most bytes of a transfer (MDTS).
func (c *Controller) longest() int64 {
	if c.cfg.MDTS == 0 {
		return math.MaxInt64
	}
	return 1 << ((minPageShift + c.cfg.MDTS) & 63)
}

// setBlocks makes the op one on those blocks of the namespace.
func (cmd *command) setBlocks(slba, blocks uint64) spec.Status {
	cmd.lba = slba
	if !cmd.ns.inRange(slba, blocks) {
		return spec.LBAOutOfRange
	}
	x := cmd.ns.extent(slba, blocks)
	cmd.op.Off, cmd.op.Len = x.Off, x.Len
	return spec.Success
}

// finishIO goes on with a command whose op the medium has finished. For most it
// is the moment when the data moves, and the end.
func (c *Controller) finishIO(cmd *command, st spec.Status) {
	if c.faults != nil && st == spec.Success {
		st = c.faults.state[cmd.slot].status
	}
	if cmd.ns != nil && cmd.ns.gone {
		st = spec.InvalidNamespace // its blocks may be another namespace's by now
	}
	switch {
	case cmd.partner != nil:
		c.finishFused(cmd, st)
		return
	case cmd.opcode == spec.IOCopy:
		c.stepCopy(cmd, st)
		return
	}
	if st == spec.Success {
		st = c.moveData(cmd)
	}
	c.complete(cmd, st)
}

// moveData does what cmd does with data, and what faults do with that.
func (c *Controller) moveData(cmd *command) spec.Status {
	if c.faults == nil {
		return c.moveGood(cmd)
	}
	old := c.faults.before(cmd)
	st := c.moveGood(cmd)
	if st == spec.Success {
		c.faults.after(cmd, old)
	}
	return st
}

func (c *Controller) moveGood(cmd *command) spec.Status {
	op := &cmd.op
	st := spec.Success
	switch cmd.opcode {
	case spec.IORead:
		if st = c.copyData(cmd); st == spec.Success {
			c.stats.ReadBytes += uint64(op.Len)
			c.counts.reads++
		}
	case spec.IOWrite:
		if st = c.copyData(cmd); st == spec.Success {
			c.stats.WrittenBytes += uint64(op.Len)
			c.counts.writes++
		}
	case spec.IOCompare:
		c.counts.reads++
		st = c.compare(cmd)
	case spec.IOWriteZeroes, spec.IODatasetManagement:
		for _, r := range op.Ranges {
			c.zero(r)
		}
	}
	return st
}

// zero makes an extent of the medium read as zeroes.
func (c *Controller) zero(r Extent) {
	if c.store != nil {
		c.store.Zero(r.Off, r.Len)
	}
}

// copyData copies between the store and the host's buffer. The data pointer was
// good when the command was fetched; a host that has broken its list since then
// gets an error, and of a write what came before it.
func (c *Controller) copyData(cmd *command) spec.Status {
	if c.store == nil {
		return spec.Success
	}
	op := &cmd.op
	w := c.walk(cmd, int(op.Len))
	off := op.Off
	for {
		b, n, st := w.next()
		switch {
		case n == 0:
			return st
		case b == nil: // a bit bucket
		case op.Kind == OpRead:
			c.store.ReadAt(b, off)
		default:
			c.store.WriteAt(b, off)
		}
		off += int64(n)
	}
}
