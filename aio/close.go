package aio

import (
	"context"
	"sync/atomic"

	"blksim/internal/step"
)

// Shutdown begins the teardown: no submit succeeds from now on, and every I/O is
// asked to cancel. It does not wait. Any goroutine.
func (c *Context) Shutdown() {
	step.Write(&c.reserved)
	c.reserved.Or(closedBit)
	c.CancelAll()
	c.wakeUp()
}

// closedMeanwhile cancels an I/O that was submitted while Shutdown began: either
// Shutdown's walk sees the I/O, or its submitter sees that the context closed.
func (c *Context) closedMeanwhile(id ID) {
	if c.isClosed() {
		c.cancel(id)
	}
}

// InFlight is the number of I/Os that are submitted and have no event yet. It is
// exact while nothing is submitted or reaped, and in a closed context never too
// small.
func (c *Context) InFlight() int {
	// In this order: what leaves the rings in between was reserved before.
	step.Read(&c.reserved)
	n := int(c.reserved.Load() &^ closedBit)
	for _, p := range c.lanes {
		if p != nil {
			n -= p.ring.len()
		}
	}
	return max(n-c.outside.len(), 0)
}

// Close is Shutdown, and waits until every I/O has its event, which may still be
// reaped afterwards. It returns early with ctx's error. Outside all lanes. In a
// simulation call Shutdown, let the world run, and then Close.
func (c *Context) Close(ctx context.Context) error {
	c.Shutdown()
	if !c.closing.tryTake() {
		if err := c.closing.wait(ctx); err != nil {
			return err
		}
	}
	defer c.closing.give()
	defer context.AfterFunc(ctx, func() { signal(c.idle) })()
	c.sleepers(waitCloser, true)
	defer c.sleepers(waitCloser, false)
	for {
		if c.InFlight() == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		step.Recv(c.idle)
	}
}

type counters struct {
	cancels   [3]atomic.Int64
	callbacks atomic.Int64
	stale     atomic.Int64
}

// Stats counts what is rare.
type Stats struct {
	Accepted, TooLate, NotFound int64 // Cancel's answers
	Callbacks                   int64 // cancel functions run
	StaleCompletes              int64 // second completions, refused: a target's error
}

// Stats returns the counts so far. Any goroutine.
func (c *Context) Stats() Stats {
	return Stats{
		Accepted: c.stats.cancels[Accepted].Load(), TooLate: c.stats.cancels[TooLate].Load(),
		NotFound: c.stats.cancels[NotFound].Load(), Callbacks: c.stats.callbacks.Load(),
		StaleCompletes: c.stats.stale.Load(),
	}
}
