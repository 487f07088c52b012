package stack

import (
	"sync/atomic"

	"blksim/aio"
	"blksim/blk"
)

// mirror is RAID 1.
type mirror struct {
	lost []atomic.Bool // by leg: it is out, its data is old
}

// Mirror keeps the same data on all disks. h says whether, and when, reads are
// hedged; nil: they are not.
func Mirror(disks []*blk.Disk, h *Hedge, o Options) (*Volume, error) {
	v, err := open(disks, o)
	if err != nil {
		return nil, err
	}
	v.limits.Capacity = v.smallest(int64(v.limits.BlockSize))
	v.mirror = &mirror{lost: make([]atomic.Bool, len(disks))}
	if h != nil {
		if err := h.Validate(); err != nil {
			return nil, err
		}
		for _, q := range v.ports {
			if q != nil {
				q.hedge.init(*h)
			}
		}
	}
	return v, nil
}

// cut makes the children of p: one for a read, one for each leg for the rest.
func (m *mirror) cut(p *parent) {
	off, size := p.k.Off(), p.k.Len()
	if p.op == aio.OpRead {
		if leg := m.pick(p); leg >= 0 {
			m.read(p, leg)
			p.port.hedge.began(p)
		}
		return
	}
	for leg := range m.lost {
		if !m.lost[leg].Load() {
			p.child(leg, off, 0, size)
		}
	}
}

// read adds a read of a leg to p. Hedged ones have a buffer of their own.
func (m *mirror) read(p *parent, leg int) *child {
	c := p.child(leg, p.k.Off(), 0, p.k.Len())
	if p.port.hedge.on {
		c.buf = p.port.hedge.buffer(p.k.Len())
	}
	return c
}

// pick is the next leg in turn that p was not sent to; -1: none.
func (m *mirror) pick(p *parent) int {
	q := p.port
	for range m.lost {
		leg := q.turn
		if q.turn++; q.turn == len(m.lost) {
			q.turn = 0
		}
		if !m.lost[leg].Load() && !p.asked(leg) {
			return leg
		}
	}
	return -1
}

// asked says whether p has a child on a leg.
func (p *parent) asked(leg int) bool {
	for _, c := range p.children[:p.count] {
		if c.disk == leg {
			return true
		}
	}
	return false
}

// ended is the end of a child of a mirror's I/O.
func (m *mirror) ended(c *child) {
	if c.p.op == aio.OpRead {
		m.readEnded(c)
		return
	}
	if c.p.left == 0 {
		m.writeEnded(c.p)
	}
}

// writeEnded is the end of all legs. It is done if one leg did it, and a leg that
// did not, although another one did, is lost.
func (m *mirror) writeEnded(p *parent) {
	best := p.children[0]
	for _, c := range p.children[:p.count] {
		if c.whole() && !best.whole() {
			best = c
		}
	}
	if best.whole() {
		for _, c := range p.children[:p.count] {
			if !c.whole() && !m.lost[c.disk].Swap(true) {
				p.port.stats.LegsLost++
			}
		}
	}
	p.complete(best.ev.Status, best.ev.N)
}

// whole says that a child was done in full.
func (c *child) whole() bool {
	return c.ev.Status == aio.OK && (c.ev.N == c.size || c.p.op == aio.OpFlush)
}

// readEnded is the end of one leg's read.
func (m *mirror) readEnded(c *child) {
	p := c.p
	q := p.port
	if p.done { // it lost
		if c.ev.Status == aio.Cancelled {
			q.stats.LosersCancelled++
		} else {
			q.stats.LosersLate++
		}
		return
	}
	if c.whole() {
		m.won(c)
		return
	}
	if c.ev.Status != aio.OK && c.ev.Status != aio.Cancelled && !p.k.Cancelled() {
		if leg := m.pick(p); leg >= 0 {
			q.stats.ReadRetries++
			m.read(p, leg)
			p.send()
			return
		}
	}
	if p.left > 0 {
		return // another leg may yet answer
	}
	// The failure of a leg tells more than that another one was cancelled.
	for _, o := range p.children[:p.count] {
		if c.ev.Status == aio.Cancelled && o.ev.Status != aio.Cancelled {
			c = o
		}
	}
	if c.buf != nil {
		copy(p.k.Buf()[:c.ev.N], c.buf)
	}
	p.complete(c.ev.Status, c.ev.N)
}

// won ends a read with c's data and cancels the others.
func (m *mirror) won(c *child) {
	p := c.p
	q := p.port
	if c.buf != nil {
		copy(p.k.Buf(), c.buf)
	}
	q.hedge.sample(q.lane.Now().Sub(p.begun))
	if c.hedge {
		q.stats.HedgesWon++
	}
	p.complete(aio.OK, c.size)
	for _, o := range p.children[:p.sent] {
		if !o.ended {
			q.v.ctx.Cancel(o.id)
		}
	}
}
