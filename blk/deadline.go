package blk

import "blksim/aio/lane"

// A deadline cancels its bio when its time has come, as a user would. It belongs
// to a hardware queue, as its timer does, and is used again.
type deadline struct {
	h     *hwQueue
	bio   *bio // nil: in the pool
	timer lane.Timer
	next  *deadline // in the pool
}

// keep sees to b's deadline.
func (h *hwQueue) keep(b *bio, at lane.Time) {
	d := h.dues
	if d == nil {
		d = &deadline{h: h}
		d.timer = h.lane.NewTimer(d.expired)
	} else {
		h.dues = d.next
	}
	d.bio, b.due = b, d
	left := at.Sub(h.lane.Now())
	if left <= 0 {
		h.stats.Expired++
		b.k.Cancel() // its dispatch will find it
		return
	}
	d.timer.Arm(left)
}

// unkeep forgets b's deadline: it has ended.
func (h *hwQueue) unkeep(b *bio) {
	if d := b.due; d != nil {
		d.timer.Stop()
		d.bio, b.due = nil, nil
		d.next, h.dues = h.dues, d
	}
}

func (d *deadline) expired() {
	b := d.bio
	if b == nil {
		return
	}
	d.h.stats.Expired++
	b.k.Cancel()
	d.h.cancelled(b) // it may have no callback; and nothing is gained by a post
	d.h.rerun()
}
