package aio

import (
	"context"

	"blksim/internal/step"
)

// Shutdown begins the teardown: no submit succeeds from now on, and every I/O is
// asked to cancel. It does not wait. Any goroutine.
func (c *Context) Shutdown() {
	step.Write(&c.submitted)
	c.submitted.Or(closedBit)
	c.CancelAll()
	c.wakeUp()
}

// InFlight is the number of I/Os that are submitted and have no event yet. It is
// exact while nothing is submitted or reaped, and in a closed context never too
// small.
func (c *Context) InFlight() int {
	// In this order: what completes in between was submitted before.
	step.Read(&c.submitted)
	n := c.submitted.Load() &^ closedBit
	for _, p := range c.ports {
		n -= p.ring.published()
	}
	return int(max(n-c.outside.published(), 0))
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

// Stats counts what is rare.
type Stats struct {
	StaleCompletes int64 // second completions, refused: a target's error
}

// Stats returns the counts so far. Any goroutine.
func (c *Context) Stats() Stats { return Stats{c.stale.Load()} }
