package nvme

import "blksim/device/nvme/spec"

// powerCut is power that fails and comes back: the controller is disabled, its
// registers are as after power on, and no command is answered. What no flush,
// forced write or full cache has made safe may be lost, block by block; and
// writes that were executing may be there in part.
func (f *faults) powerCut() {
	c := f.c
	if d := c.store; d != nil {
		if d.cache != nil {
			f.lost += d.cache.powerCut(d.good, f.below)
		}
		for i := range c.io.cmds {
			if cmd := &c.io.cmds[i]; cmd.state == cmdExecuting && cmd.opcode == spec.IOWrite && cmd.partner == nil && f.state[i].held == notHeld {
				f.leaveInPart(cmd)
			}
		}
	}
	if c.csts().SHST() != spec.ShutdownComplete {
		c.counts.unsafeShutdowns++
	}
	c.powerOff()
}

// leaveInPart stores none, all or any of the blocks of a write that was executing.
func (f *faults) leaveInPart(cmd *command) {
	how := f.below(3)
	if how == 0 {
		return
	}
	b := make([]byte, cmd.op.Len)
	if f.c.fromHost(cmd, b) != spec.Success {
		return
	}
	for at, block := int64(0), int64(1)<<cmd.ns.shift; at < cmd.op.Len; at += block {
		if how == 1 || f.below(2) == 0 {
			f.c.store.WriteAt(b[at:at+block], cmd.op.Off+at)
		}
	}
}

// powerOff forgets what does not outlive a loss of power.
func (c *Controller) powerOff() {
	r := &c.regs
	r.mu.Lock()
	r.cc.Store(0)
	r.aqa.Store(0)
	r.asq.Store(0)
	r.acq.Store(0)
	r.queue = r.queue[:0] // a pass that was posted finds nothing
	r.mu.Unlock()
	c.cc = 0
	c.clock = timestamp{}
	c.reset()
	c.setCSTS(0)
}

// remove takes the device away: registers read as ones and writes go nowhere, for
// good.
func (f *faults) remove() {
	f.gone = true
	f.c.powerOff()
	f.c.regs.gone.Store(true)
}
