package broken

import (
	"fmt"
	"sync"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/sim"
)

// Good is a device without mistakes.
type Good struct {
	seed  uint64
	cache bool

	mu   sync.Mutex // guards what follows: the queues are on several lanes
	data []byte     // what a read finds
	safe []byte     // what a power cut leaves; data itself, without a cache
	rand *sim.Rand  // which blocks leave the cache by themselves
	dead bool       // the power was cut

	queues    []*goodQueue
	resetting int // resets under way: nothing is taken
}

const (
	goodBlock = 512
	goodSize  = 32 << 10
)

// NewGood makes a device with a volatile cache or without.
func NewGood(seed uint64, cache bool) *Good {
	g := &Good{seed: seed, cache: cache, data: make([]byte, goodSize), rand: sim.NewRand(seed, "broken/cache")}
	g.safe = g.data
	if cache {
		g.safe = make([]byte, goodSize)
	}
	return g
}

// Limits implements [driver.Driver].
func (g *Good) Limits() driver.Limits {
	return driver.Limits{
		Capacity: goodSize, BlockSize: goodBlock, MaxTransfer: 16 << 10, Queues: 4, QueueDepth: 16, WriteCache: g.cache, FUA: g.cache,
		Ops: driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush, aio.OpDiscard, aio.OpWriteZeroes),
	}
}

// OpenQueue implements [driver.Driver].
func (g *Good) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	q := &goodQueue{disk: g, lane: l, places: max(1, depth*3/4), slots: make([]goodSlot, depth),
		rand: sim.NewRand(g.seed, fmt.Sprint("broken/queue/", qid))}
	for tag := range q.slots {
		s := &q.slots[tag]
		s.timer = l.NewTimer(func() { q.step(s) })
	}
	g.queues = append(g.queues, q)
	return q, nil
}

// Reset implements [driver.Resetter]: each queue, on its lane, ends what it has,
// and after a while the device is back.
func (g *Good) Reset(done func(error)) {
	g.mu.Lock()
	g.resetting++
	left := len(g.queues)
	g.mu.Unlock()
	for _, q := range g.queues {
		q.lane.Post(func() {
			q.drop()
			g.mu.Lock()
			left--
			last := left == 0
			g.mu.Unlock()
			if last {
				q.lane.NewTimer(func() {
					g.mu.Lock()
					g.resetting--
					g.mu.Unlock()
					done(nil)
				}).Arm(50 * time.Microsecond)
			}
		})
	}
}

// drop ends all requests of a queue, for a reset.
func (q *goodQueue) drop() {
	for i := range q.slots {
		if s := &q.slots[i]; s.state != free {
			q.finish(s, aio.TimedOut)
		}
	}
}

// Close implements [driver.Driver].
func (g *Good) Close() error { return nil }

// PowerCut implements drivertest.PowerCutter.
func (g *Good) PowerCut() (driver.Driver, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dead = true
	n := NewGood(g.seed+1, g.cache)
	copy(n.safe, g.safe)
	copy(n.data, g.safe)
	return n, nil
}

// state is where a request is.
type state uint8

const (
	free     state = iota
	batched        // until Commit
	flying         // at the medium, until the timer
	aborting       // cancelled, until the timer
	done           // its interrupt is on the way, until the timer
)

// goodQueue is one queue, on its lane.
type goodQueue struct {
	disk   *Good
	lane   lane.Lane
	rand   *sim.Rand
	places int // requests that the device takes at once
	used   int
	slots  []goodSlot // by tag
}

type goodSlot struct {
	state  state
	req    *driver.Request
	status aio.Status
	timer  lane.Timer
}

func (q *goodQueue) Submit(r *driver.Request) aio.Status {
	if r.Len < 0 || r.Off < 0 || r.Off > goodSize-r.Len {
		return aio.OutOfRange
	}
	if q.used == q.places || q.disk.isResetting() {
		return aio.Busy
	}
	q.used++
	s := &q.slots[r.Tag]
	s.state, s.req = batched, r
	return aio.OK
}

func (g *Good) isResetting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.resetting > 0
}

func (q *goodQueue) Commit() {
	for i := range q.slots {
		if s := &q.slots[i]; s.state == batched {
			s.state = flying
			s.timer.Arm(q.service())
		}
	}
}

// service draws the time of one request at the medium.
func (q *goodQueue) service() time.Duration {
	return q.rand.Duration(5*time.Microsecond, 60*time.Microsecond)
}

// step is what a slot's timer does: the next stage of its request.
func (q *goodQueue) step(s *goodSlot) {
	switch s.state {
	case flying:
		if q.disk.serve(s.req) {
			q.interrupt(s, aio.OK)
		}
	case aborting:
		q.finish(s, aio.Cancelled)
	case done:
		q.finish(s, s.status)
	}
}

func (q *goodQueue) interrupt(s *goodSlot, st aio.Status) {
	s.state, s.status = done, st
	s.timer.Arm(2 * time.Microsecond)
}

func (q *goodQueue) finish(s *goodSlot, st aio.Status) {
	s.timer.Stop()
	q.disk.mu.Lock()
	dead := q.disk.dead
	q.disk.mu.Unlock()
	if dead {
		return
	}
	r := s.req
	s.state, s.req = free, nil
	q.used--
	n := r.Len
	if st != aio.OK {
		n = 0
	}
	r.Complete(st, n)
}

// Poll implements [driver.Poller]: it takes what the interrupt would bring.
func (q *goodQueue) Poll(budget int) (n int) {
	for i := range q.slots {
		if s := &q.slots[i]; s.state == done && n < budget {
			q.finish(s, s.status)
			n++
		}
	}
	return n
}

// Cancel implements [driver.Canceler].
func (q *goodQueue) Cancel(r *driver.Request) {
	s := &q.slots[r.Tag]
	if s.req != r || s.state != batched && s.state != flying {
		return
	}
	s.state = aborting
	s.timer.Arm(3 * time.Microsecond)
}

// serve moves the data of a request; false: there is no power.
func (g *Good) serve(r *driver.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return false
	}
	at := g.data[r.Off : r.Off+r.Len]
	switch r.Op {
	case aio.OpRead:
		for _, b := range r.Bufs {
			at = at[copy(b, at):]
		}
	case aio.OpWrite:
		for _, b := range r.Bufs {
			at = at[copy(at, b):]
		}
	case aio.OpDiscard, aio.OpWriteZeroes:
		clear(at)
	case aio.OpFlush:
		copy(g.safe, g.data)
	}
	if g.cache && r.Op != aio.OpRead {
		for off := r.Off; off < r.Off+r.Len; off += goodBlock {
			if r.FUA || g.rand.Bool(1, 2) {
				copy(g.safe[off:off+goodBlock], g.data[off:])
			}
		}
	}
	return true
}
