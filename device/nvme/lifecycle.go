package nvme

import "blksim/device/nvme/spec"

// applyCC acts upon a write of CC (Base 3.1.3.5, 3.5, 3.6).
func (c *Controller) applyCC(v spec.CC) {
	old := c.cc
	c.cc = v
	switch {
	case v.EN() && !old.EN():
		c.enable(v)
	case !v.EN() && old.EN():
		c.reset()
	}
	if v.SHN() != spec.ShutdownNone && v.SHN() != old.SHN() {
		c.beginShutdown(v.SHN())
	}
}

// enable checks what the host has set up and starts the way to ready. A
// controller that cannot work with it says so by CSTS.CFS, and waits for a
// reset.
func (c *Controller) enable(v spec.CC) {
	f, lim := v.Fields(), c.cap.Fields()
	aqa := spec.AQA(c.regs.aqa.Load())
	asq, acq := c.regs.asq.Load(), c.regs.acq.Load()
	c.pageShift = minPageShift + f.MPS
	mask := uint64(1)<<c.pageShift - 1
	ok := f.CSS == 0 && f.MPS <= lim.MPSMAX && f.AMS <= spec.AMSWeighted &&
		aqa.SQEntries() >= 2 && aqa.CQEntries() >= 2 && (asq|acq)&mask == 0
	var sq, cq []byte
	if ok {
		if sq, ok = c.mem.Window(asq, aqa.SQEntries()*spec.SQESize); ok {
			cq, ok = c.mem.Window(acq, aqa.CQEntries()*spec.CQESize)
		}
	}
	if !ok {
		c.Fail()
		return
	}
	c.cqs[0] = &compq{ring: spec.CQEs(cq), entries: uint32(aqa.CQEntries()), phase: true, users: 1}
	c.sqs[0] = &subq{ring: spec.SQEs(sq), entries: uint32(aqa.SQEntries()), admin: true, cq: c.cqs[0]}
	c.arb.reset(f.AMS)
	c.shutdown = false // it may have been asked for while disabled
	c.setCSTS(c.csts() & spec.CSTSNSSRO)
	c.state = starting
	c.ready.Arm(c.cfg.ReadyDelay)
}

func (c *Controller) becomeReady() {
	c.state = ready
	c.setCSTS(c.csts() | spec.CSTSReady)
}

// Fail puts the controller into its fatal state (CSTS.CFS, Base 9.5): it fetches
// and completes nothing any more, until the host resets it. It is what an
// internal error does, and a fault plan. On the controller's lane.
func (c *Controller) Fail() {
	c.ready.Stop()
	c.medium.Reset()
	if c.faults != nil {
		c.faults.reset()
	}
	c.state = fatal
	c.setCSTS(c.csts() | spec.CSTSFatal)
}

// reset is CC.EN from 1 to 0 (Base 3.7.2): every queue and every command is
// gone, and nothing is posted or raised for them. AQA, ASQ and ACQ stay.
func (c *Controller) reset() {
	c.ready.Stop()
	c.medium.Reset()
	if c.faults != nil {
		c.faults.reset()
	}
	c.countCut()
	c.cutFormat()
	c.state = disabled
	for _, q := range c.sqs {
		c.goneSQ(q)
	}
	clear(c.sqs)
	clear(c.cqs)
	c.io.reset()
	c.admin.reset()
	c.arb.reset(0)
	c.aborts = 0
	c.resetEvents()
	c.resetInterrupts()
	c.regs.mu.Lock()
	c.regs.mask.Store(0)
	c.regs.mu.Unlock()
	c.shutdown, c.flushDue = false, false
	c.counts.warned = 0
	c.resetFeatures()
	c.setCSTS(c.csts() & spec.CSTSNSSRO)
}

// subsystemReset is a write of "NVMe" to NSSR (Base 3.7.1): a controller reset
// that takes the registers along.
func (c *Controller) subsystemReset() {
	if c.csts().SHST() != spec.ShutdownComplete {
		c.counts.unsafeShutdowns++
	}
	c.cc = 0
	c.clock = timestamp{}
	c.reset()
	c.setCSTS(spec.CSTSNSSRO)
}

// beginShutdown is CC.SHN (Base 3.6.1): nothing more is fetched. A normal
// shutdown lets what executes end, and flushes; an abrupt one does not.
func (c *Controller) beginShutdown(shn uint8) {
	if c.shutdown && c.csts().SHST() != spec.ShutdownIdle {
		return
	}
	c.shutdown = true
	if shn != spec.ShutdownNormal || c.state != ready {
		c.setCSTS(c.csts().WithSHST(spec.ShutdownComplete))
		return
	}
	c.setCSTS(c.csts().WithSHST(spec.ShutdownBusy))
	c.flushDue = true
	c.goOnShutdown()
}

// goOnShutdown starts the flush of a shutdown as soon as nothing executes.
func (c *Controller) goOnShutdown() {
	if !c.flushDue {
		return
	}
	for i := range c.io.cmds {
		if c.io.cmds[i].live() {
			return
		}
	}
	c.flushDue = false
	if st, done := c.medium.Begin(&c.flushOp); done {
		c.Done(&c.flushOp, st)
	}
}
