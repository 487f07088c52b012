package blk

import (
	"math"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

// The ladder of a request that the driver does not give back:
//
//	Timeout       Poll, for a completion whose interrupt was lost
//	              Cancel, if the driver has it, and AbortTimeout for that
//	AbortTimeout  the device is reset, if the driver has Reset (control.go): all
//	              requests come back, and are sent again
//	ResetTimeout  the device is gone: everything ends
//
// A driver without Reset keeps the request, and its tag, until it completes it after
// all: the bios end with TimedOut, and the buffers are taken out of the request, so
// that the driver does not find them any more. The same clock runs for a request
// whose Cancel a user caused, so a cancel is bounded by AbortTimeout and
// ResetTimeout. The rule of both: what a user cancelled is not sent again.

// A clock is how long a slot may take.
type clock uint8

const (
	noClock clock = iota
	normal        // the timeout
	hurried       // told to cancel: the time for that
	numClocks
)

// A waiter is a slot's place among those whose clock runs.
type waiter struct {
	deadline   lane.Time
	next, prev *slot
}

// waiterList is in order of the deadlines, since all in it have the same clock.
type waiterList struct{ head, tail *slot }

func (l *waiterList) push(s *slot) {
	s.next, s.prev = nil, l.tail
	if l.tail == nil {
		l.head = s
	} else {
		l.tail.next = s
	}
	l.tail = s
}

func (l *waiterList) remove(s *slot) {
	if s.prev == nil {
		l.head = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.tail = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.next, s.prev = nil, nil
}

// timeouts is a queue's clock. One timer serves all requests: it is armed for the
// first one that is due when it was set, and looks again then, so that a request
// that ends in time costs a link and no timer.
type timeouts struct {
	h          *hwQueue
	limit      time.Duration // 0: none
	abortLimit time.Duration
	lists      [numClocks]waiterList // by clock
	timer      lane.Timer
	armed      bool
}

func (t *timeouts) init(h *hwQueue) {
	t.h, t.limit, t.abortLimit = h, h.disk.opts.Timeout, h.disk.opts.AbortTimeout
	t.timer = h.lane.NewTimer(t.fired)
}

// start starts a clock for s, which has none.
func (t *timeouts) start(s *slot, c clock, deadline lane.Time) {
	s.clock, s.deadline = c, deadline
	t.lists[c].push(s)
}

// stop stops the clock of s, if one runs.
func (t *timeouts) stop(s *slot) {
	if s.clock != noClock {
		t.lists[s.clock].remove(s)
		s.clock = noClock
	}
}

// watch starts the clock of s.
func (t *timeouts) watch(s *slot) {
	t.start(s, normal, s.sent.Add(t.limit))
	if !t.armed {
		t.armed = true
		t.timer.Arm(t.limit)
	}
}

// hurry gives s no longer than a cancel may take.
func (t *timeouts) hurry(s *slot) {
	if s.clock == noClock || t.abortLimit == 0 {
		return
	}
	t.stop(s)
	t.start(s, hurried, t.h.lane.Now().Add(t.abortLimit))
	t.arm()
}

// forget stops the clock of s, and the timer if it was the last.
func (t *timeouts) forget(s *slot) {
	if s.clock == noClock {
		return
	}
	t.stop(s)
	if t.armed && t.lists[normal].head == nil && t.lists[hurried].head == nil {
		t.armed = false
		t.timer.Stop()
	}
}

// arm sets the timer for the first that is due.
func (t *timeouts) arm() {
	due := lane.Time(math.MaxInt64)
	for i := range t.lists {
		if s := t.lists[i].head; s != nil {
			due = min(due, s.deadline)
		}
	}
	if t.armed = due != math.MaxInt64; t.armed {
		t.timer.Arm(due.Sub(t.h.lane.Now()))
	}
}

func (t *timeouts) fired() {
	h, now := t.h, t.h.lane.Now()
	if p := h.can.Poller; p != nil && t.due(now) != nil {
		// Whatever is complete is not late, but its interrupt was lost.
		h.stats.LostInterrupts += int64(p.Poll(len(h.slots)))
	}
	for s := t.due(now); s != nil; s = t.due(now) {
		h.timedOut(s)
	}
	t.arm()
	h.rerun()
}

// due is a slot whose time is up.
func (t *timeouts) due(now lane.Time) *slot {
	if s := t.lists[hurried].head; s != nil && s.deadline <= now {
		return s
	}
	if s := t.lists[normal].head; s != nil && s.deadline <= now {
		return s
	}
	return nil
}

// timedOut takes the next step for s.
func (h *hwQueue) timedOut(s *slot) {
	h.stats.Timeouts++
	if h.can.Canceler != nil && !s.cancelSent {
		s.timedOut = true
		h.stats.TimeoutAborts++
		h.abort(s)
		return
	}
	h.timeouts.stop(s) // whatever happens now happens to it
	if h.disk.control.resetter != nil {
		h.disk.control.askReset()
		return
	}
	h.giveUp(s, aio.TimedOut)
	switch {
	case h.tags.shared(), len(h.tags.free) <= h.tags.reserved && h.flight.now == 0:
		h.disk.control.die() // with so many tags lost it would be stuck
	}
}

// giveUp ends the bios of the request in s although the driver has it. The tag is
// lost until the driver gives the request back.
func (h *hwQueue) giveUp(s *slot, st aio.Status) {
	h.makeRequest(s)
	h.taken(s)
	h.returned = h.lane.Now()
	r := s.r
	h.stats.GivenUp++
	s.r, s.lost = nil, true
	s.req.Bufs = nil
	s.vec = nil // the driver may have kept it
	h.timeouts.stop(s)
	h.lost++
	h.flight.change(h.returned, -1)
	if r.Op == aio.OpFlush {
		h.flushed(r, st)
	} else {
		h.settle(r, st, 0)
	}
}

// found is the completion of a request that was given up.
func (h *hwQueue) found(s *slot) {
	h.stats.LateCompletes++
	s.lost = false
	h.lost--
	h.tags.put(s.req.Tag)
	h.rerun()
}
