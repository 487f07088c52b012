package aio

import "blksim/aio/lane"

// A Batch completes I/Os that end together, on one lane: their events are published
// by Flush, all at once. It belongs to the lane. Other completions of the lane in
// between are as without it.
//
// Who would rather say when a batch begins, and has one context, uses [Context.Cork].
type Batch struct {
	lane lane.Lane
	c    *Context // of the I/O that was completed last
	port *port    // the lane's of it; nil: the lane is none of the context's
}

// NewBatch makes a batch for lane l.
func NewBatch(l lane.Lane) Batch { return Batch{lane: l} }

// Complete is Kiocb.CompleteTimed; the event is there after the Flush at the latest.
func (b *Batch) Complete(k Kiocb, st Status, n int64, t Times) Completion {
	if k.c != b.c {
		b.turnTo(k.c)
	}
	if b.port == nil {
		return k.CompleteTimed(b.lane, st, n, t)
	}
	a := &k.slot.word
	if w := load(a); plain(w, k.id) && cas(a, w, withState(w, stateDone)) {
		k.store(st, n, t)
	} else if done := k.finish(st, n, t); done != Delivered {
		return done
	}
	p := b.port
	p.ring.stage(k.id.index())
	if !p.posted && p.corked == 0 {
		p.sendHandler() // from the lane's loop: by then they are published
	}
	return Delivered
}

// Flush publishes what was completed. Before the lane's function ends.
func (b *Batch) Flush() {
	if p := b.port; p != nil && p.corked == 0 {
		p.publish()
	}
}

// turnTo has b complete I/Os of another context.
func (b *Batch) turnTo(c *Context) {
	b.Flush()
	if b.c, b.port = c, c.port(b.lane); b.port != nil {
		b.port.ring.make(c.capacity)
	}
}
