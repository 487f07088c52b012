package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// control is what concerns all queues together: it belongs to the lane of the
// first, and talks to the others by posts.
type control struct {
	disk     *Disk
	lane     lane.Lane
	resetter driver.Resetter // nil: the driver has none

	resetting bool
	round     int // of the reset that is under way
	timer     lane.Timer
	dying     bool
	resets    int64
	failed    int64 // resets that did not bring the device back
}

func (c *control) init(d *Disk) {
	c.disk, c.lane = d, d.queues[0].lane
	c.resetter, _ = d.drv.(driver.Resetter)
	c.timer = c.lane.NewTimer(c.resetExpired)
}

// all runs f for each queue, on its lane, and then done on the control's. f calls
// its argument when it has done its part, at once or later. Any goroutine.
func (d *Disk) all(f func(h *hwQueue, done func()), done func()) {
	c := &d.control
	left := len(d.queues)
	part := func() {
		if left--; left == 0 && done != nil {
			done()
		}
	}
	for _, h := range d.queues {
		h.lane.Post(func() {
			f(h, func() { c.lane.Post(part) })
		})
	}
}

// The following may be called from anywhere. Each returns at once, and calls done,
// which may be nil, on the lane of the first queue when what it says is so.

// Quiesce keeps the queues from giving anything to the driver. What is with the
// driver goes on, and what is submitted waits. Quiesces nest.
func (d *Disk) Quiesce(done func()) {
	d.all(func(h *hwQueue, ok func()) { h.stopped++; ok() }, done)
}

// Resume ends a Quiesce.
func (d *Disk) Resume(done func()) {
	d.all(func(h *hwQueue, ok func()) {
		if h.stopped--; h.stopped < 0 {
			panic("blk: Resume without a Quiesce")
		}
		h.run()
		ok()
	}, done)
}

// Drain waits until each queue has been without any I/O, waiting or with the
// driver. It keeps nothing from being submitted, so it may take for ever.
func (d *Disk) Drain(done func()) {
	d.all(func(h *hwQueue, ok func()) { h.whenIdle(ok) }, done)
}

// Freeze holds back what arrives from now on, where a cancel finds it, and waits
// until all that arrived before has ended: then the disk can be changed.
func (d *Disk) Freeze(done func()) {
	d.all(func(h *hwQueue, ok func()) {
		h.frozen = true
		h.whenIdle(ok)
	}, done)
}

// Unfreeze lets what was held back go.
func (d *Disk) Unfreeze(done func()) {
	d.all(func(h *hwQueue, ok func()) { h.thaw(); ok() }, done)
}

// Remove is the removal of the device while it is in use: what waits ends as Gone,
// and what is submitted later too; the driver is asked to cancel what it has. done
// is called when it has given all of it back, or that has timed out; then the
// disk can be closed.
func (d *Disk) Remove(done func()) {
	d.dead.Store(true)
	d.all(func(h *hwQueue, ok func()) {
		h.remove()
		if h.can.Canceler != nil {
			for i := range h.slots {
				if s := &h.slots[i]; s.used() && !s.cancelSent {
					h.abort(s)
				}
			}
		}
		h.whenIdle(ok)
	}, done)
}

// whenIdle calls f when the queue has nothing to do.
func (h *hwQueue) whenIdle(f func()) {
	h.idlers = append(h.idlers, f)
	h.run()
}

// hold has b wait for the thaw.
func (h *hwQueue) hold(b *bio) {
	h.putHeld(h.requestOf(b))
}

func (h *hwQueue) putHeld(r *request) {
	r.place = inHeld
	r.setWaits(r)
	h.held.push(r)
	h.fresh = append(h.fresh, r)
}

// thaw lets what is held go its way from the start.
func (h *hwQueue) thaw() {
	h.frozen = false
	for r := h.held.head; r != nil; r = h.held.head {
		h.take(r)
		b := r.bios.head
		r.bios.remove(b)
		b.parts--
		h.putRequest(r)
		h.enqueue(b)
	}
	h.run()
}

// remove ends all that waits.
func (h *hwQueue) remove() {
	h.removed, h.frozen = true, false
	for {
		r := h.held.head
		if r == nil {
			r = h.urgent.head
		}
		if r == nil {
			r = h.front.head
		}
		if r != nil {
			h.take(r)
		} else if e := h.sched.Next(h.lane.Now()); e != nil {
			r = e.Owner.(*request)
			r.given = h.feedback != nil
			h.index.remove(r)
			h.waiting--
			r.place = nowhere
			r.setWaits(nil)
		} else if r = h.flushes.waiting; r == nil {
			return
		}
		if r == h.flushes.waiting {
			h.flushes.waiting = nil
		}
		if r.Op == aio.OpFlush {
			h.flushed(r, aio.Gone)
		} else {
			h.settle(r, aio.Gone, 0)
		}
	}
}

// askReset has the device reset, unless that is under way. Any lane.
func (c *control) askReset() { c.lane.Post(c.beginReset) }

// beginReset stops all queues and then resets the device.
func (c *control) beginReset() {
	if c.resetting || c.dying {
		return
	}
	c.resetting = true
	c.resets++
	c.round++
	round := c.round
	c.timer.Arm(c.disk.opts.ResetTimeout)
	c.disk.all(func(h *hwQueue, ok func()) {
		h.stopped++
		h.resetting = true
		ok()
	}, func() {
		c.resetter.Reset(func(err error) {
			c.lane.Post(func() { c.endReset(round, err == nil) })
		})
	})
}

// endReset lets the queues go on. What the driver still has although it is back it
// has forgotten.
func (c *control) endReset(round int, ok bool) {
	if !c.resetting || round != c.round {
		return // it had been given up
	}
	c.resetting = false
	c.timer.Stop()
	if !ok {
		c.failed++
		c.die()
	}
	c.disk.all(func(h *hwQueue, done func()) {
		if ok {
			h.giveUpAll(aio.TimedOut)
		}
		h.resetting = false
		h.stopped--
		h.run()
		done()
	}, nil)
}

func (c *control) resetExpired() { c.endReset(c.round, false) }

// die ends everything: the device does not answer, and nothing brings it back.
// Any lane.
func (c *control) die() {
	c.disk.dead.Store(true)
	c.disk.all(func(h *hwQueue, done func()) {
		h.remove()
		h.giveUpAll(aio.TimedOut)
		h.rerun()
		done()
	}, func() { c.dying = true })
}

// giveUpAll ends what the driver has.
func (h *hwQueue) giveUpAll(st aio.Status) {
	for i := range h.slots {
		if s := &h.slots[i]; s.used() {
			h.giveUp(s, st)
		}
	}
}
