package aio

import (
	"fmt"

	"blksim/internal/step"
)

// CancelResult is Cancel's answer.
type CancelResult uint8

const (
	// Accepted: the I/O is marked, by this call or an earlier one. If it had not
	// been handed to its device it never will be, and its event will say
	// Cancelled; else its event tells what came of it.
	Accepted CancelResult = iota
	// TooLate: the I/O is complete; its event is there or on its way.
	TooLate
	// NotFound: there is no such I/O: it was delivered, or never submitted.
	NotFound
)

// String returns the answer's name.
func (r CancelResult) String() string {
	switch r {
	case Accepted:
		return "accepted"
	case TooLate:
		return "too late"
	case NotFound:
		return "not found"
	}
	return fmt.Sprintf("cancel(%d)", uint8(r))
}

// Cancel asks that the I/O id be cancelled. It never waits and never touches any
// other I/O, however old id is. Whatever it answers, the I/O has exactly one
// event. It runs the target's cancel function, if there is one to run. Any
// goroutine.
func (c *Context) Cancel(id ID) CancelResult {
	r := c.cancel(id)
	c.stats.cancels[r].Add(1)
	return r
}

func (c *Context) cancel(id ID) CancelResult {
	if int(id.index()) >= c.capacity {
		return NotFound
	}
	p := c.table.find(id.index())
	if p == nil {
		return NotFound
	}
	i := id.index() & (pageSlots - 1)
	res, run := cancelAsk(&p.words[i], id)
	if run {
		step.Read(&p.cold[i])
		c.runCancel(Kiocb{c, id}, &p.words[i], p.cold[i].fn)
	}
	return res
}

// runCancel runs the callback of an I/O that the caller has in CANCELLING, and
// leaves that state.
func (c *Context) runCancel(k Kiocb, a *cancelWord, fn CancelFunc) {
	fn(k)
	c.stats.callbacks.Add(1)
	if w, deliver := cancelFinish(a); deliver {
		c.deliver(nil, k.id, w)
	}
}

// CancelAll cancels every I/O that is submitted when it comes by, from the first
// index to the last, and returns how many it asked. Any goroutine.
func (c *Context) CancelAll() int {
	n := 0
	for index := range uint32(c.capacity) {
		p := c.table.find(index)
		if p == nil {
			continue
		}
		w := load(&p.words[index&(pageSlots-1)])
		if wordState(w) != stateFree && c.cancel(makeID(wordGen(w), index)) == Accepted {
			n++
		}
	}
	return n
}
