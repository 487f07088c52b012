package nvme

import (
	"math/bits"
	"sync/atomic"

	"blksim/device/nvme/spec"
)

// doorbells takes doorbell writes from any lane. A write stores the value,
// marks the register dirty, and posts one pass over the dirty ones unless a pass
// is already on its way: a run of doorbells costs one Post, and a doorbell costs
// no lock and no memory. What is rung twice before the pass is seen once, with
// its last value, which is all that a doorbell means.
//
// The value pairs with its dirty bit (stored before it is set, loaded after it
// is cleared), the bit with the flag likewise; so a write is never missed. A
// pass may find the value of a write whose bit comes only later, and then find
// it again: therefore an unchanged value is not an error here.
type doorbells struct {
	values []atomic.Uint32 // 2*qid: tail, 2*qid+1: head
	dirty  []atomic.Uint64 // a bit for each value
	posted atomic.Bool
	pass   func() // bound once
}

func (d *doorbells) init(queues int, pass func()) {
	d.values = make([]atomic.Uint32, 2*queues)
	d.dirty = make([]atomic.Uint64, (2*queues+63)/64)
	d.pass = pass
}

// ring32 is a write in the doorbell area (PCIe 3.1.2).
func (c *Controller) ring32(off uint32, v uint32) {
	d := &c.bells
	i := (off - spec.RegDoorbells) >> (2 + c.cfg.DoorbellStride)
	if off&(4<<c.cfg.DoorbellStride-1) != 0 || i >= uint32(len(d.values)) {
		c.regs.errs.Add(1)
		return
	}
	if c.regs.pending.Load() {
		// A pass that was posted before those writes must not see this one.
		r := &c.regs
		r.mu.Lock()
		post := r.enqueue(off, v)
		r.mu.Unlock()
		if post {
			c.lane.Post(r.pass)
		}
		return
	}
	d.values[i].Store(v)
	d.dirty[i/64].Or(1 << (i % 64))
	if !d.posted.Load() && !d.posted.Swap(true) {
		c.lane.Post(d.pass)
	}
}

// applyDoorbells is the pass.
func (c *Controller) applyDoorbells() {
	c.bells.posted.Store(false)
	c.sweep()
	c.Settle()
}

// sweep takes all doorbells that were rung: new heads first, because they make
// room for completions, then new tails.
func (c *Controller) sweep() {
	d := &c.bells
	for w := range d.dirty {
		if d.dirty[w].Load() == 0 {
			continue
		}
		set := d.dirty[w].Swap(0)
		const tails = 0x5555_5555_5555_5555
		for b := set &^ tails; b != 0; b &= b - 1 {
			i := w*64 + bits.TrailingZeros64(b)
			c.setHead(i/2, d.values[i].Load())
		}
		for b := set & tails; b != 0; b &= b - 1 {
			i := w*64 + bits.TrailingZeros64(b)
			c.setTail(i/2, d.values[i].Load())
		}
	}
}

// applyDoorbell takes one doorbell, by its number.
func (c *Controller) applyDoorbell(i int, v uint32) {
	if i&1 == 0 {
		c.setTail(i/2, v)
	} else {
		c.setHead(i/2, v)
	}
}

// setTail takes submission queue qid's new tail. A value outside the queue, or
// one that would put more into it than fits, is an error event (Base 5.2,
// Invalid Doorbell Write Value) and changes nothing.
func (c *Controller) setTail(qid int, v uint32) {
	q := c.sqs[qid]
	if c.state != ready || q == nil || q.deleting != nil {
		c.doorbellError(qid, spec.ErrorDoorbellRegister)
		return
	}
	if v >= q.entries || q.pending()+distance(q.tail, v, q.entries) >= q.entries {
		c.doorbellError(qid, spec.ErrorDoorbellValue)
		return
	}
	q.tail = v
	c.changedSQ(q)
	if !q.active && q.head != v {
		c.arb.add(q)
	}
}

// setHead takes completion queue qid's new head. The host cannot consume more
// entries than were posted.
func (c *Controller) setHead(qid int, v uint32) {
	q := c.cqs[qid]
	if c.state != ready || q == nil {
		c.doorbellError(qid, spec.ErrorDoorbellRegister)
		return
	}
	if v >= q.entries || distance(q.head, v, q.entries) > distance(q.head, q.tail, q.entries) {
		c.doorbellError(qid, spec.ErrorDoorbellValue)
		return
	}
	q.head = v
	c.drain(q)
}
