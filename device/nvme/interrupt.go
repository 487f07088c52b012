package nvme

import (
	"math/bits"
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme/spec"
)

// vector is an interrupt vector. Completion queues share one by choice.
type vector struct {
	dirty   bool // it has new entries, and is in Controller.dirty
	entries int  // that no interrupt has told of yet
	admin   bool // one of them is of the admin queue
	alone   bool // feature 09h: no coalescing
	timer   lane.Timer
	armed   bool
}

// coalesceUnit is the unit of the aggregation time (Base 5.27.1.6).
const coalesceUnit = 100 * time.Microsecond

// notify follows n entries that were posted to cq.
func (c *Controller) notify(cq *compq, n int) {
	if cq.vector < 0 {
		return
	}
	v := &c.vectors[cq.vector]
	v.entries += n
	v.admin = v.admin || cq.id == 0
	if !v.dirty {
		v.dirty = true
		c.dirty = append(c.dirty, cq.vector) // within its capacity: one entry a vector
	}
}

// raiseAll raises the vectors that have new entries, or puts it off. Interrupts
// are held back for a number of entries or a time, whichever is over first (Base
// 5.27.1.6); those of the admin queue are not, nor are any where one of the two
// is 0.
func (c *Controller) raiseAll() {
	threshold, wait := int(c.feat.coalescing()&0xff), time.Duration(c.feat.coalescing()>>8&0xff)*coalesceUnit
	for _, i := range c.dirty {
		v := &c.vectors[i]
		v.dirty = false
		if threshold == 0 || wait == 0 || v.alone || v.admin || v.entries > threshold {
			c.raise(i)
			continue
		}
		if !v.armed {
			if v.timer == nil {
				v.timer = c.lane.NewTimer(func() { v.armed = false; c.raise(i) })
			}
			v.armed = true
			v.timer.Arm(wait)
		}
	}
	c.dirty = c.dirty[:0]
}

// raise signals vector i, or remembers it while it is masked.
func (c *Controller) raise(i int) {
	v := &c.vectors[i]
	admin := v.admin
	v.entries, v.admin = 0, false
	v.disarm()
	if i < 32 && c.masked>>i&1 != 0 {
		c.maskedDue |= 1 << i
		return
	}
	if c.faults != nil && !admin && c.faults.swallows() {
		return
	}
	c.irq.Raise(i)
}

func (v *vector) disarm() {
	if v.armed {
		v.armed = false
		v.timer.Stop()
	}
}

// unmask is INTMC: what became due while it was masked is raised now.
func (c *Controller) unmask(vectors uint32) {
	c.masked &^= vectors
	due := c.maskedDue & vectors
	c.maskedDue &^= vectors
	for ; due != 0; due &= due - 1 {
		c.irq.Raise(bits.TrailingZeros32(due))
	}
}

// resetInterrupts forgets what was to be raised.
func (c *Controller) resetInterrupts() {
	for i := range c.vectors {
		v := &c.vectors[i]
		v.disarm()
		v.dirty, v.entries, v.admin, v.alone = false, 0, false, false
	}
	c.dirty = c.dirty[:0]
	c.masked, c.maskedDue = 0, 0
}

// setIRQVector is Interrupt Vector Configuration (Base 5.27.1.7).
func (c *Controller) setIRQVector(v uint32) spec.Status {
	i := int(v & 0xffff)
	if i >= len(c.vectors) {
		return spec.InvalidField
	}
	c.vectors[i].alone = v&spec.IRQVectorNoCoalesce != 0
	return spec.Success
}

func (c *Controller) getIRQVector(v uint32) (uint32, spec.Status) {
	i := int(v & 0xffff)
	if i >= len(c.vectors) {
		return 0, spec.InvalidField
	}
	if c.vectors[i].alone {
		return uint32(i) | spec.IRQVectorNoCoalesce, spec.Success
	}
	return uint32(i), spec.Success
}
