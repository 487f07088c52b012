package nvme

import "blksim/device/nvme/spec"

// An abort is the Abort command of one slot; a queue with Cancel has one for
// each. It goes between two lanes by posts alone:
//
//	queue's lane   Cancel: post ask ......... command completes: post drop ... release: the slot's state goes on
//	admin lane     ask: queue, send if there is room ... drop: take it out if it was not sent ... answer: post release
//
// ask and drop come in this order because one lane posts both. From ask until
// release the slot's identifier is not given to another command, so whatever
// becomes of the Abort, it cannot hit one.
//
// The alternative, a compare-and-swap between the completion and the sending,
// closes nothing: the command may still complete, and its identifier be used
// again, while the Abort is in the admin queue or on its way.
type abort struct {
	command adminCommand
	queue   *queue
	index   uint16
	cid     uint16 // written by Cancel before ask is posted, read until release

	ask, drop, release func() // bound once

	// The admin lane's:
	state      abortState
	prev, next *abort
}

type abortState uint8

const (
	abortIdle   abortState = iota
	abortQueued            // in the aborter's list
	abortSent              // with the controller
)

func (a *abort) bind(q *queue, index uint16) {
	a.queue, a.index = q, index
	aborts := &q.driver.admin.aborts
	a.ask = func() { aborts.ask(a) }
	a.drop = func() { aborts.drop(a) }
	a.release = func() { q.released(a.index) }
	a.command.abort = a
	a.command.done = func(c completion) { aborts.answered(a, c) }
}

// aborter sends Aborts in the order of asking, and no more of them at once than
// the controller takes (Base 5.1: ACL + 1). It belongs to the admin lane.
//
// A controller that never answers Aborts thus holds on to ACL + 1 identifiers
// and no more: the others are dropped when their commands complete.
type aborter struct {
	admin       *admin
	limit       int
	outstanding int
	closed      bool
	paused      bool   // a reset is under way: nothing is sent
	first, last *abort // queued
}

func (b *aborter) ask(a *abort) {
	if b.closed {
		return
	}
	a.state = abortQueued
	a.prev, a.next = b.last, nil
	if b.last != nil {
		b.last.next = a
	} else {
		b.first = a
	}
	b.last = a
	b.pump()
}

// drop takes a out if it was not sent: its command has completed.
func (b *aborter) drop(a *abort) {
	if a.state != abortQueued || b.closed {
		return
	}
	b.remove(a)
	b.admin.stats.dropped.Add(1)
	b.giveBack(a)
}

// pump sends what there is room for.
func (b *aborter) pump() {
	for b.first != nil && b.outstanding < b.limit && !b.closed && !b.paused {
		a := b.first
		e := b.admin.begin(&a.command, spec.AdminAbort, 0)
		if e == nil {
			break
		}
		e.SetCDW10(spec.AbortCDW10(a.queue.rings.id, a.cid))
		b.remove(a)
		a.state = abortSent
		b.outstanding++
		b.admin.stats.sent.Add(1)
	}
	b.admin.rings.ring()
}

// answered is the completion of a's Abort. The answer changes nothing but the
// counts: what became of the command, its own completion tells.
func (b *aborter) answered(a *abort, c completion) {
	b.outstanding--
	stats := &b.admin.stats
	switch {
	case !c.status.OK():
		stats.failed.Add(1)
	case c.result&spec.AbortNotDone != 0:
		stats.notDone.Add(1)
	default:
		stats.done.Add(1)
	}
	b.giveBack(a)
}

func (b *aborter) giveBack(a *abort) {
	a.state = abortIdle
	a.queue.lane.Post(a.release)
}

func (b *aborter) remove(a *abort) {
	if a.prev != nil {
		a.prev.next = a.next
	} else {
		b.first = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	} else {
		b.last = a.prev
	}
	a.prev, a.next = nil, nil
}
