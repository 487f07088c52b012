package nvme

import "blksim/device/nvme/spec"

// Fused Compare and Write (Base 3.4.2, NVM 3.2.1.1). The two commands lie next
// to each other in one queue and are fetched together. The medium reads for the
// compare and then writes; the compare counts when the write is done, in the same
// moment in which its data moves, so that the pair is atomic against everything
// else. The compare is also looked at before the write is begun: a pair that
// fails does not trouble the medium with it.
//
// At any time one of the two has its op with the medium (cmdExecuting) and the
// other waits (cmdFused). They are posted together, the first one first.

// fuses is FUSES. A pair takes two slots.
func (c *Controller) fuses() uint16 {
	if c.store == nil || c.cfg.Slots < 2 {
		return 0
	}
	return spec.FUSESCompareWrite
}

// execFused decodes a pair and starts it.
func (c *Controller) execFused(first, second *command, e1, e2 *spec.SQE) {
	if first.opcode != spec.IOCompare || second.opcode != spec.IOWrite {
		c.failPair(first, second, spec.InvalidField, spec.InvalidField)
		return
	}
	if st := c.decodeIO(first, e1); st != spec.Success {
		c.failPair(first, second, st, spec.FusedFailed)
		return
	}
	if st := c.decodeIO(second, e2); st != spec.Success {
		c.failPair(first, second, spec.FusedFailed, st)
		return
	}
	if first.op.Off != second.op.Off || first.op.Len != second.op.Len {
		c.failPair(first, second, spec.InvalidField, spec.InvalidField)
		return
	}
	first.partner, second.partner = second, first
	second.state = cmdFused
	c.begin(first)
}

func (c *Controller) failPair(first, second *command, st1, st2 spec.Status) {
	c.fail(first, st1)
	c.fail(second, st2)
}

// finishFused goes on after an op of a pair.
func (c *Controller) finishFused(cmd *command, st spec.Status) {
	if cmd.opcode == spec.IOWrite {
		c.finishPair(cmd.partner, cmd, st)
		return
	}
	first, second := cmd, cmd.partner
	if st == spec.Success {
		st = c.compare(first)
	}
	if st != spec.Success {
		c.endPair(first, st, spec.FusedFailed)
		return
	}
	first.state = cmdFused
	c.begin(second)
}

func (c *Controller) finishPair(first, second *command, st spec.Status) {
	if st == spec.Success {
		c.counts.reads++
		if st1 := c.compare(first); st1 != spec.Success {
			c.endPair(first, st1, spec.FusedFailed)
			return
		}
		st = c.moveData(second)
	}
	c.endPair(first, spec.Success, st)
}

// endPair completes the pair that cmd is of: cmd with st, the other with
// partner.
func (c *Controller) endPair(cmd *command, st, partner spec.Status) {
	other := cmd.partner
	cmd.partner, other.partner = nil, nil
	if cmd.opcode == spec.IOWrite {
		c.complete(other, partner)
		c.complete(cmd, st)
		return
	}
	c.complete(cmd, st)
	c.complete(other, partner)
}
