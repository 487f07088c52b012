package nvme

import "blksim/device/nvme/spec"

// execCancel carries out Cancel (Base 7.1, of revision 2.1). It sees all
// commands of its own queue that were fetched; since a queue is fetched in order,
// that is all that lie before it.
//
// An immediate abort takes the command out of the medium: it is posted with 07h
// before the Cancel is, and counted in dword 0 15:0. Where the medium does not
// let go but the command has more than one stage, it ends at the next one (a
// deferred abort, counted in 31:16). What is neither goes on as if nothing had
// happened.
func (c *Controller) execCancel(cmd *command, e *spec.SQE) {
	s := &c.stats.Cancels
	s.Asked++
	st := c.checkCancel(cmd, e)
	if st != spec.Success {
		s.Invalid++
		c.fail(cmd, st)
		return
	}
	nsid, cid := e.NSID(), uint16(e.CDW10()>>16)
	aborted, deferred := 0, 0
	single := e.CDW11()&3 == spec.CancelSingle
	mismatch := false
	for i, key := range c.io.keys {
		v := &c.io.cmds[i]
		if key>>16 != uint32(cmd.sq.id) || key == noKey || single && v.cid != cid {
			continue
		}
		if nsid != spec.NSIDAll && v.nsid != nsid {
			mismatch = mismatch || single && v.live()
			continue
		}
		took, defers := c.cancelOne(v, cmd)
		aborted += took
		deferred += defers
		if single && took+defers > 0 {
			break
		}
	}
	if mismatch && aborted+deferred == 0 {
		s.Invalid++
		c.fail(cmd, spec.InvalidField) // that command is another namespace's
		return
	}
	cmd.result = uint64(spec.CancelResult(aborted, deferred))
	cmd.cancelled = aborted
	c.complete(cmd, spec.Success)
}

func (c *Controller) checkCancel(cmd *command, e *spec.SQE) spec.Status {
	sqid, cid := uint16(e.CDW10()), uint16(e.CDW10()>>16)
	if nsid := e.NSID(); nsid != spec.NSIDAll {
		if _, st := c.findNS(nsid); st != spec.Success {
			return st
		}
	}
	if sqid != cmd.sq.id {
		return spec.InvalidField
	}
	switch e.CDW11() & 3 {
	case spec.CancelSingle:
		if cid == cmd.cid {
			return spec.InvalidCommandID
		}
	case spec.CancelMultiple:
		if cid != spec.CIDAll {
			return spec.InvalidField
		}
	default:
		return spec.InvalidField
	}
	return spec.Success
}

// cancelOne asks for the end of v: how many commands ended with it (of a fused
// pair both), and how many may yet.
func (c *Controller) cancelOne(v, cancel *command) (took, deferred int) {
	if !v.live() {
		return 0, 0
	}
	if !c.takeBack(v) {
		if v.opcode == spec.IOCopy && v.op.Kind == OpRead && !v.deferred {
			v.deferred = true
			return 0, 1
		}
		return 0, 0
	}
	v.cancel = cancel
	if p := v.partner; p != nil {
		p.cancel = cancel
		c.endPair(v, spec.AbortRequested, spec.AbortRequested)
		return 2, 0
	}
	c.complete(v, spec.AbortRequested)
	return 1, 0
}

// live says whether the command is executing, so that something could end it.
func (v *command) live() bool { return v.state == cmdExecuting || v.state == cmdFused }

// takeBack takes the op of a command, or of the pair that it is of, out of the
// medium.
func (c *Controller) takeBack(v *command) bool {
	if v.state == cmdFused {
		v = v.partner
	}
	if c.faults != nil {
		if held, ok := c.faults.takeBack(v); held {
			return ok
		}
	}
	return c.medium.Abort(&v.op)
}

// postedCancel counts a Cancel whose answer the host has.
func (c *Controller) postedCancel(cmd *command) {
	c.stats.Cancels.Immediate += uint64(cmd.cancelled)
	cmd.cancelled = 0
}
