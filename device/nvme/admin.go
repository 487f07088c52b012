package nvme

import "blksim/device/nvme/spec"

// namespaceID is the one namespace.
const namespaceID = 1

// execAdmin carries out an admin command (Base 5).
func (c *Controller) execAdmin(cmd *command, e *spec.SQE) {
	if e.Fuse() != 0 || e.PSDT() != 0 {
		if cmd.opcode == spec.AdminAbort {
			c.stats.Aborts.Asked++
			c.stats.Aborts.Invalid++
		}
		c.fail(cmd, spec.InvalidField)
		return
	}
	cmd.prp1, cmd.prp2 = e.PRP1(), e.PRP2()
	var st spec.Status
	switch cmd.opcode {
	case spec.AdminIdentify:
		st = c.identify(cmd, e)
	case spec.AdminCreateCQ:
		st = c.createCQ(e)
	case spec.AdminCreateSQ:
		st = c.createSQ(e)
	case spec.AdminDeleteCQ:
		st = c.deleteCQ(e)
	case spec.AdminDeleteSQ:
		if st = c.deleteSQ(cmd, e); st == spec.Success {
			return // completes when the queue is empty
		}
	case spec.AdminSetFeatures:
		st = c.setFeatures(cmd, e)
	case spec.AdminGetFeatures:
		st = c.getFeatures(cmd, e)
	case spec.AdminAbort:
		c.execAbort(cmd, e)
		return
	case spec.AdminAsyncEvent:
		// Held until there is an event; so far nothing makes one (Base 5.2).
		if c.events < c.cfg.EventLimit {
			c.events++
			cmd.state = cmdHeld
			return
		}
		st = spec.AERLimitExceeded
	default:
		st = spec.InvalidOpcode
	}
	if st != spec.Success {
		c.fail(cmd, st)
		return
	}
	c.complete(cmd, spec.Success)
}

// postedAdmin keeps account of the commands whose number is limited, once the
// host knows that they have ended.
func (c *Controller) postedAdmin(cmd *command) {
	if cmd.opcode == spec.AdminAbort {
		c.postedAbort(cmd)
	}
}
