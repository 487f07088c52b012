package disk

import (
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
	ended    []*IO       // ended otherwise than by an event: for reap
	last     Completer   // that got an IO back in this run
	before   []Completer // others that did

	ios, enters, waits, pooled atomic.Uint64 // written by the lane, read by anybody
	came                       uint64        // I/Os that ended since they were shown in ios
}

var _ lane.Waiter = (*Engine)(nil)

// patience is how many calls of Poll what is pending waits for a call of Wait.
const patience = 2

// shortWait is how long a wait in the kernel is short: for so long the engine does not
// tell the Go scheduler of it. If it did, the scheduler's monitor would take the
// thread's place away and give it to others every 10 ms, and look every 20 us whether
// it should: one eighth of all the time that a lane at full speed took. Who needs the
// thread meanwhile, as the collector, sends it signals until the wait has ended.
const shortWait = 10 * time.Millisecond

// short divides a wait of d (< 0: no limit) in what is short and the rest (0: none).
// With nothing in the kernel, others may have to run before anything comes; and with
// I/Os in the pool they do.
func (e *Engine) short(d time.Duration) (short, rest time.Duration) {
	switch {
	case e.inKernel == 0 || e.inPool > 0:
		return 0, d
	case d < 0:
		return shortWait, d
	}
	short = min(d, shortWait)
	return short, d - short
}

// A backend is the kernel's side of an engine. It runs on the engine's lane.
type backend interface {
	// enter hands the first of ios to the kernel, each with a place in the engine's
	// table, and says how many it took. If d is not 0 it then waits until something
	// can be reaped, the bell was rung, or d has passed (d < 0: no limit).
	enter(ios []*IO, d time.Duration) (taken int)
	// reap ends what the kernel has completed.
	reap()
	// ready says whether reap would find something.
	ready() bool
	// deferred says whether the kernel has completions that enter would bring.
	deferred() bool
	// cancel asks the kernel to cancel an I/O that it has.
	cancel(io *IO)
	// register and unregister tell the kernel of a file.
	register(h *Handle) error
	unregister(h *Handle)
	// listens says whether the kernel is watching the bell.
	listens() bool
	// room is how many I/Os the kernel may have at once.
	room() int
	close() error
}

// A Handle is a file as an engine knows it. It belongs to the engine's lane.
type Handle struct {
	file   *File
	engine *Engine
	index  int
	serial uint32 // no other handle of the engine has it
	fixed  bool   // the kernel knows the file by index

	asked, ours, kernel, running, unknown, refused atomic.Uint64
}

// name names the handle to the kernel.
func (h *Handle) name() uint64 { return uint64(h.serial&(1<<24-1))<<32 | uint64(h.index) }

// Cancels tells what became of cancels of this file's I/Os. Anywhere.
func (h *Handle) Cancels() Cancels {
	return Cancels{h.asked.Load(), h.ours.Load(), h.kernel.Load(), h.running.Load(), h.unknown.Load(), h.refused.Load()}
}

// Kind is which engine it is, Why says why, of Auto, and with what features.
func (e *Engine) Kind() EngineKind { return e.kind }
func (e *Engine) Why() string      { return e.why }

// Counts is what the engine has done so far. Anywhere; what the lane is in the
// middle of may be missing.
func (e *Engine) Counts() Counts {
	return Counts{IOs: e.ios.Load(), Enters: e.enters.Load(), Waits: e.waits.Load(), Pooled: e.pooled.Load()}
}

// Register makes a file known to the engine.
func (e *Engine) Register(f *File) (*Handle, error) {
	e.serial++
	h := &Handle{file: f, engine: e, index: slices.Index(e.handles, nil), serial: e.serial}
	if h.index < 0 {
		h.index = len(e.handles)
		e.handles = append(e.handles, nil)
	}
	if e.back != nil {
		if err := e.back.register(h); err != nil {
			return nil, err
		}
	}
	e.handles[h.index] = h
	return h, nil
}

// Unregister ends that. No I/O of the file is with the engine.
func (e *Engine) Unregister(h *Handle) {
	if e.back != nil {
		e.back.unregister(h)
	}
	e.handles[h.index] = nil
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
		e.finish(io, io.n, io.errno)
	}
	clear(e.ended)
	e.ended = e.ended[:0]
	e.endRun()
}

// place gives an I/O its place in the table: the kernel gets to know it by token.
func (e *Engine) place(io *IO) {
	if n := len(e.free); n > 0 {
		io.index = e.free[n-1]
		e.free = e.free[:n-1]
		e.table[io.index] = io
	} else {
		io.index = uint32(len(e.table))
		e.table = append(e.table, io)
	}
	io.stage = inKernel
	e.inKernel++
}

// unplace takes it away again: the kernel did not take the I/O, or has ended it.
func (e *Engine) unplace(io *IO) {
	e.table[io.index] = nil
	e.free = append(e.free, io.index)
	io.stage = pending
	e.inKernel--
}

// token names an I/O to the kernel. The generation is cut to 24 bits: the token of
// a use is free again when its event has come.
func (io *IO) token() uint64 { return uint64(io.gen&(1<<24-1))<<32 | uint64(io.index) }

// returned is the event of an I/O: res is what the system call would have returned.
func (e *Engine) returned(token uint64, res int64) {
	index := uint32(token)
	if int(index) >= len(e.table) || e.table[index] == nil || e.table[index].token() != token {
		panic(fmt.Sprintf("disk: the kernel completed %#x, which it does not have", token))
	}
	io := e.table[index]
	e.unplace(io)
	switch {
	case res == -int64(unix.EAGAIN) && io.tries < 8, res == -int64(unix.EINTR):
		io.tries++
		e.pending = append(e.pending, io)
	case res < 0:
		e.finish(io, 0, unix.Errno(-res))
	case io.Op.HasData():
		e.finish(io, res, 0)
	default:
		e.finish(io, io.Len, 0)
	}
}

// refused is the end of an I/O with a place that the kernel did not take.
func (e *Engine) refused(io *IO, errno unix.Errno) {
	e.unplace(io)
	io.stage, io.n, io.errno = nowhere, 0, errno
	e.ended = append(e.ended, io)
}

// finish gives an I/O back.
func (e *Engine) finish(io *IO, n int64, errno unix.Errno) {
	io.stage = nowhere
	e.came++
	if io.Done != e.last {
		if e.last != nil {
			e.before = append(e.before, e.last)
		}
		e.last = io.Done
	}
	io.Done.CompleteIO(io, n, errno)
}

// endRun tells all who got an IO back that no more come now; some of them twice, if
// theirs were between others.
func (e *Engine) endRun() {
	if e.last == nil {
		return
	}
	e.last.EndRun()
	e.last = nil
	for _, c := range e.before {
		c.EndRun()
	}
	clear(e.before)
	e.before = e.before[:0]
}

// Close ends the engine. With I/Os in the kernel, which nobody can take back, it
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
	if closed := e.bell.close(); err == nil {
		err = closed
	}
	return err
}
