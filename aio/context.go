package aio

import (
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"

	"blksim/aio/lane"
	"blksim/internal/step"
)

// The errors of this package.
var (
	ErrFull          = errors.New("aio: the context is full")
	ErrClosed        = errors.New("aio: the context is closed")
	ErrNoMemory      = errors.New("aio: no memory for kiocbs")
	ErrCompleted     = errors.New("aio: the I/O has completed")
	ErrCancelFuncSet = errors.New("aio: the I/O has a cancel function")
)

// Options configure a Context.
type Options struct {
	// Capacity is how many I/Os may be submitted and not yet reaped: 1 to
	// MaxCapacity. 0: 1024.
	Capacity int

	// Lanes are those that may submit. Lane.Index must differ between them and
	// be less than 256. At least one.
	Lanes []lane.Lane

	// OnEvents, if set, gets the events, and Events may not be called. It runs
	// on the lane that completed, from the lane's loop, never inline; events
	// that no lane completed go to Lanes[0]. evs is valid during the call.
	OnEvents func(l lane.Lane, evs []Event)
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	if o.Capacity < 0 || o.Capacity > MaxCapacity {
		return fmt.Errorf("aio: capacity %d: want 1 to %d", o.Capacity, MaxCapacity)
	}
	if len(o.Lanes) == 0 {
		return errors.New("aio: no lanes: want at least one")
	}
	seen := [256]bool{}
	for _, l := range o.Lanes {
		i := l.Index()
		if i < 0 || i >= len(seen) || seen[i] {
			return fmt.Errorf("aio: lane index %d: want distinct ones from 0 to %d", i, len(seen)-1)
		}
		seen[i] = true
	}
	return nil
}

// A Context is a set of I/Os in flight and the place where their events arrive.
// Submit is called on lanes; Cancel, Stats and the rest from anywhere.
type Context struct {
	capacity int
	table    pageTable
	tags     tagPool
	lanes    []*port // by Lane.Index; nil: not one of ours

	// reserved counts the places taken in the completion rings: one for each
	// I/O from its submit to its event's reaping. It bounds tags and events. Its
	// closedBit is set once: a submit reserves before that or not at all, so
	// that a teardown knows whom to wait for.
	reserved atomic.Int64

	outside   outsideRing
	outPosted atomic.Bool // the outside ring's drain is posted
	onEvents  func(l lane.Lane, evs []Event)
	home      *port // Lanes[0]: drains the outside ring where there is a handler

	waiters atomic.Uint32 // who sleeps: waitReaper, waitCloser; pairs with wakeUp
	wake    chan struct{} // to the reaper; capacity 1
	idle    chan struct{} // to the closer; capacity 1
	reaping turn          // guards the consumer side of all rings without a handler
	closing turn          // one Close at a time
	stats   counters
}

// port is what one lane has of a context. All of it but the ring is the lane's
// own.
type port struct {
	c       *Context
	lane    lane.Lane
	index   int // of the tag cache
	ring    ring
	posted  bool    // drain is posted
	drainFn func()  // bound once
	outFn   func()  // bound once
	batch   []Kiocb // for SubmitBatch
	evs     []Event // for drain
}

const drainBatch = 64

// New makes a context.
func New(o Options) (*Context, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Capacity == 0 {
		o.Capacity = 1024
	}
	c := &Context{
		capacity: o.Capacity,
		table:    newPageTable(o.Capacity, newPage),
		tags:     newTagPool(o.Capacity, len(o.Lanes)),
		onEvents: o.OnEvents,
		wake:     make(chan struct{}, 1),
		idle:     make(chan struct{}, 1),
	}
	c.reaping.init()
	c.closing.init()
	for i, l := range o.Lanes {
		p := &port{c: c, lane: l, index: i, evs: make([]Event, drainBatch)}
		p.drainFn, p.outFn = p.drain, p.drainOutside
		for len(c.lanes) <= l.Index() {
			c.lanes = append(c.lanes, nil)
		}
		c.lanes[l.Index()] = p
	}
	c.home = c.lanes[o.Lanes[0].Index()]
	return c, nil
}

// Capacity is how many I/Os may be submitted and not yet reaped.
func (c *Context) Capacity() int { return c.capacity }

// port returns lane l's, nil if the context has none.
func (c *Context) port(l lane.Lane) *port {
	if l == nil {
		return nil
	}
	if i := l.Index(); i < len(c.lanes) {
		return c.lanes[i]
	}
	return nil
}

const closedBit = 1 << 62

// reserve takes up to n places, and returns how many it got.
func (c *Context) reserve(n int) (int, error) {
	for {
		step.Read(&c.reserved)
		r := c.reserved.Load()
		if r&closedBit != 0 {
			return 0, ErrClosed
		}
		got := min(n, c.capacity-int(r))
		if got <= 0 {
			return 0, ErrFull
		}
		step.CAS(&c.reserved, r)
		if c.reserved.CompareAndSwap(r, r+int64(got)) {
			return got, nil
		}
	}
}

// release gives n places back. A closer may be waiting for them.
func (c *Context) release(n int) {
	step.Write(&c.reserved)
	if c.reserved.Add(-int64(n))&closedBit != 0 {
		c.wakeUp()
	}
}

// isClosed says whether Shutdown began.
func (c *Context) isClosed() bool {
	step.Read(&c.reserved)
	return c.reserved.Load()&closedBit != 0
}

// IO is one I/O to submit.
type IO struct {
	Op   Op
	Off  int64  // first byte
	Len  int64  // bytes; for an operation with data it must be len(Buf)
	Buf  []byte // the data; the target's until the event
	Data uint64 // comes back in the event

	// Deadline is when the target cancels the I/O by itself, as Context.Cancel
	// would, on the clock of its lanes; 0: never. Targets that do not keep
	// deadlines say so.
	Deadline lane.Time
	Flags    Flags
}

// Submit starts one I/O on t. It is called on lane l, one of Options.Lanes, and
// never waits. On an error nothing was started and there will be no event; else
// there will be exactly one. The I/O may have completed when Submit returns.
func (c *Context) Submit(l lane.Lane, t Target, io IO) (ID, error) {
	p := c.port(l)
	if p == nil {
		panic("aio: Submit on a lane that the context does not have")
	}
	if _, err := c.reserve(1); err != nil {
		return 0, err
	}
	group, mask := c.tags.take(p.index, 1)
	id := c.publish(group, mask, &io)
	if id == 0 {
		c.release(1)
		return 0, ErrNoMemory
	}
	t.Start(l, Kiocb{c, id})
	c.closedMeanwhile(id)
	return id, nil
}

// SubmitBatch starts ios on t, in order, as many as there is room for, and
// returns how many; ids[i] is then the ID of ios[i], where ids is long enough.
// The error says why it stopped early. See Submit.
func (c *Context) SubmitBatch(l lane.Lane, t Target, ios []IO, ids []ID) (int, error) {
	p := c.port(l)
	if p == nil {
		panic("aio: SubmitBatch on a lane that the context does not have")
	}
	if len(ios) == 0 {
		return 0, nil
	}
	n, err := c.reserve(len(ios))
	if err != nil {
		return 0, err
	}
	batch := p.batch[:0]
	for len(batch) < n {
		group, mask := c.tags.take(p.index, n-len(batch))
		for mask != 0 {
			tag := mask & -mask
			mask &^= tag
			io := &ios[len(batch)]
			id := c.publish(group, tag, io)
			if id == 0 {
				for ; mask != 0; mask &= mask - 1 {
					c.tags.give(tagOf(group, mask&-mask))
				}
				c.release(n - len(batch))
				return p.start(t, batch, ids), ErrNoMemory
			}
			batch = append(batch, Kiocb{c, id})
		}
	}
	p.start(t, batch, ids)
	if n < len(ios) {
		return n, ErrFull
	}
	return n, nil
}

// start hands a published batch to its target, unless it is empty.
func (p *port) start(t Target, batch []Kiocb, ids []ID) int {
	if len(batch) == 0 {
		return 0
	}
	// The batch is ours again only after the target has returned, and the
	// target may submit: take it off the port meanwhile.
	p.batch = nil
	for i := range min(len(ids), len(batch)) {
		ids[i] = batch[i].id
	}
	if bt, ok := t.(BatchTarget); ok {
		bt.StartBatch(p.lane, batch)
	} else {
		for _, k := range batch {
			t.Start(p.lane, k)
		}
	}
	for _, k := range batch {
		p.c.closedMeanwhile(k.id)
	}
	p.batch = batch
	return len(batch)
}

// publish fills the slot of a tag and makes it LIVE. It returns 0, with the tag
// given back, if there is no memory.
func (c *Context) publish(group, mask uint32, io *IO) ID {
	tag := tagOf(group, mask)
	p := c.table.need(tag)
	if p == nil {
		c.tags.give(tag)
		return 0
	}
	i := tag & (pageSlots - 1)
	b := &p.bodies[i]
	step.Write(b)
	b.off, b.length, b.data, b.op = io.Off, io.Len, io.Data, io.Op
	b.deadline, b.flags = io.Deadline, io.Flags
	b.dispatched, b.returned = 0, 0
	step.Write(&p.cold[i])
	p.cold[i].buf = io.Buf
	gen := wordGen(p.words[i].Load()) // ours alone: the tag is
	step.Write(&p.words[i])
	p.words[i].Store(wordOf(gen, stateLive))
	return makeID(gen, tag)
}

// deliver sends the event of an I/O whose word the caller moved to DONE; w is that
// word. The slot is FREE, in a new generation, before its tag can be taken, and the
// tag is back before the event can be reaped.
func (c *Context) deliver(l lane.Lane, id ID, w uint64) {
	k := Kiocb{c, id}
	p, i := k.slot()
	b := &p.bodies[i]
	step.Read(b)
	ev := Event{
		ID: id, Data: b.data, N: b.result, Dispatched: b.dispatched, Returned: b.returned, Status: b.status,
		Started: w&flagStarted != 0, CancelAsked: w&flagAsked != 0,
	}
	step.Write(&p.cold[i])
	p.cold[i].buf = nil
	if w&flagHasFn != 0 {
		p.cold[i].fn = nil
	}
	step.Write(&p.words[i])
	p.words[i].Store(freed(w))
	c.tags.give(id.index())
	c.post(l, &ev)
}

func tagOf(group, bit uint32) uint32 { return group*groupTags + uint32(bits.TrailingZeros32(bit)) }
