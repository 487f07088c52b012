package nvme

import "blksim/device/nvme/spec"

// execAdmin carries out an admin command (Base 5). Over PCI Express admin
// commands use PRPs, and none is fused.
func (c *Controller) execAdmin(cmd *command, e *spec.SQE) {
	if e.Fuse() != spec.FuseNone || e.PSDT() != 0 {
		if cmd.opcode == spec.AdminAbort {
			c.stats.Aborts.Asked++
			c.stats.Aborts.Invalid++
		}
		c.fail(cmd, spec.InvalidField)
		return
	}
	cmd.setData(e)
	var st spec.Status
	switch cmd.opcode {
	case spec.AdminIdentify:
		st = c.identify(cmd, e)
	case spec.AdminGetLogPage:
		st = c.getLogPage(cmd, e)
	case spec.AdminCreateCQ:
		st = c.createCQ(e)
	case spec.AdminCreateSQ:
		st = c.createSQ(e)
	case spec.AdminDeleteCQ:
		st = c.deleteCQ(e)
	case spec.AdminSetFeatures:
		st = c.setFeatures(cmd, e)
	case spec.AdminGetFeatures:
		st = c.getFeatures(cmd, e)
	case spec.AdminNSManage:
		st = c.nsManage(cmd, e)
	case spec.AdminNSAttach:
		st = c.nsAttach(cmd, e)
	default:
		c.execWaiting(cmd, e)
		return
	}
	if st != spec.Success {
		c.fail(cmd, st)
		return
	}
	c.complete(cmd, spec.Success)
}

// execWaiting carries out the admin commands whose completion may come later.
func (c *Controller) execWaiting(cmd *command, e *spec.SQE) {
	switch cmd.opcode {
	case spec.AdminDeleteSQ:
		if st := c.deleteSQ(cmd, e); st != spec.Success {
			c.fail(cmd, st)
		}
	case spec.AdminAbort:
		c.execAbort(cmd, e)
	case spec.AdminAsyncEvent:
		c.holdEvent(cmd)
	case spec.AdminFormat:
		c.execFormat(cmd, e)
	default:
		c.fail(cmd, spec.InvalidOpcode)
	}
}

// postedAdmin keeps account of the commands whose number is limited, once the
// host knows that they have ended.
func (c *Controller) postedAdmin(cmd *command) {
	if cmd.opcode == spec.AdminAbort {
		c.postedAbort(cmd)
	}
}
