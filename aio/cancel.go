package aio

import (
	"fmt"

	"blksim/aio/lane"
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
func (c *Context) Cancel(id ID) CancelResult { return c.cancel(nil, id) }

// CancelOn is Cancel for a caller on lane l: if that ends the I/O then and there, its
// event goes the way of those that l completes, which is the shortest.
func (c *Context) CancelOn(l lane.Lane, id ID) CancelResult { return c.cancel(l, id) }

func (c *Context) cancel(l lane.Lane, id ID) CancelResult {
	if int(id.index()) >= c.capacity {
		return NotFound
	}
	p := c.table.find(id.index())
	if p == nil {
		return NotFound
	}
	s := &p.slots[id.index()&(pageSlots-1)]
	res, run := cancelAsk(&s.word, id)
	if run {
		c.runCancel(l, Kiocb{c, id, s}, s.callback())
	}
	return res
}

// callback is that of an I/O that the caller has in CANCELLING.
func (s *slot) callback() CancelFunc {
	if h := wordHook(load(&s.word)); h != 0 {
		return hooks.funcs[h]
	}
	step.Read(&s.fn)
	return s.fn
}

// runCancel runs the callback of an I/O that the caller has in CANCELLING, and
// leaves that state.
func (c *Context) runCancel(l lane.Lane, k Kiocb, fn CancelFunc) {
	fn(k)
	if cancelFinish(&k.slot.word) {
		c.post(l, k.id.index())
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
		w := load(&p.slots[index&(pageSlots-1)].word)
		if wordState(w) != stateFree && c.cancel(nil, makeID(wordGen(w), index)) == Accepted {
			n++
		}
	}
	return n
}
