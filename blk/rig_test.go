package blk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
	"blksim/sim"
)

// fake is a driver that a test holds in its hands: requests stay with it until
// the test, or service, completes them.
type fake struct {
	limits   driver.Limits
	callback bool          // its queues have Cancel
	inline   bool          // complete inside Submit
	service  time.Duration // complete after so long; 0: the test does it
	refuse   func(r *driver.Request) aio.Status
	onCancel func(q *fakeQueue, r *driver.Request)

	queues []*fakeQueue
	closed bool
}

func newFake() *fake {
	return &fake{limits: driver.Limits{Capacity: 1 << 30, BlockSize: 512, Queues: 8, QueueDepth: 64,
		Ops: driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush)}}
}

func (f *fake) Limits() driver.Limits { return f.limits }
func (f *fake) Close() error          { f.closed = true; return nil }
func (f *fake) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	q := &fakeQueue{f: f, lane: l}
	f.queues = append(f.queues, q)
	if f.callback {
		return &fakeCancelQueue{q}, nil
	}
	return q, nil
}

type fakeQueue struct {
	f       *fake
	lane    lane.Lane
	seen    []int64 // offsets submitted, in order
	held    []*driver.Request
	cancels []*driver.Request
	commits int
	nested  int // Submit calls inside Submit
	depth   int
}

func (q *fakeQueue) Submit(r *driver.Request) aio.Status {
	q.depth++
	defer func() { q.depth-- }()
	if q.depth > 1 {
		q.nested++
	}
	if q.f.refuse != nil {
		if st := q.f.refuse(r); st != aio.OK {
			return st
		}
	}
	q.seen = append(q.seen, r.Off)
	switch {
	case q.f.inline:
		r.Complete(aio.OK, r.Len)
	case q.f.service > 0:
		q.lane.NewTimer(func() { r.Complete(aio.OK, r.Len) }).Arm(q.f.service)
	default:
		q.held = append(q.held, r)
	}
	return aio.OK
}

func (q *fakeQueue) Commit() { q.commits++ }

// finish completes the request at offset off.
func (q *fakeQueue) finish(off int64, st aio.Status) {
	for i, r := range q.held {
		if r.Off == off {
			q.held = append(q.held[:i], q.held[i+1:]...)
			q.lane.Post(func() { r.Complete(st, r.Len) })
			return
		}
	}
	panic("no such request")
}

type fakeCancelQueue struct{ *fakeQueue }

func (q *fakeCancelQueue) Cancel(r *driver.Request) {
	q.cancels = append(q.cancels, r)
	if q.f.onCancel != nil {
		q.f.onCancel(q.fakeQueue, r)
	}
}

// rig is a disk over a fake driver in a simulated world.
type rig struct {
	t    *testing.T
	w    *sim.World
	f    *fake
	disk *blk.Disk
	ctx  *aio.Context
	evs  map[uint64]aio.Event // by IO.Data
	each func(ev aio.Event)
}

// newRig opens f with the given number of queues, and one submitting lane more
// than that.
func newRig(t *testing.T, f *fake, queues, depth int) *rig {
	r := &rig{t: t, w: sim.NewWorld(1, queues+1), f: f, evs: map[uint64]aio.Event{}}
	var lanes []lane.Lane
	for i := range queues + 1 {
		lanes = append(lanes, r.w.Lane(i))
	}
	var err error
	r.disk, err = blk.Open(f, blk.Options{Queues: lanes[:queues], Submitters: lanes, Depth: depth, NoMerges: true})
	require.NoError(t, err)
	r.ctx, err = aio.New(aio.Options{Capacity: 4096, Lanes: lanes, OnEvents: func(_ lane.Lane, evs []aio.Event) {
		for _, ev := range evs {
			if _, twice := r.evs[ev.Data]; twice {
				t.Errorf("two events for I/O %d", ev.Data)
			}
			r.evs[ev.Data] = ev
			if r.each != nil {
				r.each(ev)
			}
		}
	}})
	require.NoError(t, err)
	return r
}

// write submits a write of one block at block number n from lane l, with Data n.
func (r *rig) write(l int, n uint64) (id aio.ID) {
	r.on(l, func() { id = r.writeHere(l, n) })
	return id
}

// writeHere is write, on lane l.
func (r *rig) writeHere(l int, n uint64) aio.ID {
	io := aio.IO{Op: aio.OpWrite, Off: int64(n) * 512, Len: 512, Buf: make([]byte, 512), Data: n}
	id, err := r.ctx.Submit(r.w.Lane(l), r.disk, io)
	require.NoError(r.t, err)
	return id
}

// on runs f on lane l.
func (r *rig) on(l int, f func()) {
	require.NoError(r.t, r.w.Do(l, func(done func()) { f(); done() }))
}

func (r *rig) run() { require.NoError(r.t, r.w.Run()) }
