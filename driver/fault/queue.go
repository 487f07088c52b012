package fault

import (
	"slices"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/sim/faultplan"
)

// queue makes faults, on its lane.
type queue struct {
	d     *wrapped
	f     *Faults
	lane  lane.Lane
	inner driver.Queue
	can   driver.Optional // of inner
	slots []slot          // by tag

	below   int      // requests that are with inner
	fatal   bool     // everything hangs
	gone    bool     // the device was removed
	healed  bool     // fatal comes too late
	resets  int      // under way: nothing is taken
	drained []func() // to call when below is 0
	stallTo lane.Time

	stalled    []*slot // inner said Busy to the first
	retryTimer lane.Timer
	retryFn    func()
}

var _ interface {
	driver.Queue
	driver.Canceler
	driver.Poller
} = (*queue)(nil)

type state uint8

const (
	idle  state = iota
	held        // until the timer
	hung        // until Heal or a reset
	busy        // in queue.stalled
	below       // with inner
	lost        // inner is done with it, and the interrupt was lost
)

type slot struct {
	state state
	outer *driver.Request
	mine  *driver.Request // its place below
	timer lane.Timer
	fate  faultplan.What // what is made of it when it comes back, if hit
	hit   bool
	drop  bool       // it is said to be done, and is not
	fail  aio.Status // what it ends as, when its time comes, without inner; OK: it goes to inner
	st    aio.Status // of lost
	n     int64      // of lost
}

// opOf is the operation in the plan's words.
func opOf(op aio.Op) faultplan.Op {
	switch op {
	case aio.OpRead:
		return faultplan.Read
	case aio.OpWrite:
		return faultplan.Write
	case aio.OpFlush:
		return faultplan.Flush
	}
	return faultplan.Trim
}

// Submit implements [driver.Queue].
func (q *queue) Submit(r *driver.Request) aio.Status {
	switch {
	case q.gone:
		return aio.Gone
	case q.resets > 0:
		return aio.Busy
	}
	s := &q.slots[r.Tag]
	s.outer, s.hit, s.drop, s.fail = r, false, false, aio.OK
	s.mine.Forward(r)
	if r.Off < 0 || r.Len < 0 || r.Off > q.d.Limits().Capacity-r.Len {
		return q.pass(s) // it is the driver's to refuse
	}
	if q.fatal {
		s.state = hung
		return aio.OK
	}
	if wait := q.judge(s); wait < 0 {
		s.state = hung
		return aio.OK
	} else if wait > 0 || s.fail != aio.OK {
		s.state = held
		s.timer.Arm(wait)
		return aio.OK
	}
	return q.pass(s)
}

// judge asks the plan what becomes of a request: how long it is held, less than 0
// for ever.
func (q *queue) judge(s *slot) time.Duration {
	r, now := s.outer, q.lane.Now()
	op, lba, n := opOf(r.Op), uint64(r.Off)/q.d.block, uint64(r.Len)/q.d.block
	hit := func(w faultplan.What) *faultplan.Rule { return q.f.hit(w, op, lba, n, now) }
	if hit(faultplan.Hang) != nil {
		return -1
	}
	if rule := hit(faultplan.Stall); rule != nil {
		q.stallTo = max(q.stallTo, now.Add(rule.For))
	}
	wait := max(0, q.stallTo.Sub(now))
	if rule := hit(faultplan.Spike); rule != nil {
		wait += rule.For
	}
	switch {
	case hit(faultplan.ReadError) != nil:
		s.fail = aio.MediaError
		return wait
	case hit(faultplan.WriteError) != nil:
		s.fail = aio.IOError
		return wait
	}
	for _, w := range []faultplan.What{faultplan.Corrupt, faultplan.Torn, faultplan.Misdirected, faultplan.LostWrite, faultplan.Duplicate} {
		if hit(w) != nil {
			s.hit, s.fate = true, w
			q.spoil(s)
			break
		}
	}
	return wait
}

// spoil changes what inner is asked for.
func (q *queue) spoil(s *slot) {
	r, block := s.mine, int64(q.d.block)
	switch s.fate {
	case faultplan.Misdirected:
		if r.Off += r.Len; r.Off > q.d.Limits().Capacity-r.Len {
			r.Off = 0
		}
	case faultplan.Torn, faultplan.LostWrite:
		keep := r.Len / block / 2 * block
		if s.drop = s.fate == faultplan.LostWrite || keep == 0; !s.drop {
			r.Len, r.Bufs = keep, cut(r.Bufs, keep)
		}
	}
}

// cut is the first n bytes of some buffers.
func cut(bufs [][]byte, n int64) (part [][]byte) {
	for _, b := range bufs {
		if n == 0 {
			break
		}
		b = b[:min(int64(len(b)), n)]
		part = append(part, b)
		n -= int64(len(b))
	}
	return part
}

// pass hands a request to inner, or ends it here if nothing of it is to be done.
func (q *queue) pass(s *slot) aio.Status {
	if s.drop {
		q.end(s, aio.OK, s.outer.Len)
		return aio.OK
	}
	s.state = below
	q.below++
	st := q.inner.Submit(s.mine)
	if st != aio.OK {
		s.state = idle
		q.below--
	}
	return st
}

// release ends the wait of a request that was held.
func (q *queue) release(s *slot) {
	if s.fail != aio.OK {
		q.end(s, s.fail, 0)
		return
	}
	if len(q.stalled) > 0 {
		q.stall(s)
		return
	}
	q.later(s)
}

// later passes a request that was kept; false: inner is Busy.
func (q *queue) later(s *slot) bool {
	switch st := q.pass(s); st {
	case aio.OK:
		if q.can.Committer != nil {
			q.can.Committer.Commit()
		}
	case aio.Busy:
		q.stall(s)
		return false
	default:
		s.outer.Complete(st, 0)
	}
	return true
}

func (q *queue) stall(s *slot) {
	s.state = busy
	q.stalled = append(q.stalled, s)
	q.retryTimer.Arm(q.d.Limits().RetryAfter())
}

// retry hands over what inner said Busy to.
func (q *queue) retry() {
	all := q.stalled
	q.stalled = nil
	for i, s := range all {
		if !q.later(s) {
			for _, rest := range all[i+1:] {
				q.stall(rest)
			}
			return
		}
	}
}

// end completes a request that inner does not have.
func (q *queue) end(s *slot, st aio.Status, n int64) {
	s.state = idle
	s.outer.Complete(st, n)
}

// CompleteRequest takes a request back from inner.
func (q *queue) CompleteRequest(mine *driver.Request, st aio.Status, n int64) {
	s := &q.slots[mine.Tag]
	if s.state == below { // else inner completes twice, and whoever owns us shall see it
		s.state = idle
		q.below--
	}
	r := s.outer
	twice := s.hit && s.fate == faultplan.Duplicate
	if s.hit && st == aio.OK {
		switch s.fate {
		case faultplan.Corrupt:
			if len(r.Bufs) > 0 {
				r.Bufs[0][len(r.Bufs[0])/2] ^= 0x10
			}
		case faultplan.Torn, faultplan.Misdirected:
			n = r.Len
		}
	}
	if q.gone {
		st, n = aio.Gone, 0
	} else if !q.healed && q.f.due(faultplan.LostInterrupt, q.lane.Now()) {
		s.state, s.st, s.n = lost, st, n
	}
	if s.state != lost {
		r.Complete(st, n)
		if twice {
			r.Complete(st, n)
		}
	}
	if q.below == 0 {
		waiting := q.drained
		q.drained = nil
		for _, f := range waiting {
			f()
		}
	}
}

// Cancel implements [driver.Canceler].
func (q *queue) Cancel(r *driver.Request) {
	s := &q.slots[r.Tag]
	switch s.state {
	case held:
		s.timer.Stop()
	case busy:
		q.stalled = slices.DeleteFunc(q.stalled, func(o *slot) bool { return o == s })
	case below:
		q.can.Canceler.Cancel(s.mine)
		return
	default: // hung, lost, or none of ours
		return
	}
	q.end(s, aio.Cancelled, 0)
}

// Poll implements [driver.Poller]: it finds what an interrupt should have told.
func (q *queue) Poll(budget int) (n int) {
	for i := range q.slots {
		if s := &q.slots[i]; s.state == lost && n < budget {
			q.end(s, s.st, s.n)
			n++
		}
	}
	if q.can.Poller != nil && n < budget {
		n += q.can.Poller.Poll(budget - n)
	}
	return n
}
