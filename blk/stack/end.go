package stack

import "blksim/aio"

// arrived is the end of a child, on its parent's lane.
func (c *child) arrived() {
	p := c.p
	q := p.port
	c.ended = true
	q.numbers = append(q.numbers, c.place)
	p.left--
	ev := &c.ev
	if ev.Started {
		p.started = true
		if p.dispatched == 0 || ev.Dispatched < p.dispatched {
			p.dispatched = ev.Dispatched
		}
		p.returned = max(p.returned, ev.Returned)
	}
	if q.v.mirror != nil {
		q.v.mirror.ended(c)
	} else if p.left == 0 {
		st, n := p.outcome()
		p.complete(st, n)
	}
	if p.left == 0 {
		p.recycle()
	}
	q.sendWaiting()
}

// outcome is the result of the children of a linear or striped I/O, by the rule of
// package blk for a split one: bytes up to the first gap; the failure nearest to
// the start; Cancelled only if nothing was done.
func (p *parent) outcome() (st aio.Status, n int64) {
	gap, good, cut := false, int64(0), false
	for _, c := range p.children[:p.count] {
		good += c.ev.N
		if !gap {
			n += c.ev.N
		}
		gap = gap || c.ev.Status != aio.OK || c.ev.N < c.size
		switch {
		case c.ev.Status == aio.Cancelled:
			cut = true
		case st == aio.OK:
			st = c.ev.Status
		}
	}
	if st == aio.OK && cut && good == 0 {
		return aio.Cancelled, 0
	}
	return st, n
}

// complete ends the I/O. Children of it may be left, if they are of no use any
// more.
func (p *parent) complete(st aio.Status, n int64) {
	p.done = true
	p.timer.Stop()
	p.late.Stop()
	var t aio.Times
	if p.started {
		t = aio.Times{Dispatched: p.dispatched, Returned: p.returned}
	} else {
		p.k.Requeue()
	}
	p.k.CompleteTimed(p.port.lane, st, n, t)
}

// recycle makes the parent free: all its children have ended.
func (p *parent) recycle() {
	for _, c := range p.children[:p.count] {
		p.port.hedge.putBuffer(c.buf)
		c.buf = nil
	}
	p.active = false
	p.count, p.sent, p.left = 0, 0, 0
	q := p.port
	q.free = append(q.free, p)
	if q.active--; q.active == 0 && q.idle != nil {
		f := q.idle
		q.idle = nil
		f()
	}
}
