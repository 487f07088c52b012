package blk

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

const defaultRetryDelay = 100 * time.Microsecond

// hwQueue is one hardware queue. All of it belongs to its lane.
type hwQueue struct {
	lane     lane.Lane
	q        driver.Queue
	canceler driver.Canceler  // nil: the driver has no cancel callback
	commit   driver.Committer // nil: Submit is enough

	waiting bioList // in order of arrival; a bio that met Busy goes first again
	slots   []slot  // by tag
	free    []int   // tags with nothing to do

	running    bool // in run: a completion or a Start inside Submit leaves it to the loop
	runPosted  bool
	runFn      func()
	retry      lane.Timer
	retryDelay time.Duration
	cancelFn   aio.CancelFunc // onCancel, bound once

	stats Stats
}

// A slot is a tag with its request.
type slot struct {
	h          *hwQueue
	req        *driver.Request
	bio        *bio // nil: the tag is free
	k          aio.Kiocb
	vec        [1][]byte
	cancelSent bool
	kickFn     func() // kick, bound once
}

func newHwQueue(l lane.Lane, q driver.Queue, depth int, lim driver.Limits) *hwQueue {
	h := &hwQueue{lane: l, q: q, retryDelay: lim.RetryDelay}
	h.canceler, _ = q.(driver.Canceler)
	h.commit, _ = q.(driver.Committer)
	if h.retryDelay == 0 {
		h.retryDelay = defaultRetryDelay
	}
	h.runFn = h.runLater
	h.retry = l.NewTimer(h.run)
	h.cancelFn = onCancel
	h.slots = make([]slot, depth)
	for tag := depth - 1; tag >= 0; tag-- {
		s := &h.slots[tag]
		s.h, s.req = h, driver.NewRequest(h, tag)
		s.kickFn = s.kick
		h.free = append(h.free, tag)
	}
	return h
}

// add puts a bio at the end of the queue.
func (h *hwQueue) add(b *bio) {
	h.stats.Queued++
	h.waiting.push(b)
}

// runLater is run, from a Post.
func (h *hwQueue) runLater() {
	h.runPosted = false
	h.run()
}

// rerun has the queue run again, from the lane's loop, if there is anything to
// run for.
func (h *hwQueue) rerun() {
	if h.waiting.head != nil && !h.running && !h.runPosted {
		h.runPosted = true
		h.lane.Post(h.runFn)
	}
}

// run dispatches what it can.
func (h *hwQueue) run() {
	if h.running {
		return
	}
	h.running = true
	handed := false
	for h.waiting.head != nil {
		b := h.waiting.head
		if len(h.free) == 0 {
			// Nothing can be sent, but whoever cancelled the first in line need
			// not wait for the device.
			if !b.k.Cancelled() {
				break
			}
		} else if b.k.TryStart() {
			h.waiting.pop()
			ok, busy := h.dispatch(b)
			handed = handed || ok
			if busy {
				break
			}
			continue
		}
		h.waiting.pop()
		h.stats.Skipped++
		b.k.Complete(h.lane, aio.Cancelled, 0)
	}
	if handed && h.commit != nil {
		h.commit.Commit()
	}
	h.running = false
}

// dispatch gives b, which is started, to the driver. busy: the driver took
// nothing, and the queue must wait.
func (h *hwQueue) dispatch(b *bio) (ok, busy bool) {
	last := len(h.free) - 1
	s := &h.slots[h.free[last]]
	h.free = h.free[:last]
	s.bio, s.k, s.cancelSent = b, b.k, false
	b.slot = s

	r := s.req
	r.Op, r.Off, r.Len, r.Bufs = b.k.Op(), b.k.Off(), b.k.Len(), nil
	if r.Op.HasData() {
		s.vec[0] = b.k.Buf()
		r.Bufs = s.vec[:]
	}
	b.k.SetDispatched(h.lane.Now())
	k := b.k
	st := h.q.Submit(r)
	switch st {
	case aio.OK:
		h.stats.Dispatched[r.Op]++
		// The I/O may have completed in Submit: then this is refused.
		if h.canceler != nil {
			_ = k.SetCancelFunc(h.cancelFn)
		}
		return true, false
	case aio.Busy:
		h.stats.Busy++
		h.release(s)
		k.SetDispatched(0)
		k.Requeue()
		h.waiting.pushFront(b)
		if len(h.free) == len(h.slots) {
			h.retry.Arm(h.retryDelay)
		}
		return false, true
	}
	h.release(s)
	h.stats.Refused++
	k.SetDispatched(0)
	k.Requeue()
	k.Complete(h.lane, st, 0)
	return false, false
}

// release makes a slot's tag free.
func (h *hwQueue) release(s *slot) {
	s.bio = nil
	s.vec[0] = nil
	h.free = append(h.free, s.req.Tag)
}

// CompleteRequest is what Request.Complete calls. A second completion is
// counted, and changes nothing.
func (h *hwQueue) CompleteRequest(r *driver.Request, st aio.Status, n int64) {
	s := &h.slots[r.Tag]
	if s.bio == nil || s.req != r {
		h.stats.DoubleCompletes++
		return
	}
	if st == aio.Busy {
		st = aio.IOError // Busy is an answer to Submit, not a way to end
	}
	k := s.k
	h.stats.Completed[st]++
	h.release(s)
	k.Complete(h.lane, st, n)
	h.rerun()
}

var _ driver.Completer = (*hwQueue)(nil)
