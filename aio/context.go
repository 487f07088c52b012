package aio

import (
	"errors"
	"fmt"
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
	ErrLength        = errors.New("aio: the length is not the buffer's, or beyond 2 PiB")
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

const maxLanes = 256

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	if o.Capacity < 0 || o.Capacity > MaxCapacity {
		return fmt.Errorf("aio: capacity %d: want 1 to %d", o.Capacity, MaxCapacity)
	}
	if len(o.Lanes) == 0 {
		return errors.New("aio: no lanes: want at least one")
	}
	seen := [maxLanes]bool{}
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
	ports    []*port         // in the order of Options.Lanes
	lanes    [maxLanes]*port // the same by Lane.Index; nil: not one of ours

	// An I/O has a place in the completion rings from its submit to the reaping of
	// its event. submitted counts the places that were ever taken, and reaped those
	// given back; the difference bounds tags and events. submitted's closedBit is set
	// once: a submit takes its place before that or not at all, so that a teardown
	// knows whom to wait for.
	_         [64]byte
	submitted atomic.Int64 // written by who submits
	_         [56]byte
	reaped    atomic.Int64 // written by who reaps
	_         [56]byte

	outside   outsideRing
	outPosted atomic.Bool // the outside ring's drain is posted
	onEvents  func(l lane.Lane, evs []Event)

	waiters atomic.Uint32 // who sleeps: waitReaper, waitCloser; pairs with wakeUp
	wake    chan struct{} // to the reaper; capacity 1
	idle    chan struct{} // to the closer; capacity 1
	reaping turn          // guards the consumer side of all rings where there is no handler
	closing turn          // one Close at a time
	stale   atomic.Int64  // completions refused
}

// port is what one lane has of a context. All of it but the ring is the lane's
// own.
type port struct {
	c       *Context
	lane    lane.Lane
	index   int // of the tag cache
	ring    ring
	corked  int     // while it is not 0 completions are staged, to be published together
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
		onEvents: o.OnEvents,
		wake:     make(chan struct{}, 1),
		idle:     make(chan struct{}, 1),
	}
	c.tags.init(o.Capacity, len(o.Lanes))
	c.reaping.init()
	c.closing.init()
	for i, l := range o.Lanes {
		p := &port{c: c, lane: l, index: i, evs: make([]Event, drainBatch)}
		p.drainFn, p.outFn = p.drain, p.drainOutside
		c.ports = append(c.ports, p)
		c.lanes[l.Index()] = p
	}
	return c, nil
}

// Capacity is how many I/Os may be submitted and not yet reaped.
func (c *Context) Capacity() int { return c.capacity }

// port returns lane l's, nil if the context has none.
func (c *Context) port(l lane.Lane) *port {
	if l != nil {
		if i := l.Index(); uint(i) < maxLanes {
			return c.lanes[i]
		}
	}
	return nil
}

const closedBit = 1 << 62

// reserve takes up to n places, and returns how many it got.
func (c *Context) reserve(n int) (int, error) {
	for {
		step.Read(&c.submitted)
		s := c.submitted.Load()
		if s&closedBit != 0 {
			return 0, ErrClosed
		}
		step.Read(&c.reaped)
		got := min(n, c.capacity-int(s-c.reaped.Load()))
		if got <= 0 {
			return 0, ErrFull
		}
		step.CAS(&c.submitted, s)
		if c.submitted.CompareAndSwap(s, s+int64(got)) {
			return got, nil
		}
	}
}

// unreserve gives n places back that were not used. A closer may wait for them.
func (c *Context) unreserve(n int) {
	step.Write(&c.submitted)
	if c.submitted.Add(-int64(n))&closedBit != 0 {
		c.wakeUp()
	}
}

// release gives the places of n events back that were reaped.
func (c *Context) release(n int) {
	step.Write(&c.reaped)
	c.reaped.Add(int64(n))
}

// places is how many are taken: exact while nothing is submitted or reaped.
func (c *Context) places() int {
	step.Read(&c.submitted)
	s := c.submitted.Load() &^ closedBit
	step.Read(&c.reaped)
	return int(s - c.reaped.Load())
}

// isClosed says whether Shutdown began.
func (c *Context) isClosed() bool {
	step.Read(&c.submitted)
	return c.submitted.Load()&closedBit != 0
}
