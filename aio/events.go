package aio

import (
	"context"

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

// post puts an event where its reader will find it, and wakes the reader.
func (c *Context) post(l lane.Lane, ev *Event) {
	p := c.port(l)
	if p == nil {
		c.outside.push(ev, c.capacity)
		if c.onEvents != nil {
			step.Write(&c.outPosted)
			if c.outPosted.CompareAndSwap(false, true) {
				c.home.lane.Post(c.home.outFn)
			}
			return
		}
	} else {
		p.ring.push(ev, c.capacity)
		if c.onEvents != nil {
			if !p.posted {
				p.posted = true
				p.lane.Post(p.drainFn)
			}
			return
		}
	}
	c.wakeUp()
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
	for n := r.len(); n > 0; {
		// The handler may submit: its places must be free by then.
		got := r.pop(p.evs[:min(n, drainBatch)])
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
	defer c.reaping.give()
	n := c.reap(evs)
	if n >= min {
		return n, nil
	}
	defer context.AfterFunc(ctx, func() { signal(c.wake) })()
	c.sleepers(waitReaper, true)
	defer c.sleepers(waitReaper, false)
	for {
		if n += c.reap(evs[n:]); n >= min {
			return n, nil
		}
		if err := ctx.Err(); err != nil {
			return n, err
		}
		step.Read(&c.reserved)
		if c.reserved.Load() == closedBit {
			return n, ErrClosed
		}
		step.Recv(c.wake)
	}
}

// reap moves events from all rings, in the order of the lanes.
func (c *Context) reap(evs []Event) int {
	n := 0
	for _, p := range c.lanes {
		if p != nil && n < len(evs) {
			n += p.ring.pop(evs[n:])
		}
	}
	if n < len(evs) {
		n += c.outside.pop(evs[n:])
	}
	if n > 0 {
		c.release(n)
	}
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
