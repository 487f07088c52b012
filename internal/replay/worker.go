package replay

import (
	"math/rand/v2"
	"sync/atomic"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/sim"
)

// worker submits on one lane. All of it but ended is the lane's own.
type worker struct {
	e     *Engine
	index int
	lane  lane.Lane
	rand  *sim.Rand

	flights []*flight // by the low half of aio.IO.Data
	free    []*flight
	ios     []aio.IO
	ids     []aio.ID
	batch   []*flight
	data    []byte // what all reads of this worker go to
	out     []byte // what all its writes write

	count    int64        // I/Os that ended since the last settle
	ended    atomic.Int64 // and that the pump has not been told of; pairs with pump.credit
	creditFn func()

	tally   Tally
	watcher Watcher // nil: nobody watches
	io      IO      // for the watcher
}

// flight is one I/O of a worker, used again and again.
type flight struct {
	w           *worker
	index       uint64
	id          aio.ID
	op          aio.Op
	off, length int64
	due         lane.Time
	submittedAt lane.Time
	deadline    lane.Time // kept by the block layer; 0: none
	cancelAt    lane.Time // 0: never
	askedAt     lane.Time // when a cancel was accepted; 0: not
	timer       lane.Timer
	armed       bool
	out         bool // submitted, and no event yet

	data []byte // with a Payload: of this flight alone
	note uint64 // of the Payload
}

func newWorker(e *Engine, index int, l lane.Lane) *worker {
	w := &worker{e: e, index: index, lane: l, rand: sim.NewRand(e.cfg.Seed, "replay/cancel")}
	// Each worker has a stream of its own, or the order of the workers would
	// decide who gets which number.
	for range index {
		w.rand = sim.NewRand(w.rand.Uint64(), "replay/cancel")
	}
	w.creditFn = e.pump.credit
	w.tally.Pace.After = e.cfg.LateAfter
	if e.cfg.Watch != nil {
		w.watcher = e.cfg.Watch(l)
	}
	return w
}

// take submits a chunk.
func (w *worker) take(c *chunk) {
	now := w.lane.Now()
	w.ios, w.batch = w.ios[:0], w.batch[:0]
	for i := range c.items {
		it := &c.items[i]
		f := w.flight()
		f.op, f.off, f.length, f.due, f.submittedAt, f.askedAt = it.op, it.off, it.length, it.due, now, 0
		f.out = true
		f.cancelAt = w.cancelAt(it, now)
		if f.deadline = 0; w.e.cfg.Deadline > 0 {
			f.deadline = max(it.due.Add(w.e.cfg.Deadline), 1)
		}
		io := aio.IO{Op: it.op, Off: it.off, Len: it.length, Data: uint64(w.index)<<32 | f.index, Deadline: f.deadline}
		if it.op.HasData() {
			io.Buf = w.buf(f)
		}
		if p := w.e.cfg.Payload; p != nil {
			f.note = p.Submit(it.op, it.off, io.Buf)
		}
		w.ios = append(w.ios, io)
		w.batch = append(w.batch, f)
		if w.measures(f) {
			w.tally.Slip.Add(int64(now - it.due))
			if w.e.cfg.Timing == TraceTiming {
				w.tally.Pace.add(it.due.Sub(w.e.pump.start), now.Sub(it.due))
			}
		}
	}
	if cap(w.ids) < len(w.ios) {
		w.ids = make([]aio.ID, chunkSize)
	}
	w.submit(now)
}

func (w *worker) submit(now lane.Time) {
	ids := w.ids[:len(w.ios)]
	n, err := w.e.ctx.SubmitBatch(w.lane, w.e.target, w.ios, ids)
	w.tally.Submitted += int64(n)
	for i, f := range w.batch[:n] {
		f.id = ids[i]
		if f.cancelAt != 0 {
			f.armed = true
			f.timer.Arm(f.cancelAt.Sub(now))
		}
	}
	// There is always room: the pump sends no more than the capacity.
	if err != nil {
		panic("replay: submit: " + err.Error())
	}
	if w.e.pump.real {
		w.ended.Add(0) // what this lane has written until here is read after a load: see gather
	}
	// A stop that came after the pump had sent these did not see them.
	if w.e.stop.Load() {
		for _, id := range ids {
			w.e.ctx.Cancel(id)
		}
	}
}

// cancelAt is when the worker is to cancel an I/O, 0 if never.
func (w *worker) cancelAt(it *item, now lane.Time) lane.Time {
	cfg := &w.e.cfg
	var at lane.Time
	earliest := func(t lane.Time) {
		if at == 0 || t < at {
			at = max(t, 1)
		}
	}
	if cfg.CancelTrace && it.cancelAfter >= 0 {
		earliest(it.due.Add(scaled(it.cancelAfter, cfg.TimeScale)))
	}
	if cfg.CancelChance > 0 && w.rand.Bool(uint64(cfg.CancelChance), 1e6) {
		earliest(now.Add(w.rand.Duration(0, cfg.CancelWithin)))
	}
	return at
}

// cancel is what a flight's timer does.
func (f *flight) cancel() {
	f.armed = false
	t := &f.w.tally
	t.CancelAsked++
	if f.w.e.ctx.Cancel(f.id) == aio.Accepted {
		f.askedAt = f.w.lane.Now()
		t.CancelAccepted++
	}
}

// end takes one event.
func (w *worker) end(ev *aio.Event, now lane.Time) {
	f := w.flights[uint32(ev.Data)]
	if ev.CancelAsked && f.askedAt == 0 && f.deadline != 0 && now >= f.deadline {
		// The block layer did that, when the deadline came or the I/O came to it.
		f.askedAt = max(f.deadline, f.submittedAt)
		w.tally.CancelAsked++
		w.tally.CancelAccepted++
	}
	if f.armed {
		f.armed = false
		f.timer.Stop()
	}
	if p := w.e.cfg.Payload; p != nil {
		p.End(f.op, f.off, f.data[:min(f.length, int64(len(f.data)))], ev.N, f.note, ev.Status)
	}
	w.tally.add(f, ev, now, w.e.cfg.Deadline, w.measures(f))
	if w.watcher != nil {
		w.report(f, ev, now)
	}
	f.out = false
	if ev.Status == aio.TimedOut {
		f.data = nil // the device may have it still: never to be used again
	}
	w.free = append(w.free, f)
	w.count++
}

// settle tells the pump how many ended.
func (w *worker) settle() {
	if w.count == 0 {
		return
	}
	n := w.count
	w.count = 0
	if w.ended.Add(n) == n {
		w.e.pump.lane.Post(w.creditFn)
	}
}

func (w *worker) flight() *flight {
	if n := len(w.free); n > 0 {
		f := w.free[n-1]
		w.free = w.free[:n-1]
		return f
	}
	f := &flight{w: w, index: uint64(len(w.flights))}
	f.timer = w.lane.NewTimer(f.cancel)
	w.flights = append(w.flights, f)
	return f
}

// measures says whether an I/O counts, not being of the ramp.
func (w *worker) measures(f *flight) bool {
	return w.e.cfg.Ramp == 0 || f.due.Sub(w.e.pump.start) >= w.e.cfg.Ramp
}

// buf returns the memory to transfer. A replay has no data of its own, so all reads of
// a worker share one piece and all writes another; with a Payload each flight has its
// own.
func (w *worker) buf(f *flight) []byte {
	at := &w.data
	switch {
	case w.e.cfg.Payload != nil:
		at = &f.data
	case f.op == aio.OpWrite:
		at = &w.out
	}
	if int64(len(*at)) < f.length {
		*at = w.alloc(f)
	}
	return (*at)[:f.length]
}

// alloc gets a piece of memory for a flight. What a replay writes is noise: it does
// not compress, and is not what was read elsewhere.
func (w *worker) alloc(f *flight) []byte {
	n := int(f.length)
	if w.e.cfg.Payload == nil {
		n = max(n, 1<<20)
	}
	if w.e.cfg.Alloc == nil {
		return make([]byte, n)
	}
	b := w.e.cfg.Alloc(n)
	if f.op == aio.OpWrite && w.e.cfg.Payload == nil {
		_, _ = rand.NewChaCha8([32]byte{byte(w.index)}).Read(b) // never fails
	}
	return b
}
