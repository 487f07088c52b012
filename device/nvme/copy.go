package nvme

import "blksim/device/nvme/spec"

// copyMaxRanges is MSRC + 1.
const copyMaxRanges = 128

// decodeCopy decodes Copy (NVM 3.2.2). The medium reads the source ranges one
// after the other and then writes the destination; the data moves at the end, all
// of it read before any of it is written, so that an overlap does no harm.
func (c *Controller) decodeCopy(cmd *command, e *spec.SQE) spec.Status {
	cdw12 := e.CDW12()
	n := int(cdw12&0xff) + 1
	switch {
	case cdw12&spec.CopyFormatMask != 0:
		return spec.InvalidField // OCFS: format 0 alone
	case cdw12&spec.RWDirectiveMask != 0:
		return spec.InvalidField
	case n > copyMaxRanges:
		return spec.CommandSizeLimitExceeded
	}
	cmd.setData(e)
	b := c.page[:n*spec.CopyRangeSize]
	if st := c.fromHost(cmd, b); st != spec.Success {
		return st
	}
	cmd.setRanges(0)
	total, most := uint64(0), uint64(maxCopy)>>cmd.ns.shift
	for ; len(b) > 0; b = b[spec.CopyRangeSize:] {
		slba, blocks := spec.CopyRange(b)
		total += uint64(blocks)
		switch {
		case uint64(blocks) > most || total > most:
			return spec.CommandSizeLimitExceeded
		case !cmd.ns.inRange(slba, uint64(blocks)):
			return spec.LBAOutOfRange
		}
		cmd.op.Ranges = append(cmd.op.Ranges, cmd.ns.extent(slba, uint64(blocks)))
	}
	if !cmd.ns.inRange(e.SLBA(), total) {
		return spec.LBAOutOfRange
	}
	cmd.target = cmd.ns.extent(e.SLBA(), total)
	cmd.forced = cdw12&spec.RWForceUnit != 0 || c.cacheOff()
	cmd.stage = 0
	cmd.setCopyStage()
	return spec.Success
}

// setCopyStage makes the op the next one: the read of source range stage, or
// after the last the write.
func (cmd *command) setCopyStage() {
	op, x := &cmd.op, cmd.target
	op.Kind, op.ForceUnit = OpWrite, cmd.forced
	if cmd.stage < len(op.Ranges) {
		op.Kind, op.ForceUnit = OpRead, false
		x = op.Ranges[cmd.stage]
	}
	op.Off, op.Len = x.Off, x.Len
}

// stepCopy goes on after an op of a Copy. A Cancel that came while the medium
// would not let go of it ends it here (a deferred abort).
func (c *Controller) stepCopy(cmd *command, st spec.Status) {
	if st != spec.Success {
		// Dword 0 is the first range that was not copied; the destination is
		// written as a whole.
		cmd.result = uint64(cmd.stage % len(cmd.op.Ranges))
		c.complete(cmd, st)
		return
	}
	if cmd.op.Kind == OpWrite {
		c.copyBlocks(cmd)
		c.complete(cmd, spec.Success)
		return
	}
	if cmd.deferred {
		c.stats.Cancels.Deferred++
		c.complete(cmd, spec.AbortRequested)
		return
	}
	cmd.stage++
	cmd.setCopyStage()
	c.begin(cmd)
}

func (c *Controller) copyBlocks(cmd *command) {
	c.counts.reads++
	c.counts.writes++
	c.counts.copied += uint64(cmd.target.Len)
	if c.store == nil {
		return
	}
	if c.scratch == nil {
		c.scratch = make([]byte, maxCopy)
	}
	b := c.scratch[:0]
	for _, r := range cmd.op.Ranges {
		n := len(b)
		b = b[:n+int(r.Len)]
		c.store.ReadAt(b[n:], r.Off)
	}
	x := cmd.target
	c.store.before(x.Off, x.Len, 1<<cmd.ns.shift)
	c.store.WriteAt(b, x.Off)
	c.store.written(x.Off, x.Len, cmd.forced)
}
