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
	unarmed *bio    // the first that waits without a cancel callback: so do all behind it
	cells   []*cell // that no waiting bio has

	slots []slot // by tag
	free  []int  // tags with nothing to do

	running    bool // in run: a completion or a Start inside Submit leaves it to the loop
	runPosted  bool
	runFn      func()
	retry      lane.Timer
	retryDelay time.Duration
	stats      Stats
}

// A slot is a tag with its request.
type slot struct {
	kicker
	h          *hwQueue
	req        *driver.Request
	bio        *bio // nil: the tag is free
	k          aio.Kiocb
	vec        [1][]byte
	cancelSent bool
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
	h.slots = make([]slot, depth)
	for tag := depth - 1; tag >= 0; tag-- {
		s := &h.slots[tag]
		s.h, s.req = h, driver.NewRequest(h, tag)
		s.kicker = kicker{l, s.kick}
		h.free = append(h.free, tag)
	}
	return h
}

// add puts a bio at the end of the queue.
func (h *hwQueue) add(b *bio) {
	h.stats.Queued++
	h.waiting.push(b)
	if h.unarmed == nil {
		h.unarmed = b
	}
}

// leave takes a waiting bio out of the queue.
func (h *hwQueue) leave(b *bio) {
	if h.unarmed == b {
		h.unarmed = b.next
	}
	h.waiting.remove(b)
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

// run dispatches what it can, and sees to it that what must wait hears of its
// cancel.
func (h *hwQueue) run() {
	if h.running {
		return
	}
	h.running = true
	handed := false
	for h.waiting.head != nil && len(h.free) > 0 {
		b := h.waiting.head
		h.leave(b)
		if !b.k.TryStart() {
			h.skip(b)
			continue
		}
		ok, busy := h.dispatch(b)
		handed = handed || ok
		if busy {
			break
		}
	}
	if handed && h.commit != nil {
		h.commit.Commit()
	}
	h.running = false
	for h.unarmed != nil {
		b := h.unarmed
		h.unarmed = b.next
		h.arm(b)
	}
}

// skip completes a bio that was cancelled before the driver had it.
func (h *hwQueue) skip(b *bio) {
	h.uncell(b)
	h.stats.Skipped++
	b.k.Complete(h.lane, aio.Cancelled, 0)
}

// dispatch gives b, which is started, to the driver. busy: the driver took
// nothing, and the queue must wait.
func (h *hwQueue) dispatch(b *bio) (ok, busy bool) {
	last := len(h.free) - 1
	s := &h.slots[h.free[last]]
	h.free = h.free[:last]
	s.bio, s.k, s.cancelSent = b, b.k, false

	r := s.req
	r.Op, r.Off, r.Len, r.Bufs = b.k.Op(), b.k.Off(), b.k.Len(), nil
	if r.Op.HasData() {
		s.vec[0] = b.k.Buf()
		r.Bufs = s.vec[:]
	}
	k, op := b.k, r.Op
	k.SetDispatched(h.lane.Now())
	switch st := h.q.Submit(r); st {
	case aio.OK:
		h.stats.Dispatched[op]++
		if s.bio == b && s.k == k { // else it completed in Submit
			h.uncell(b)
			h.watch(s)
		}
		return true, false
	case aio.Busy:
		h.stats.Busy++
		h.release(s)
		k.SetDispatched(0)
		k.Requeue()
		h.waiting.pushFront(b)
		if !b.armed {
			h.arm(b)
		}
		if len(h.free) == len(h.slots) {
			h.retry.Arm(h.retryDelay)
		}
		return false, true
	default:
		h.release(s)
		h.uncell(b)
		h.stats.Refused++
		k.SetDispatched(0)
		k.Requeue()
		k.Complete(h.lane, st, 0)
		return false, false
	}
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
	h.uncell(s.bio)
	h.release(s)
	k.SetReturned(h.lane.Now())
	k.Complete(h.lane, st, n)
	h.rerun()
}

var _ driver.Completer = (*hwQueue)(nil)
