package nvme

import "blksim/device/nvme/spec"

// execIO decodes an I/O command and starts it (NVM 3.2). Checks are in the order
// of the fields, so that a command with several faults has one answer.
func (c *Controller) execIO(cmd *command, e *spec.SQE) {
	op := &cmd.op
	op.ForceUnit = false
	var st spec.Status
	switch cmd.opcode {
	case spec.IORead:
		op.Kind = OpRead
		st = c.decodeRW(cmd, e)
	case spec.IOWrite:
		op.Kind = OpWrite
		st = c.decodeRW(cmd, e)
	case spec.IOFlush:
		op.Kind = OpFlush
		st = c.checkCommon(e)
	case spec.IOWriteZeroes:
		op.Kind = OpTrim
		st = c.decodeWriteZeroes(cmd, e)
	case spec.IODatasetManagement:
		op.Kind = OpTrim
		st = c.decodeDSM(cmd, e)
	default:
		st = spec.InvalidOpcode
	}
	if st != spec.Success {
		c.fail(cmd, st)
		return
	}
	switch op.Kind {
	case OpRead:
		c.stats.ReadsBegun++
	case OpWrite:
		c.stats.WritesBegun++
	}
	cmd.state = cmdExecuting
	if st, done := c.medium.Begin(op); done {
		c.finishIO(cmd, st)
	}
}

// checkCommon checks what all I/O commands have. There are no fused operations
// (FUSES 0), no SGLs (SGLS 0), and one namespace.
func (c *Controller) checkCommon(e *spec.SQE) spec.Status {
	if e.Fuse() != 0 || e.PSDT() != 0 {
		return spec.InvalidField
	}
	if n := e.NSID(); n != namespaceID && (n != spec.NSIDAll || e.Opcode() != spec.IOFlush) {
		return spec.InvalidNamespace
	}
	return spec.Success
}

// decodeRW decodes Read and Write (NVM 3.2.4, 3.2.6). Limited retry, the dataset
// hints and protection information change nothing on this namespace;
// directives are not supported.
func (c *Controller) decodeRW(cmd *command, e *spec.SQE) spec.Status {
	if st := c.checkCommon(e); st != spec.Success {
		return st
	}
	cdw12 := e.CDW12()
	blocks := int64(cdw12&0xffff) + 1
	n := blocks << c.lbaShift
	op := &cmd.op
	switch {
	case op.Kind == OpWrite && cdw12&spec.RWDirectiveMask != 0:
		return spec.InvalidField
	case c.cfg.MDTS != 0 && n > 1<<(minPageShift+c.cfg.MDTS):
		return spec.InvalidField
	case !c.inRange(e.SLBA(), uint64(blocks)):
		return spec.LBAOutOfRange
	}
	op.Off, op.Len = int64(e.SLBA())<<c.lbaShift, n
	op.ForceUnit = op.Kind == OpWrite && (cdw12&spec.RWForceUnit != 0 || c.feat.cacheOff)
	cmd.prp1, cmd.prp2 = e.PRP1(), e.PRP2()
	return c.checkPRPs(cmd, int(n))
}

func (c *Controller) inRange(slba, blocks uint64) bool {
	return slba < c.blocks && blocks <= c.blocks-slba
}

// finishIO ends a command that the medium has finished: this is the moment when
// its data moves.
func (c *Controller) finishIO(cmd *command, st spec.Status) {
	op := &cmd.op
	if st == spec.Success {
		switch op.Kind {
		case OpRead:
			if c.store != nil {
				st = c.moveData(cmd)
			}
			if st == spec.Success {
				c.stats.ReadBytes += uint64(op.Len)
			}
		case OpWrite:
			if c.store != nil {
				st = c.moveData(cmd)
			}
			if st == spec.Success {
				c.stats.WrittenBytes += uint64(op.Len)
			}
		case OpTrim:
			if c.store != nil {
				for _, r := range op.Ranges {
					c.store.Zero(r.Off, r.Len)
				}
			}
		}
	}
	c.complete(cmd, st)
}

// moveData copies between the store and the host's buffer. The PRPs were good
// when the command was fetched; a host that has broken its list since then gets
// an error, and of a write what came before it.
func (c *Controller) moveData(cmd *command) spec.Status {
	op := &cmd.op
	w := c.walk(cmd, int(op.Len))
	off := op.Off
	for {
		b, st := w.next()
		if b == nil {
			return st
		}
		if op.Kind == OpRead {
			c.store.ReadAt(b, off)
		} else {
			c.store.WriteAt(b, off)
		}
		off += int64(len(b))
	}
}
