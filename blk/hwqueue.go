package blk

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk/sched"
	"blksim/blk/tagset"
	"blksim/driver"
	"blksim/internal/cacheline"
)

const defaultRetryDelay = 100 * time.Microsecond

// hwQueue is one hardware queue. All of it belongs to its lane.
type hwQueue struct {
	disk *Disk
	lane lane.Lane
	q    driver.Queue
	can  driver.Optional // what q can do beyond Submit

	// What waits, by what goes first.
	urgent   requestList // flushes of sequences
	front    requestList // met Busy, or are the rest of something
	sched    sched.Scheduler
	feedback sched.Feedback // nil: the scheduler wants none
	index    mergeIndex
	waiting  int         // requests in these three
	held     requestList // came while the disk was frozen
	fresh    []*request  // came since the last run: their bios may have no watch yet
	pool     *request
	plain    plainRun // or all that waits (plain.go)

	slots []slot // by tag
	tags  tags
	lost  int // tags of requests that were given up and that the driver still has

	flushes  flushes
	noZeroes bool // the driver says WriteZeroes and answers NotSupported
	watches  *watch
	dues     *deadline
	timeouts timeouts

	inRun         bool      // completions come, one after the other
	ended         aio.Batch // what has ended and is not published yet
	running       bool      // in run: a completion or a Start inside Submit leaves it to the loop
	runPosted     bool
	runFn         func()
	wakeFn        func()
	retry         lane.Timer
	retryDelay    time.Duration
	stopped       int // reasons not to dispatch
	frozen        bool
	stampsArrival bool // somebody wants to know when bios arrive
	removed       bool
	resetting     bool
	looked        int64     // of no meaning; see ExpectRequest
	returned      lane.Time // when the driver last gave something back
	idlers        []func()  // to be called when nothing is queued or with the driver

	stats  Stats
	stages *Stages // nil: not wanted
	flight flight
}

func newHwQueue(d *Disk, l lane.Lane, q driver.Queue, depth int, budget *tagset.Set) *hwQueue {
	h := &hwQueue{disk: d, lane: l, q: q, can: driver.OptionalOf(q), retryDelay: d.limits.RetryDelay}
	h.sched = sched.New(d.opts.Scheduler, depth)
	h.feedback, _ = h.sched.(sched.Feedback)
	if h.retryDelay == 0 {
		h.retryDelay = defaultRetryDelay
	}
	h.runFn, h.wakeFn = h.runLater, h.woken
	h.retry = l.NewTimer(h.run)
	h.slots = cacheline.Make[slot](depth)
	for tag := range h.slots {
		h.slots[tag].req = *driver.NewRequest(h, tag)
	}
	h.ended = aio.NewBatch(l)
	h.plain.init(h)
	h.tags.init(h, depth, budget)
	h.timeouts.init(h)
	if d.opts.Histograms {
		h.stages = &Stages{}
	}
	h.stampsArrival = d.opts.Histograms || d.opts.Scheduler.Name != ""
	h.flight.begin(l.Now())
	return h
}

// add takes a bio that has arrived.
func (h *hwQueue) add(b *bio) {
	h.stats.Queued++
	if h.stampsArrival || h.frozen {
		b.arrived, b.stamped = h.lane.Now(), true
	}
	if h.addPlain(b) {
		return
	}
	if at := b.k.Deadline(); at != 0 {
		h.keep(b, at)
	}
	switch {
	case h.removed:
		h.end(b, aio.Gone, 0)
	case h.frozen:
		h.hold(b)
	default:
		h.enqueue(b)
	}
}

// enqueue puts a bio where it waits for its turn.
func (h *hwQueue) enqueue(b *bio) {
	switch {
	case b.op == aio.OpFlush:
		h.joinFlush(b)
		return
	case b.flags&aio.PreFlush != 0 && b.op == aio.OpWrite && h.disk.limits.WriteCache:
		b.flags &^= aio.PreFlush
		b.stage = stagePre
		h.joinFlush(b)
		return
	}
	able := h.mergeable(b)
	if able && h.merge(b) {
		return
	}
	r := h.requestOf(b)
	h.insert(r)
	if able {
		h.index.add(r)
	}
}

// insert gives a request to the scheduler.
func (h *hwQueue) insert(r *request) {
	r.place = inSched
	r.setWaits(r)
	h.waiting++
	h.sched.Add(&r.Entry)
	h.fresh = append(h.fresh, r)
}

// putBack has a request wait again, ahead of what the scheduler has.
func (h *hwQueue) putBack(r *request) {
	r.setWaits(r)
	h.waiting++
	if r.Op == aio.OpFlush {
		r.place = inUrgent
		h.urgent.pushFront(r)
	} else {
		r.place = inFront
		h.front.pushFront(r)
	}
	h.fresh = append(h.fresh, r)
}

// take takes a request out of where it waits.
func (h *hwQueue) take(r *request) {
	switch r.place {
	case inSched:
		h.index.remove(r)
		h.sched.Remove(&r.Entry)
	case inFront:
		h.front.remove(r)
	case inUrgent:
		h.urgent.remove(r)
	case inHeld:
		h.held.remove(r)
		h.waiting++
	case inFlushWait:
		h.waiting++
	}
	h.waiting--
	r.place = nowhere
	r.setWaits(nil)
}

// next takes out the request whose turn it is; nil: none, or none now.
func (h *hwQueue) next() *request {
	r := h.urgent.head
	if r == nil {
		r = h.front.head
	}
	if r != nil {
		h.take(r)
		return r
	}
	var now lane.Time
	if h.disk.opts.Scheduler.Name != "" {
		now = h.lane.Now()
	}
	e := h.sched.Next(now)
	if e == nil {
		return nil
	}
	r = e.Owner.(*request)
	r.given = h.feedback != nil
	h.index.remove(r)
	h.waiting--
	r.place = nowhere
	r.setWaits(nil)
	return r
}

// runLater is run, from a Post.
func (h *hwQueue) runLater() {
	h.runPosted = false
	h.run()
}

// woken is run, after a wait for a tag or for budget.
func (h *hwQueue) woken() {
	h.run()
	if h.waiting == 0 {
		h.tags.pass()
	}
}

// rerun has the queue run again, from the lane's loop, if there is anything to
// run for.
func (h *hwQueue) rerun() {
	if (h.waiting > 0 || h.idle() && (len(h.idlers) > 0 || h.tags.shared())) && !h.running && !h.runPosted {
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
	handed, busy := false, false
	if h.removed {
		h.remove()
	}
	if len(h.plain.bios) > 0 {
		handed, busy = h.runPlain()
	}
	for h.waiting > 0 && h.stopped == 0 && !busy {
		tag, ok := h.tags.get(h.urgent.head != nil || h.front.head != nil && h.front.head.attempts > 0)
		if !ok {
			break
		}
		r := h.next()
		if r == nil {
			h.tags.put(tag)
			break
		}
		ok, busy = h.dispatch(r, &h.slots[tag])
		handed = handed || ok
	}
	if handed && h.can.Committer != nil {
		h.can.Committer.Commit()
	}
	h.running = false
	h.publish()
	h.watchFresh()
	h.rest()
}

// rest is what a queue does that has nothing left: it lets the others have its
// share of the tags, and tells who waits for that.
func (h *hwQueue) rest() {
	if !h.idle() {
		return
	}
	h.tags.idle()
	for len(h.idlers) > 0 {
		f := h.idlers[0]
		h.idlers = h.idlers[1:]
		f()
	}
}

// idle says that nothing is queued and nothing is with the driver but what was
// given up.
func (h *hwQueue) idle() bool {
	return h.waiting == 0 && h.flight.now == 0 && h.flushes.waiting == nil
}

// watchFresh gives the bios that came and still wait a watch, so that a cancel
// takes them out of the middle of the queue.
func (h *hwQueue) watchFresh() {
	if h.disk.opts.LazyCancel {
		h.fresh = h.fresh[:0]
		return
	}
	for _, r := range h.fresh {
		if r.place == nowhere {
			continue
		}
		for b := r.bios.head; b != nil; {
			next := b.next // a cancel that came before takes effect by a post
			h.arm(b)
			b = next
		}
	}
	h.fresh = h.fresh[:0]
}
