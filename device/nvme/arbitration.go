package nvme

import "blksim/device/nvme/spec"

// Arbitration (Base 3.4.4). Queues of a class that have unfetched commands form a
// circular list; the first one may have up to a burst of commands fetched, and
// then goes to the end.
//
// Round robin has one class, which the admin queue is in as well. Weighted round
// robin with urgent (CC.AMS 1) has five: admin before everything, urgent before
// the rest, and high, medium and low by their weights. A weighted class has as
// many commands fetched in a round as its weight says, the higher one first; a
// round is over when no class with commands has any left.

// class is a class of queues, in the order of their priority.
type class uint8

const (
	classAdmin class = iota
	classUrgent
	classHigh
	classMedium
	classLow
	numClasses
)

type arbiter struct {
	weighted bool
	burst    int
	weight   [numClasses]int
	credit   [numClasses]int   // what is left of the round, of the weighted classes
	last     [numClasses]*subq // of a circular list, so that last.next is the first
}

// set takes the feature's value (Base 5.27.1.1). The round goes on.
func (a *arbiter) set(v uint32) {
	// A burst of 7 says that there is no limit.
	if a.burst = 1 << (v & 7); v&7 == 7 {
		a.burst = 1 << 30
	}
	a.weight[classLow] = int(v>>8&0xff) + 1
	a.weight[classMedium] = int(v>>16&0xff) + 1
	a.weight[classHigh] = int(v>>24&0xff) + 1
	for k := classHigh; k <= classLow; k++ {
		a.credit[k] = min(a.credit[k], a.weight[k])
	}
}

// reset forgets all queues and starts with the arbitration of CC.AMS.
func (a *arbiter) reset(ams uint8) {
	*a = arbiter{weighted: ams == spec.AMSWeighted, burst: a.burst, weight: a.weight}
}

// classOf is the class of an I/O queue of that priority (QPRIO, Base 5.5).
func (a *arbiter) classOf(prio uint8) class {
	if !a.weighted {
		return classAdmin
	}
	return classUrgent + class(prio)
}

// add puts q at the end of its class.
func (a *arbiter) add(q *subq) {
	q.active, q.credit = true, a.burst
	last := a.last[q.class]
	if last == nil {
		q.next = q
	} else {
		q.next = last.next
		last.next = q
	}
	a.last[q.class] = q
}

// dropFirst takes the first queue off the list of k.
func (a *arbiter) dropFirst(k class) {
	last := a.last[k]
	q := last.next
	q.active = false
	if q == last {
		a.last[k] = nil
	} else {
		last.next = q.next
	}
	q.next = nil
}

// first is the queue whose turn it is, or nil.
func (a *arbiter) first() *subq {
	if k := a.turn(); k < numClasses {
		return a.last[k].next
	}
	return nil
}

// turn is the class whose turn it is.
func (a *arbiter) turn() class {
	if a.last[classAdmin] != nil {
		return classAdmin
	}
	if !a.weighted {
		return numClasses
	}
	if a.last[classUrgent] != nil {
		return classUrgent
	}
	for range 2 {
		for k := classHigh; k <= classLow; k++ {
			if a.last[k] != nil && a.credit[k] > 0 {
				return k
			}
		}
		a.credit = a.weight // a new round
	}
	return numClasses
}

// most is how many commands may be fetched from q, the first of its class, before it is
// another's turn.
func (a *arbiter) most(q *subq) int {
	if a.weighted && q.class > classUrgent {
		return min(q.credit, a.credit[q.class])
	}
	return q.credit
}

// fetched accounts for n commands of q, the first of its class.
func (a *arbiter) fetched(q *subq, n int) {
	a.credit[q.class] -= n // may go below 0 by the second of a fused pair
	if q.credit -= n; q.credit <= 0 {
		q.credit = a.burst
		a.last[q.class] = q // the first becomes the last
	}
}

// fetchAll fetches commands for as long as there are any and slots for them.
// I/O queues share their slots and wait for one in their turn; the admin queue
// has its own, and does not wait behind them, nor does a Cancel at the head of
// its queue.
func (c *Controller) fetchAll() {
	if c.state != ready || c.shutdown {
		return
	}
	for q := c.arb.first(); q != nil; q = c.arb.first() {
		switch {
		case q.head == q.tail || q.deleting != nil:
			c.arb.dropFirst(q.class)
			continue
		case q.admin && c.admin.room() == 0:
			c.arb.dropFirst(q.class) // freeing a slot brings it back
			continue
		}
		n := c.fetchPlain(q, c.arb.most(q))
		if n == 0 {
			n = c.fetch(q)
		}
		switch {
		case n > 0:
			c.arb.fetched(q, n)
		case !c.fetchAhead(): // no slot, and nothing has freed one
			return
		}
	}
}

// fetchAhead fetches what does not need an I/O slot, although the queue whose
// turn it is does and cannot go on. It says whether there was a Cancel, which may
// have freed some.
func (c *Controller) fetchAhead() (cancels bool) {
	if a := c.sqs[0]; a.active {
		for a.head != a.tail && c.admin.room() > 0 {
			c.fetch(a)
		}
	}
	for k := range numClasses {
		last := c.arb.last[k]
		if last == nil {
			continue
		}
		for q := last.next; ; q = q.next {
			for q.cancelFirst() && c.fetch(q) > 0 {
				cancels = true
			}
			if q == last {
				break
			}
		}
	}
	return cancels
}

// cancelFirst says whether a Cancel is the next to be fetched.
func (q *subq) cancelFirst() bool {
	return !q.admin && q.deleting == nil && q.head != q.tail &&
		q.ring[q.head].Opcode() == spec.IOCancel
}
