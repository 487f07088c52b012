package disk

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"blksim/aio/lane"
)

// An Engine does the I/Os of one lane, of any number of files. All its methods but
// Wake, Counts, Kind and Why are for that lane, which is locked to its thread.
//
// An I/O waits in pending until Poll or Wait hands all that have come together to
// the kernel. Poll leaves that to Wait for two rounds of the lane: a lane with nothing
// else to do comes to Wait by then, which submits and waits in one system call.
type Engine struct {
	kind EngineKind
	why  string
	poll time.Duration
	// polled: the ring has IOPOLL. There is no interrupt, so somebody must ask while
	// I/Os are in the kernel; and the ring does nothing but reads and writes of files
	// whose device has it.
	polled bool
	back   backend // nil: the pool does everything
	pool   *pool   // nil until it is needed
	bell   *bell

	pending  []*IO
	head     int   // of pending: what is before it is gone
	age      int   // calls of Poll since something is pending, or since the last system call
	table    []*IO // in the kernel, by index
	free     []uint32
	inKernel int
	inPool   int
	handles  []*Handle   // nil: free
	serial   uint32      // of the last handle
	asking   bool        // there are cancels for the kernel
	hasty    bool        // in Push: what the kernel has completed can wait
	ended    []*IO       // ended otherwise than by an event: for reap
	last     Completer   // that got an IO back in this run
	before   []Completer // others that did

	ios, enters, waits, pooled atomic.Uint64 // written by the lane, read by anybody
	came                       uint64        // I/Os that ended since they were shown in ios
	pace                       pace
	stalled                    bool // the last short wait brought nothing
}

var (
	_ lane.Waiter = (*Engine)(nil)
	_ lane.Pusher = (*Engine)(nil)
)

// patience is how many calls of Poll what is pending waits for a call of Wait.
const patience = 2

// Kind is which engine it is, Why says why, of Auto, and with what features.
func (e *Engine) Kind() EngineKind { return e.kind }
func (e *Engine) Why() string      { return e.why }

// Counts is what the engine has done so far. Anywhere; what the lane is in the
// middle of may be missing.
func (e *Engine) Counts() Counts {
	return Counts{IOs: e.ios.Load(), Enters: e.enters.Load(), Waits: e.waits.Load(), Pooled: e.pooled.Load()}
}

// Submit takes an I/O, which is the engine's until CompleteIO. It is not called
// inline.
func (e *Engine) Submit(io *IO) {
	io.gen++
	io.tries = 0
	if e.forPool(io) {
		io.stage = inPool
		e.inPool++
		e.helpers().put(io)
		return
	}
	io.stage = pending
	if e.head == len(e.pending) {
		e.age = 0
	}
	e.pending = append(e.pending, io)
}

// forPool says whether the kernel does an I/O only while somebody waits.
func (e *Engine) forPool(io *IO) bool {
	switch {
	case e.back == nil:
		return true
	case io.Op.HasData():
		return e.polled && !io.File.file.info.Poll
	}
	return io.Op != Flush || e.polled
}

// helpers is the pool, which is made when it is first needed.
func (e *Engine) helpers() *pool {
	if e.pool == nil {
		most := 64 // threads: as many I/Os as the kernel may have of this lane
		if e.back != nil {
			most = 4
		}
		e.pool = newPool(most, e.bell.ring)
	}
	return e.pool
}

// Cancel tries to end an I/O early that was submitted and has not ended. If the
// kernel has not been told of it, it ends at once, with ECANCELED. Else the kernel is
// asked, and the I/O ends when and as the kernel says. See Handle.Cancels.
func (e *Engine) Cancel(io *IO) {
	h := io.File
	switch io.stage {
	case pending:
		i := e.head + slices.Index(e.pending[e.head:], io)
		e.pending = slices.Delete(e.pending, i, i+1)
	case inPool:
		if !e.pool.cancel(io) {
			h.asked.Add(1)
			h.running.Add(1)
			return
		}
		e.inPool--
	case inKernel:
		h.asked.Add(1)
		e.asking = true
		e.back.cancel(io)
		return
	default:
		return
	}
	h.asked.Add(1)
	h.ours.Add(1)
	e.finish(io, 0, unix.ECANCELED)
	e.endRun()
}

// Poll hands what is pending to the kernel, if it has waited long enough, and ends
// what has come back. It says whether there was any.
func (e *Engine) Poll() (some bool) {
	e.reap()
	if e.age++; e.back != nil && e.age > patience && (e.head < len(e.pending) || e.asking || e.back.deferred()) {
		e.enter(0)
		e.reap()
	}
	some = e.came > 0
	if some {
		e.ios.Add(e.came)
		e.came = 0
	}
	return some
}

// Push hands what is pending to the kernel at once: of [lane.Pusher], for I/Os that are
// due now.
func (e *Engine) Push() {
	if e.back != nil && e.head < len(e.pending) {
		e.hasty = true
		e.enter(0)
		e.hasty = false
	}
}

// Wait hands what is pending to the kernel and waits until there is something for
// Poll, Wake is called, or d has passed (d < 0: no limit).
func (e *Engine) Wait(d time.Duration) {
	if e.ready() || d == 0 {
		return
	}
	inKernel := e.inKernel+len(e.pending)-e.head > 0
	if e.poll > 0 && (inKernel || e.inPool > 0) && e.look(d) {
		return
	}
	e.waits.Add(1)
	switch {
	case e.polled && inKernel && (d < 0 || d > pollPause):
		e.bell.wait(pollPause)
	case e.polled || e.back == nil:
		e.bell.wait(d)
	default:
		e.enter(d)
	}
}

// pollPause is for others to run in, between two times of looking with IOPOLL.
const pollPause = 20 * time.Microsecond

// look looks for completions for a while, without sleeping, and says whether there
// is something.
func (e *Engine) look(d time.Duration) bool {
	limit := e.poll
	if d >= 0 {
		limit = min(limit, d)
	}
	for start := time.Now(); time.Since(start) < limit; {
		if e.back != nil {
			e.enter(0)
		}
		if e.bell.rung.Load() {
			if e.back == nil || !e.back.listens() {
				e.bell.read()
			}
			return true
		}
		if e.ready() {
			return true
		}
	}
	return false
}

// Wake ends the Wait that is underway, or the next. From anywhere.
func (e *Engine) Wake() { e.bell.ring() }

func (e *Engine) ready() bool {
	return len(e.ended) > 0 || e.pool != nil && e.pool.ready.Load() > 0 || e.back != nil && e.back.ready()
}

// enter is backend.enter, of as much as the kernel has room for.
func (e *Engine) enter(d time.Duration) {
	e.age, e.asking = 0, false
	ios := e.pending[e.head:]
	ios = ios[:min(len(ios), e.back.room()-e.inKernel)]
	n := e.back.enter(ios, d)
	clear(ios[:n])
	if e.head += n; e.head > len(e.pending)/2 { // so that it does not grow for ever
		left := copy(e.pending, e.pending[e.head:])
		clear(e.pending[left:])
		e.pending, e.head = e.pending[:left], 0
	}
}

// reap ends what has come back, from the kernel and from the pool.
func (e *Engine) reap() {
	if e.back != nil {
		e.back.reap()
	}
	if e.pool != nil {
		e.ended = e.pool.take(e.ended)
	}
	for _, io := range e.ended {
		if io.stage == inPool {
			e.inPool--
			e.pooled.Add(1)
		}
		e.finish(io, io.n, unix.Errno(io.errno))
	}
	clear(e.ended)
	e.ended = e.ended[:0]
	e.endRun()
}

// Close ends the engine, while the lane is still attached to it: a Wake that comes
// late does nothing. With I/Os in the kernel, which nobody can take back, it
// leaves the engine and all their memory behind as it is, for good, and returns an
// error that wraps ErrInKernel.
func (e *Engine) Close() error {
	if n := e.inKernel + e.inPool; n > 0 {
		leave(e)
		return fmt.Errorf("disk: close of engine %s: %d %w", e.kind, n, ErrInKernel)
	}
	if e.pool != nil {
		e.pool.close()
	}
	var err error
	if e.back != nil {
		err = e.back.close()
	}
	return errors.Join(err, e.bell.close())
}
