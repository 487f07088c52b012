package drivertest

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

// batch submits n jobs at once on a port's lane, and then calls then there, before
// the commit. It returns the slots of those that were taken.
func (b *bench) batch(l *load, n int, then func(s []*slot)) (taken []*slot) {
	b.on(l.p, func() {
		for range n {
			s, st := l.p.submit(l.draw())
			if st != aio.OK {
				break
			}
			taken = append(taken, s)
		}
		if then != nil {
			then(taken)
		}
		if len(taken) > 0 {
			l.p.commit()
		}
	})
	return taken
}

// one opens one queue and makes a load to draw jobs from.
func (b *bench) one(depth int) *load {
	b.queues(1, depth)
	return b.newLoad(b.ports[0], 0, depth)
}

// cancelSome cancels those of a batch that are still with the driver and that a
// coin picks, at least the first.
func (b *bench) cancelSome(p *port, taken []*slot) {
	for i, s := range taken {
		if s.with && (i == 0 || b.rand.Bool(1, 2)) {
			p.cancel(s)
		}
	}
}

// playCancel cancels half of a load at random times, on a queue that is never
// full.
func playCancel(b *bench) {
	b.queues(1, b.depth())
	l := b.newLoad(b.ports[0], jobs, b.ports[0].depth/2)
	l.cancels, l.within = 50, b.within()
	b.run(l)
	b.settle()
	b.close()
}

// within draws the time in which cancels come: from at once to long after most.
func (b *bench) within() time.Duration {
	return time.Microsecond << b.rand.IntN(14)
}

func playCancelQueued(b *bench) {
	l := b.one(b.depth())
	for range 10 {
		b.batch(l, 1+b.rand.IntN(l.p.depth), func(taken []*slot) { b.cancelSome(l.p, taken) })
		b.until(b.idle)
	}
	b.settle()
	b.close()
}

// playCancelCompleting cancels one request at every moment at which something
// happens on its way: just before what happens then, and just after, when what
// that has posted (an interrupt, say) is yet to run. Each is a run of the same
// seed, so the request takes the same way in all.
func playCancelCompleting(b *bench) {
	const most = 16
	moments := []time.Duration{0}
	b.oneIO(nil, func(c *bench, s *slot) {
		for s.with && len(moments) < most && c.world.Step() {
			if now := c.world.Now().Sub(0); now != moments[len(moments)-1] {
				moments = append(moments, now)
			}
		}
	})
	for i, at := range moments {
		b.oneIO(func(l *load, cancel lane.Timer) { cancel.Arm(at) }, nil)
		if i == 0 {
			continue
		}
		// A timer runs after those of its moment that were armed before it: so
		// this one is armed as late as can be.
		before := moments[i-1]
		b.oneIO(func(l *load, cancel lane.Timer) {
			l.p.lane.NewTimer(func() {
				l.p.lane.Post(func() { cancel.Arm(at - before) })
			}).Arm(before)
		}, nil)
	}
	b.close()
}

// oneIO runs the seed's first request alone. arm is called on the lane, before the
// request is submitted, with a timer that cancels it; then is called after.
func (b *bench) oneIO(arm func(l *load, cancel lane.Timer), then func(c *bench, s *slot)) {
	if b.failed() {
		return
	}
	c := newBench(b.open, b.o, b.seed, false, b.later)
	l := c.one(c.depth())
	var s *slot
	c.on(l.p, func() {
		if arm != nil {
			arm(l, l.p.lane.NewTimer(func() {
				if s.with && !c.failed() {
					l.p.cancel(s)
				}
			}))
		}
		var st aio.Status
		if s, st = l.p.submit(l.draw()); st == aio.OK {
			l.p.commit()
		}
	})
	if then != nil && !c.failed() {
		then(c, s)
	}
	c.until(c.idle)
	c.settle()
	c.close()
	b.found = c.found
}

// playCancelDone cancels what is complete, and uses its tag again.
func playCancelDone(b *bench) {
	l := b.one(1)
	for range 10 {
		taken := b.batch(l, 1, nil)
		b.until(b.idle)
		if len(taken) > 0 {
			b.on(l.p, func() { l.p.cancel(taken[0]) })
			if b.rand.Bool(1, 2) {
				b.settle()
			}
		}
	}
	b.settle()
	b.close()
}

// playCancelStale cancels every other request of each tag, and never the others.
func playCancelStale(b *bench) {
	l := b.one(1 + b.rand.IntN(min(4, b.lim.QueueDepth)))
	for i := range 20 {
		taken := b.batch(l, l.p.depth, nil)
		if i%2 == 0 {
			_ = b.pass(b.rand.Duration(0, b.within()+1))
			b.on(l.p, func() { b.cancelSome(l.p, taken) })
		}
		b.until(b.idle)
	}
	b.settle()
	b.close()
}

func playCancelTwice(b *bench) {
	l := b.one(b.depth())
	for range 10 {
		taken := b.batch(l, 1+b.rand.IntN(l.p.depth), nil)
		gap := b.rand.Duration(0, b.within()+1)
		b.on(l.p, func() { b.cancelSome(l.p, taken) })
		if b.rand.Bool(1, 2) {
			_ = b.pass(gap)
		}
		b.on(l.p, func() {
			for _, s := range taken {
				if s.with && s.asked {
					l.p.cancel(s)
				}
			}
		})
		b.until(b.idle)
		b.settle()
	}
	b.close()
}

// playCancelFull cancels a whole queue, and fills it again.
func playCancelFull(b *bench) {
	l := b.one(b.depth())
	for range 6 {
		b.during(func() { l.left = l.p.depth })
		l.start()
		b.until(func() bool { return l.left == 0 })
		b.on(l.p, func() {
			for i := range l.p.slots {
				if s := &l.p.slots[i]; s.with {
					l.p.cancel(s)
				}
			}
		})
		b.until(l.drained)
	}
	// Everything that was taken must have been given back: as many as ever go in
	// at once, if they did at first.
	b.settle()
	b.close()
}

// playCancelOthers cancels on one queue, and on no other.
func playCancelOthers(b *bench) {
	n := b.lanesFor()
	b.queues(n, b.depth())
	var loads []*load
	for _, p := range b.ports {
		l := b.newLoad(p, jobs, p.depth)
		if p.id == 0 {
			l.cancels, l.within = 50, b.within()
		}
		loads = append(loads, l)
	}
	b.run(loads...)
	b.settle()
	b.close()
}

// playCancelData cancels half of the writes and reads of a load whose data is
// known, and looks at the buffers when all is over.
func playCancelData(b *bench) {
	b.queues(1, b.depth())
	p := b.ports[0]
	p.bury = true
	l := b.newLoad(p, 2*jobs, p.depth)
	l.keep(aio.OpRead, aio.OpWrite)
	l.know(newModel(b, l), "cancel-data")
	l.fill()
	b.run(l) // the rest of it goes on below
	b.during(func() { l.left, l.cancels, l.within = 2*jobs, 50, b.within() })
	b.run(l)
	b.during(func() { l.cancels = 0 })
	b.reread(l)
	b.settle()
	p.exhume()
	b.close()
}

// playCancelClose cancels everything and closes as soon as the last is complete.
func playCancelClose(b *bench) {
	l := b.one(b.depth())
	taken := b.batch(l, l.p.depth, nil)
	if b.rand.Bool(1, 2) {
		_ = b.pass(b.rand.Duration(0, b.within()+1))
	}
	b.on(l.p, func() {
		for _, s := range taken {
			if s.with {
				l.p.cancel(s)
			}
		}
	})
	b.until(b.idle)
	b.close()
}
