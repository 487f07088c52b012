package blk

import (
	"blksim/aio"
	"blksim/aio/lane"
)

// A kicker is a place where a bio can be: a cell while it waits, a request's
// slot while the driver has it. A cancel callback runs anywhere, so it only
// posts the place's kick to the place's lane. By then another I/O may be there;
// so a kick names none, but asks whether the one that is there is cancelled. A
// stale kick finds one that is not, or one that is and may as well be served.
type kicker struct {
	lane lane.Lane
	kick func() // bound once
}

// A cell is the place of a bio that waits.
type cell struct {
	kicker
	h   *hwQueue
	bio *bio // nil: nobody waits here
}

// onCancel is the cancel callback of every bio that has one. The bio cannot be
// used for another I/O while it runs.
func onCancel(k aio.Kiocb) {
	at := k.Private().(*bio).at.Load()
	at.lane.Post(at.kick)
}

// arm gives a bio that has to wait a cell and its kiocb a cancel callback, so
// that a cancel takes it out of the middle of the queue. A bio that never waits
// costs none of this.
func (h *hwQueue) arm(b *bio) {
	var c *cell
	if last := len(h.cells) - 1; last >= 0 {
		c = h.cells[last]
		h.cells = h.cells[:last]
	} else {
		c = &cell{h: h}
		c.kicker = kicker{h.lane, c.kicked}
	}
	c.bio = b
	b.cell = c
	b.at.Store(&c.kicker)
	b.armed = true
	// A cancel that came before has the callback run now, which posts the kick.
	_ = b.k.SetCancelFunc(onCancel)
}

// uncell takes a bio's cell away: it waits no more.
func (h *hwQueue) uncell(b *bio) {
	if c := b.cell; c != nil {
		c.bio, b.cell = nil, nil
		h.cells = append(h.cells, c)
	}
}

// kicked takes the bio that waits in c out of the queue, if it is cancelled. On
// the queue's lane.
func (c *cell) kicked() {
	h, b := c.h, c.bio
	if b == nil || !b.k.Cancelled() {
		return
	}
	h.leave(b)
	h.skip(b)
}

// watch has the driver told of a cancel of the I/O in s, if it wants to know.
func (h *hwQueue) watch(s *slot) {
	if h.canceler == nil {
		return
	}
	b := s.bio
	b.at.Store(&s.kicker)
	if b.armed {
		// A callback that ran before the store has kicked the cell.
		if s.k.Cancelled() {
			h.lane.Post(s.kicker.kick)
		}
		return
	}
	b.armed = true
	_ = s.k.SetCancelFunc(onCancel)
}

// kick tells the driver, if the I/O in this slot is one that somebody cancelled.
// On the queue's lane.
func (s *slot) kick() {
	if s.bio == nil || s.cancelSent || !s.k.Cancelled() {
		return
	}
	s.cancelSent = true
	s.h.stats.Kicks++
	s.h.canceler.Cancel(s.req)
}
