package nvme

import (
	"math/bits"
	"time"

	"blksim/device/nvme/spec"
)

// regWrite is a register write that the lane has yet to act upon.
type regWrite struct {
	off   uint32
	value uint32
}

// Read32 reads a register; what is not there reads as 0 (Base 3.1.3).
func (c *Controller) Read32(off uint32) uint32 {
	if c.regs.gone.Load() {
		return ^uint32(0) // nobody answers on the bus
	}
	if off&4 != 0 {
		switch off - 4 {
		case spec.RegCAP, spec.RegASQ, spec.RegACQ:
			return uint32(c.Read64(off-4) >> 32)
		}
	}
	switch off {
	case spec.RegCAP, spec.RegASQ, spec.RegACQ:
		return uint32(c.Read64(off))
	case spec.RegVS:
		return spec.Version
	case spec.RegINTMS, spec.RegINTMC:
		return c.regs.mask.Load()
	case spec.RegCC:
		return c.regs.cc.Load()
	case spec.RegCSTS:
		return c.regs.csts.Load()
	case spec.RegAQA:
		return c.regs.aqa.Load()
	case spec.RegCRTO:
		return uint32(c.cap.Fields().TO) // CRWMT, with the media; CRIMT is not there
	}
	return 0
}

// Read64 reads an 8-byte register, or two neighbours of 4 bytes.
func (c *Controller) Read64(off uint32) uint64 {
	if c.regs.gone.Load() {
		return ^uint64(0)
	}
	switch off {
	case spec.RegCAP:
		return uint64(c.cap)
	case spec.RegASQ:
		return c.regs.asq.Load()
	case spec.RegACQ:
		return c.regs.acq.Load()
	}
	if off&7 != 0 {
		return 0
	}
	return uint64(c.Read32(off)) | uint64(c.Read32(off+4))<<32
}

// Write32 writes a register or rings a doorbell.
func (c *Controller) Write32(off uint32, v uint32) {
	if off >= spec.RegDoorbells {
		c.ring32(off, v)
		return
	}
	r := &c.regs
	if r.gone.Load() {
		return
	}
	r.mu.Lock()
	post := false
	switch off {
	case spec.RegINTMS:
		r.mask.Store(r.mask.Load() | v)
		post = r.enqueue(off, v)
	case spec.RegINTMC:
		r.mask.Store(r.mask.Load() &^ v)
		post = r.enqueue(off, v)
	case spec.RegCC:
		r.cc.Store(v)
		post = r.enqueue(off, v)
	case spec.RegAQA:
		r.aqa.Store(v & 0x0fff_0fff)
	case spec.RegASQ:
		r.asq.Store(r.asq.Load()&^0xffff_ffff | uint64(v&^0xfff))
	case spec.RegASQ + 4:
		r.asq.Store(r.asq.Load()&0xffff_ffff | uint64(v)<<32)
	case spec.RegACQ:
		r.acq.Store(r.acq.Load()&^0xffff_ffff | uint64(v&^0xfff))
	case spec.RegACQ + 4:
		r.acq.Store(r.acq.Load()&0xffff_ffff | uint64(v)<<32)
	case spec.RegCSTS:
		if v&^uint32(spec.CSTSNSSRO) != 0 {
			r.errs.Add(1) // the others are read-only
		}
		post = r.enqueue(off, v)
	case spec.RegNSSR:
		if v == spec.SubsystemReset { // another value does nothing
			r.cc.Store(0)
			r.aqa.Store(0)
			r.asq.Store(0)
			r.acq.Store(0)
			post = r.enqueue(off, v)
		}
	default:
		r.errs.Add(1) // read-only, reserved or unaligned
	}
	r.mu.Unlock()
	if post {
		c.lane.Post(r.pass)
	}
}

// Write64 writes an 8-byte register, or two neighbours of 4 bytes, the lower
// one first. A doorbell has 4 bytes: an 8-byte write there is an error.
func (c *Controller) Write64(off uint32, v uint64) {
	if off&7 != 0 || off >= spec.RegDoorbells {
		c.regs.errs.Add(1)
		return
	}
	c.Write32(off, uint32(v))
	c.Write32(off+4, uint32(v>>32))
}

// enqueue keeps a write for the lane and says whether a pass must be posted.
func (r *registers) enqueue(off, v uint32) (post bool) {
	r.queue = append(r.queue, regWrite{off, v})
	r.pending.Store(true)
	post, r.posted = !r.posted, true
	return post
}

// applyWrites acts upon the register writes, in order. Doorbells that a sender
// rang before such a write are in the doorbells' own bits by now, and go first;
// those that it rang after it are in the queue.
func (c *Controller) applyWrites() {
	r := &c.regs
	r.mu.Lock()
	writes := r.queue
	r.queue, r.spare = r.spare[:0], nil
	r.posted = false
	r.mu.Unlock()
	c.sweep()
	for _, w := range writes {
		switch w.off {
		case spec.RegCC:
			c.fetchAll() // what was rung before counts as fetched before
			c.applyCC(spec.CC(w.value))
		case spec.RegCSTS:
			c.setCSTS(c.csts() &^ (spec.CSTS(w.value) & spec.CSTSNSSRO))
		case spec.RegNSSR:
			c.subsystemReset()
		case spec.RegINTMS:
			c.masked |= w.value
		case spec.RegINTMC:
			c.unmask(w.value)
		default:
			c.applyDoorbell(int(w.off-spec.RegDoorbells)>>(2+c.cfg.DoorbellStride), w.value)
		}
	}
	r.mu.Lock()
	r.spare = writes[:0]
	r.pending.Store(len(r.queue) > 0)
	r.mu.Unlock()
	c.Settle()
}

func (c *Controller) csts() spec.CSTS { return spec.CSTS(c.regs.csts.Load()) }

func (c *Controller) setCSTS(v spec.CSTS) { c.regs.csts.Store(uint32(v)) }

// minPageShift is CAP.MPSMIN: 4 KiB.
const minPageShift = 12

func pageShift(page int) uint8 { return uint8(bits.TrailingZeros(uint(page))) }

// readyTimeout is CAP.TO: the ready delay in units of 500 ms, with one to spare
// for a host that counts in coarse ticks.
func readyTimeout(cfg Config) uint8 {
	return uint8(min(255, cfg.ReadyDelay/(500*time.Millisecond)+2))
}
