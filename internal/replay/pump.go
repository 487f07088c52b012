package replay

import (
	"io"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/traces"
)

const (
	readBatch = 512
	chunkSize = 64

	// readBriefly is how many records the pump reads by itself where time goes by
	// meanwhile.
	readBriefly = 16
)

// pump feeds the workers. It belongs to the first lane of its engine.
type pump struct {
	e    *Engine
	lane lane.Lane
	src  Source
	name string

	recs      []traces.Record
	pos, n    int
	srcErr    error  // what the source said after recs[:n]
	real      bool   // the lanes are: time goes by while the pump works
	ahead     *ahead // reads the source; nil: the pump does
	batch     *batch // whose records recs are
	err       error  // what ended the run
	started   bool   // the time of the run has begun
	ended     bool   // no more records will be taken
	stopped   bool
	finished  bool
	abandoned bool // finished with I/Os in flight

	start    lane.Time
	end      lane.Time // of the last I/O; valid once finished
	inFlight int
	limit    int
	full     bool // there was no room, and no record has been on time since
	turn     int  // whose record is next
	timer    lane.Timer
	hold     hold
	wake     lane.Time // when holdThink ends
	taken    int       // since the last think time
	runFn    func()
	done     func()

	free   []*chunk
	filled []*chunk // by worker; nil: none open

	records  int64
	replayed int64
	skipped  map[string]int64
	expanded int64
	wrapped  int64
	moved    int64
	expired  bool  // the runtime is over
	held     int64 // records that were due before there was room for them
	span     int64 // of the trace's times, ns
}

// item is a record on its way to a worker.
type item struct {
	op          aio.Op
	off, length int64
	cancelAfter int64
	due         lane.Time
}

// chunk carries items to a worker, and comes back.
type chunk struct {
	items  []item
	w      *worker
	takeFn func() // to the worker
	backFn func() // and back
}

func (p *pump) init(e *Engine, l lane.Lane, src Source, name string) {
	p.e, p.src, p.name, p.lane = e, src, name, l
	_, p.real = e.group.(*lane.Real)
	p.recs = make([]traces.Record, readBatch)
	if p.real {
		p.recs = p.recs[:readBriefly]
	}
	p.limit = e.cfg.Limit()
	p.timer = p.lane.NewTimer(p.run)
	p.runFn = p.run
	p.filled = make([]*chunk, len(e.workers))
	p.skipped = map[string]int64{}
}

// begin starts the run.
func (p *pump) begin(done func()) {
	p.done = done
	p.start = p.lane.Now()
	// A source that is to be told the time is read as the time comes.
	if _, expires := p.src.(Expirer); p.real && !expires {
		p.ahead = newAhead(p.src, func() { p.lane.Post(p.runFn) })
	}
	p.run()
}

// startClock has the time of the run begin, or answers false: a source that is read
// ahead must have its first records before, or they would be late.
func (p *pump) startClock() bool {
	if p.ahead != nil && !p.fill() && !p.ended && !p.e.stop.Load() {
		return false
	}
	p.started = true
	p.start = p.lane.Now()
	if d := p.e.cfg.StartDelay; d > 0 {
		p.start = p.start.Add(d)
		p.hold, p.wake = holdThink, p.start
		p.timer.Arm(d)
	}
	return true
}

// run takes every record that is due and that there is room for.
func (p *pump) run() {
	if p.done == nil || p.finished {
		return // a stop came before the beginning, or after the end
	}
	if !p.started && !p.startClock() {
		return
	}
	now := p.lane.Now()
	taken := 0
	for p.holdsNot(now) && !p.ended && p.inFlight < p.limit && !p.e.stop.Load() {
		if p.pos == p.n && !p.fill() {
			break
		}
		r := &p.recs[p.pos]
		due := now
		if p.e.cfg.Timing == TraceTiming {
			// Time is negative where a trace is taken out of order.
			due = p.start.Add(scaled(max(r.Time, 0), p.e.cfg.TimeScale))
			if due > now {
				p.full = false
				p.spin(spinFor) // again: another engine of this lane may have ended
				p.timer.Arm(due.Sub(now))
				break
			}
			if p.full && due < now {
				p.held++
			}
		}
		if most := p.e.cfg.Runtime; most > 0 && !p.expired && due.Sub(p.start) >= most {
			p.expired = true
			if !p.expire() {
				p.ended = true
				break
			}
			continue
		}
		p.pos++
		p.take(r, due)
		if taken++; taken >= atOnce && p.real && p.e.cfg.Timing == TraceTiming && now.Sub(due) < tooLate {
			p.timer.Arm(0)
			break
		}
	}
	p.full = p.full || p.inFlight >= p.limit
	for i, c := range p.filled {
		if c != nil {
			p.filled[i] = nil
			p.send(c)
		}
	}
	if p.e.stop.Load() && !p.stopped {
		p.stopped, p.ended = true, true
		p.timer.Stop()
		p.e.ctx.CancelAll()
	}
	p.e.Live.Now.Store(int64(now - p.start))
	if p.real {
		p.publish()
	}
	if p.ended && p.inFlight == 0 {
		p.finish(now)
	}
}

// expire asks the source what to do at the end of the runtime; false: end.
func (p *pump) expire() bool {
	x, ok := p.src.(Expirer)
	if !ok {
		return false
	}
	drop, on := x.Expire()
	if drop {
		p.pos, p.srcErr = p.n, nil
	}
	return on
}

// hold is why the pump takes nothing although there is room.
type hold uint8

const (
	holdNone  hold = iota
	holdDrain      // the think time begins when all I/O has ended
	holdThink      // until wake: thinking, or not started
)

// holdsNot says whether the pump may take records now, as to think times.
func (p *pump) holdsNot(now lane.Time) bool {
	if p.hold == holdDrain && p.inFlight == 0 {
		p.hold, p.wake = holdThink, now.Add(p.e.cfg.Think)
		p.timer.Arm(p.e.cfg.Think)
	}
	if p.hold == holdThink && now >= p.wake {
		p.hold = holdNone
	}
	return p.hold == holdNone
}

// abandon ends the run with I/Os in flight.
func (p *pump) abandon() {
	if p.done == nil || p.finished {
		return
	}
	p.abandoned, p.stopped = true, true
	p.finish(p.lane.Now())
}

func (p *pump) finish(now lane.Time) {
	p.finished = true
	p.e.Live.finished.Store(true)
	p.end = now
	p.spin(0)
	p.done()
}

// fill reads the next records. It answers false at the end.
func (p *pump) fill() bool {
	p.pos, p.n = 0, 0
	for p.n == 0 {
		if p.e.stop.Load() {
			return false
		}
		if p.srcErr == ErrPause {
			if p.inFlight > 0 {
				return false // until the last of them has ended
			}
			p.srcErr = nil
		}
		if p.srcErr != nil {
			p.ended = true
			if p.srcErr != io.EOF {
				p.err = p.srcErr
			}
			return false
		}
		if p.ahead == nil {
			p.n, p.srcErr = p.src.Read(p.recs)
			p.e.Live.Bytes.Store(bytesRead(p.src))
			continue
		}
		b := p.ahead.next(p.batch)
		if p.batch = b; b == nil {
			return false // until the reader has more
		}
		p.recs, p.n, p.srcErr = b.recs, b.n, b.err
		p.e.Live.Bytes.Store(b.bytes)
	}
	p.e.Live.Records.Add(int64(p.n))
	return true
}

// bytesRead is how much of its input a source has consumed, if it says so.
func bytesRead(src Source) int64 {
	if b, ok := src.(interface{ BytesRead() int64 }); ok {
		return b.BytesRead()
	}
	return 0
}

// take checks one record and gives it to a worker.
func (p *pump) take(r *traces.Record, due lane.Time) {
	p.records++
	p.span = max(p.span, r.Time)
	it := item{op: OpOf(r.Op), off: r.Offset, length: r.Length, cancelAfter: r.CancelAfter, due: due}
	if reason := p.fit(&it); reason != "" {
		p.skipped[reason]++
		if !p.e.cfg.SkipBad {
			p.ended = true
			p.err = &RecordError{Name: p.name, Line: r.Line, Op: it.op, Off: r.Offset, Len: r.Length, Reason: reason,
				Capacity: p.e.disk.Limits().Capacity, Longest: longestIO}
		}
		return
	}
	p.replayed++
	p.inFlight++
	if p.taken++; p.taken == p.e.cfg.ThinkEvery {
		p.taken, p.hold = 0, holdDrain
	}
	w := p.turn
	if p.turn++; p.turn == len(p.filled) {
		p.turn = 0
	}
	c := p.filled[w]
	if c == nil {
		c = p.chunk(p.e.workers[w])
		p.filled[w] = c
	}
	c.items = append(c.items, it)
	if len(c.items) == chunkSize {
		p.filled[w] = nil
		p.send(c)
	}
}

// chunk gets an empty chunk for w.
func (p *pump) chunk(w *worker) *chunk {
	var c *chunk
	if n := len(p.free); n > 0 {
		c = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		c = &chunk{items: make([]item, 0, chunkSize)}
		c.takeFn = func() {
			c.w.take(c)
			p.lane.Post(c.backFn)
		}
		c.backFn = func() { p.back(c) }
	}
	c.w = w
	return c
}

func (p *pump) back(c *chunk) {
	c.items = c.items[:0]
	p.free = append(p.free, c)
}

// send hands a chunk over.
func (p *pump) send(c *chunk) {
	if p.real {
		p.e.Live.submitted.Store(p.replayed) // before: what follows may never return
	}
	if c.w.lane == p.lane {
		c.w.take(c)
		p.back(c)
		return
	}
	c.w.lane.Post(c.takeFn)
}

// credit takes back the room of the I/Os that ended.
func (p *pump) credit() {
	for _, w := range p.e.workers {
		n := w.ended.Swap(0)
		p.inFlight -= int(n)
		p.e.Live.Ended.Add(n)
	}
	p.run()
}
