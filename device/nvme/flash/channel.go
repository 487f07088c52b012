package flash

import "blksim/aio/lane"

// channel moves the data of one operation at a time between controller and page
// registers, in the order of the requests.
type channel struct {
	f       *Flash
	timer   lane.Timer
	due     lane.Time
	current *operation
	queue   list[operation]
}

func (c *channel) init(f *Flash) {
	c.f = f
	c.timer = f.lane.NewTimer(c.fire)
}

// enqueue asks for the transfer of o's bytes; its die waits.
func (c *channel) enqueue(o *operation, t lane.Time) {
	if c.current == nil {
		c.begin(o, t)
		return
	}
	o.state = opWaiting
	c.queue.push(&o.node)
}

func (c *channel) begin(o *operation, t lane.Time) {
	c.current = o
	o.state = opTransfer
	// c.due is when the channel became free.
	c.due = max(c.due, t).Add(transfer(o.bytes, c.f.cfg.ChannelRate))
	c.timer.Arm(c.due.Sub(c.f.lane.Now()))
}

func (c *channel) fire() {
	o, t := c.current, c.due
	c.current = nil
	if next := c.queue.pop(); next != nil {
		c.begin(next, t)
	}
	o.die.transferred(o, t)
}
