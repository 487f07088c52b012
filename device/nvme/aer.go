package nvme

import "blksim/device/nvme/spec"

// Asynchronous events (Base 5.2). An event waits until there is a request for it.
// Once told, its type is masked until the host reads the log page that the event
// names; what happens meanwhile is told after that. Several events of one kind
// that wait are one.

// eventTypes is how many types there are: error, health, notice.
const eventTypes = 3

// events is the state of the asynchronous events.
type events struct {
	held    []*command         // event requests, oldest first
	wait    [eventTypes]uint32 // information values that wait, a bit each
	masked  [eventTypes]bool
	changed []uint32 // namespaces that have changed since the log page was read, ascending
}

// logOf is the log page that clears a type.
var logOf = [eventTypes]uint8{spec.EventError: spec.LogErrors, spec.EventHealth: spec.LogHealth, spec.EventNotice: spec.LogNamespaces}

// holdEvent is Asynchronous Event Request.
func (c *Controller) holdEvent(cmd *command) {
	if len(c.ev.held) >= c.cfg.EventLimit {
		c.fail(cmd, spec.AERLimitExceeded)
		return
	}
	cmd.state = cmdHeld
	c.ev.held = append(c.ev.held, cmd)
	c.tellEvents()
}

// raiseEvent makes an event.
func (c *Controller) raiseEvent(typ, info uint8) {
	c.ev.wait[typ] |= 1 << info
	c.tellEvents()
}

// tellEvents tells events for as long as there are requests.
func (c *Controller) tellEvents() {
	for typ := range uint8(eventTypes) {
		for info := uint8(0); c.ev.wait[typ] != 0 && !c.ev.masked[typ] && len(c.ev.held) > 0; info++ {
			if c.ev.wait[typ]>>info&1 == 0 {
				continue
			}
			cmd := c.ev.held[0]
			c.ev.held = c.ev.held[:copy(c.ev.held, c.ev.held[1:])]
			c.ev.wait[typ] &^= 1 << info
			c.ev.masked[typ] = true
			cmd.result = uint64(spec.EventDword0(typ, info, logOf[typ]))
			c.complete(cmd, spec.Success)
		}
	}
}

// dropHeld takes an event request that is aborted off the list.
func (c *Controller) dropHeld(cmd *command) {
	for i, h := range c.ev.held {
		if h == cmd {
			c.ev.held = append(c.ev.held[:i], c.ev.held[i+1:]...)
			return
		}
	}
}

// readLog is what reading a log page does to the events.
func (c *Controller) readLog(lid uint8) {
	for typ, l := range logOf {
		if l == lid {
			c.ev.masked[typ] = false
		}
	}
	c.tellEvents()
}

// resetEvents forgets requests and events; the list of changed namespaces too,
// since a host reads them all after a reset.
func (c *Controller) resetEvents() {
	c.ev = events{held: c.ev.held[:0], changed: c.ev.changed[:0]}
}

// namespaceChanged notes that a namespace has appeared, vanished or changed.
func (c *Controller) namespaceChanged(nsid uint32) {
	at := 0
	for at < len(c.ev.changed) && c.ev.changed[at] < nsid {
		at++
	}
	if at == len(c.ev.changed) || c.ev.changed[at] != nsid {
		c.ev.changed = append(c.ev.changed, 0)
		copy(c.ev.changed[at+1:], c.ev.changed[at:])
		c.ev.changed[at] = nsid
	}
	if c.feat.asyncEvents()&spec.EventNamespace != 0 {
		c.raiseEvent(spec.EventNotice, spec.NoticeNamespace)
	}
}
