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
	ok := f.CSS == 0 && f.MPS <= lim.MPSMAX && f.AMS == 0 &&
		aqa.SQEntries() >= 2 && aqa.CQEntries() >= 2 && (asq|acq)&mask == 0
	var sq, cq []byte
	if ok {
		if sq, ok = c.mem.Window(asq, aqa.SQEntries()*spec.SQESize); ok {
			cq, ok = c.mem.Window(acq, aqa.CQEntries()*spec.CQESize)
		}
	}
	if !ok {
		c.state = fatal
		c.setCSTS(c.csts() | spec.CSTSFatal)
		return
	}
	c.cqs[0] = &compq{ring: cq, entries: uint32(aqa.CQEntries()), phase: true, users: 1}
	c.sqs[0] = &subq{ring: sq, entries: uint32(aqa.SQEntries()), admin: true, cq: c.cqs[0]}
	c.shutdown = false // it may have been asked for while disabled
	c.setCSTS(0)
	c.state = starting
	c.ready.Arm(c.cfg.ReadyDelay)
}

func (c *Controller) becomeReady() {
	c.state = ready
	c.setCSTS(c.csts() | spec.CSTSReady)
}

// reset is CC.EN from 1 to 0 (Base 3.7.2): every queue and every command is
// gone, and nothing is posted or raised for them. AQA, ASQ and ACQ stay.
func (c *Controller) reset() {
	c.ready.Stop()
	c.medium.Reset()
	c.countCutAborts()
	c.state = disabled
	clear(c.sqs)
	clear(c.cqs)
	c.io.reset()
	c.admin.reset()
	c.ring, c.aborts, c.events = nil, 0, 0
	for _, v := range c.dirty {
		c.vectors[v] = false
	}
	c.dirty = c.dirty[:0]
	c.masked, c.maskedDue = 0, 0
	c.regs.mu.Lock()
	c.regs.mask.Store(0)
	c.regs.mu.Unlock()
	c.shutdown = false
	c.feat.reset(c.cfg)
	c.burst = c.feat.burst()
	c.setCSTS(0)
}

// beginShutdown is CC.SHN (Base 3.6.1): nothing more is fetched; a normal
// shutdown flushes the write cache first.
func (c *Controller) beginShutdown(shn uint8) {
	if c.shutdown && c.csts().SHST() != spec.ShutdownIdle {
		return
	}
	c.shutdown = true
	if shn == spec.ShutdownNormal && c.state == ready {
		c.setCSTS(c.csts().WithSHST(spec.ShutdownBusy))
		if _, done := c.medium.Begin(&c.flushOp); !done {
			return
		}
	}
	c.setCSTS(c.csts().WithSHST(spec.ShutdownComplete))
}
