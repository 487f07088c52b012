package aio

import (
	"context"
	"runtime"

	"blksim/aio/lane"
	"blksim/internal/step"
)

// An Event tells how one I/O ended.
type Event struct {
	ID         ID
	Data       uint64    // from the IO
	N          int64     // bytes transferred
	Dispatched lane.Time // when its target handed it to the device; 0: never, or not noted
	Returned   lane.Time // when the device gave it back; 0: never, or not noted
	Status     Status

	// Started: the I/O was handed to its device. With Status Cancelled it tells
	// apart what was aborted in the device and what the device never saw.
	Started bool
	// CancelAsked: a cancel was accepted before the I/O completed. With a
	// Status other than Cancelled it came too late to change anything.
	CancelAsked bool
}

const (
	waitReaper = 1 << iota
	waitCloser
)

// post sends an I/O that the caller moved to DONE to its reaper. The slot stays as
// it is until then. l is the caller's lane, or nil.
func (c *Context) post(l lane.Lane, index uint32) {
	if p := c.port(l); p != nil {
		if p.ring.own == nil {
			p.ring.make(c.capacity)
		}
		p.ring.stage(index)
		if p.corked == 0 {
			p.publish()
		}
		return
	}
	c.outside.push(index, c.capacity)
	if c.onEvents != nil {
		step.Write(&c.outPosted)
		if c.outPosted.CompareAndSwap(false, true) {
			c.ports[0].lane.Post(c.ports[0].outFn)
		}
	}
	c.wakeUp()
}

// Cork has completions on lane l wait until Uncork, which publishes them together:
// for a target that completes many I/Os at once, to whom the reader's lane is far. The
// two are called in pairs, within one function that the lane runs; pairs may lie in
// each other. StartBatch is run between such a pair.
func (c *Context) Cork(l lane.Lane) { c.port(l).corked++ }

// Uncork ends what Cork began.
func (c *Context) Uncork(l lane.Lane) { c.port(l).uncork() }

func (p *port) uncork() {
	if p.corked--; p.corked == 0 {
		p.publish()
	}
}

// publish shows what is staged, if anything is, and sees to it that somebody looks.
func (p *port) publish() {
	if p.ring.staged == p.ring.tail.Load() {
		return
	}
	p.ring.publish()
	p.sendHandler()
	p.c.wakeUp()
}

// sendHandler has the lane's events given to the handler, if there is one.
func (p *port) sendHandler() {
	if p.c.onEvents != nil && !p.posted {
		p.posted = true
		p.lane.Post(p.drainFn)
	}
}

// wakeUp wakes who sleeps. It stands after the push that it is about; the
// sleeper sets its bit before it looks a last time.
func (c *Context) wakeUp() {
	step.Read(&c.waiters)
	w := c.waiters.Load()
	if w&waitReaper != 0 {
		signal(c.wake)
	}
	if w&waitCloser != 0 {
		signal(c.idle)
	}
}

// signal leaves a token in a channel of capacity 1.
func signal(ch chan struct{}) {
	step.Write(ch)
	select {
	case ch <- struct{}{}:
	default:
	}
}

// drain gives the lane's events to the handler. On the lane, from its loop.
func (p *port) drain() {
	p.posted = false
	p.handle(&p.ring)
}

// drainOutside does so for the events of no lane. On Lanes[0].
func (p *port) drainOutside() {
	step.Write(&p.c.outPosted)
	p.c.outPosted.Store(false)
	p.handle(&p.c.outside.ring)
}

func (p *port) handle(r *ring) {
	c := p.c
	for n := r.waits(); n > 0; {
		// The handler may submit: its places must be free by then.
		got := c.reapRing(r, p.evs[:min(n, drainBatch)])
		n -= got
		c.release(got)
		c.onEvents(p.lane, p.evs[:got])
	}
}

// Events waits until at least min events are there, moves at most len(evs) of
// them to evs, and returns how many. It returns early with ctx's error when ctx
// ends, and with ErrClosed when the context is closed and everything was reaped;
// the events it got by then count. With min 0 it never waits. Outside all lanes;
// calls of several goroutines take turns: one with min 0 that finds another at it
// returns nothing.
func (c *Context) Events(ctx context.Context, min int, evs []Event) (int, error) {
	if c.onEvents != nil {
		panic("aio: Events on a context with OnEvents")
	}
	if min > len(evs) {
		min = len(evs)
	}
	if !c.reaping.tryTake() {
		if min <= 0 {
			return 0, nil
		}
		if err := c.reaping.wait(ctx); err != nil {
			return 0, err
		}
	}
	n := c.reap(evs)
	if n >= min {
		c.reaping.give()
		return n, nil
	}
	return c.await(ctx, min, evs, n)
}

// await is the rest of Events, for a caller that has its turn and n events, which
// are too few.
func (c *Context) await(ctx context.Context, min int, evs []Event, n int) (int, error) {
	defer c.reaping.give()
	// Who would complete what is missing may only be waiting for this core: then it has
	// done so when we are back, and neither had to be woken.
	runtime.Gosched()
	if ctx.Done() != nil { // else it never ends, and there is nothing to be made for it
		defer context.AfterFunc(ctx, func() { signal(c.wake) })()
	}
	c.sleepers(waitReaper, true)
	defer c.sleepers(waitReaper, false)
	for {
		if n += c.reap(evs[n:]); n >= min {
			return n, nil
		}
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if c.isClosed() && c.places() == 0 {
			return n, ErrClosed
		}
		step.Recv(c.wake)
	}
}

// reap moves events from all rings, in the order of the lanes.
func (c *Context) reap(evs []Event) int {
	n := 0
	for _, p := range c.ports {
		if n < len(evs) {
			n += c.reapRing(&p.ring, evs[n:])
		}
	}
	if n < len(evs) {
		n += c.reapRing(&c.outside.ring, evs[n:])
	}
	if n > 0 {
		c.release(n)
	}
	return n
}

// reapRing makes events of what waits in a ring, at most len(evs), and frees the slots:
// each is FREE, in a new generation, before its tag can be taken. The caller is the
// ring's consumer, and gives the places back.
func (c *Context) reapRing(r *ring, evs []Event) int {
	n := min(r.waits(), len(evs))
	if n == 0 {
		return 0
	}
	step.Read(&r.buf)
	buf := *r.buf.Load()
	// The tags of one group, whose slots are on one page, go back together.
	group, mask := uint32(0), uint32(0)
	p := c.table.find(0)
	evs = evs[:n]
	for k := range evs {
		index := r.shift(buf)
		if g := index / groupTags; g != group {
			if mask != 0 {
				c.tags.give(group, mask)
			}
			group, mask, p = g, 0, c.table.find(index)
		}
		mask |= 1 << (index % groupTags)
		s, ev := &p.slots[index&(pageSlots-1)], &evs[k]
		w := load(&s.word)
		step.Read(&s.off)
		// Field by field: a literal is built beside *ev and copied.
		ev.ID, ev.Data, ev.N, ev.Status = makeID(wordGen(w), index), s.data, s.result>>resultShift, Status(s.result)
		ev.Started, ev.CancelAsked = w&flagStarted != 0, w&flagAsked != 0
		if s.result&hasTimes != 0 {
			t := &p.times[index&(pageSlots-1)]
			ev.Dispatched, ev.Returned = t.Dispatched, t.Returned
		} else {
			ev.Dispatched, ev.Returned = 0, 0
		}
		step.Write(&s.fn)
		s.buf = nil
		if w&(flagHasFn|hookMask) == flagHasFn {
			s.fn = nil
		}
		step.Write(&s.word)
		s.word.Store(freed(w))
	}
	c.tags.give(group, mask)
	return n
}

// sleepers sets or clears one bit of waiters.
func (c *Context) sleepers(bit uint32, on bool) {
	step.Write(&c.waiters)
	if on {
		c.waiters.Or(bit)
	} else {
		c.waiters.And(^bit)
	}
}
