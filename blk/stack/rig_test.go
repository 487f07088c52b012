package stack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/stack"
	"blksim/driver"
	"blksim/sim"
)

const capacity = 64 << 10

// memory is a device in memory whose requests take as long as a test says.
type memory struct {
	data    []byte
	latency func(r *driver.Request) time.Duration // less than 0: for ever
	fail    func(r *driver.Request) bool
	cancels bool
	cache   bool
	depth   int

	lane    lane.Lane
	timers  map[*driver.Request]lane.Timer
	seen    []aio.Op
	aborted int
}

func (m *memory) Limits() driver.Limits {
	return driver.Limits{Capacity: int64(len(m.data)), BlockSize: 512, Queues: 1, QueueDepth: m.depth, WriteCache: m.cache,
		Ops: driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush, aio.OpDiscard, aio.OpWriteZeroes)}
}
func (m *memory) Close() error { return nil }
func (m *memory) OpenQueue(l lane.Lane, _, _ int) (driver.Queue, error) {
	m.lane, m.timers = l, map[*driver.Request]lane.Timer{}
	if m.cancels {
		return &cancelMemory{m}, nil
	}
	return m, nil
}

func (m *memory) Submit(r *driver.Request) aio.Status {
	m.seen = append(m.seen, r.Op)
	t := m.lane.NewTimer(func() { m.finish(r) })
	m.timers[r] = t
	if d := m.latency(r); d >= 0 {
		t.Arm(d)
	}
	return aio.OK
}

func (m *memory) finish(r *driver.Request) {
	delete(m.timers, r)
	if m.fail != nil && m.fail(r) {
		r.Complete(aio.MediaError, 0)
		return
	}
	at := m.data[r.Off : r.Off+r.Len]
	switch r.Op {
	case aio.OpRead:
		for _, b := range r.Bufs {
			at = at[copy(b, at):]
		}
	case aio.OpWrite:
		for _, b := range r.Bufs {
			at = at[copy(at, b):]
		}
	default:
		clear(at)
	}
	r.Complete(aio.OK, r.Len)
}

type cancelMemory struct{ *memory }

func (m *cancelMemory) Cancel(r *driver.Request) {
	if t := m.timers[r]; t != nil {
		t.Stop()
		delete(m.timers, r)
		m.aborted++
		r.Complete(aio.Cancelled, 0)
	}
}

func fixed(d time.Duration) func(*driver.Request) time.Duration {
	return func(*driver.Request) time.Duration { return d }
}

// rig is a volume over devices in memory. I/Os are submitted on lane 0; the queue
// of disk i is on lane i.
type rig struct {
	t    *testing.T
	w    *sim.World
	mem  []*memory
	vol  *stack.Volume
	ctx  *aio.Context
	evs  map[uint64]aio.Event
	each func(ev *aio.Event)
}

func newRig(t *testing.T, mems []*memory, build func(ds []*blk.Disk, o stack.Options) (*stack.Volume, error)) *rig {
	var drivers []driver.Driver
	for _, m := range mems {
		if m.data == nil {
			m.data = make([]byte, capacity)
		}
		if m.latency == nil {
			m.latency = fixed(10 * time.Microsecond)
		}
		if m.depth == 0 {
			m.depth = 8
		}
		drivers = append(drivers, m)
	}
	r := newRigOver(t, drivers, build)
	r.mem = mems
	return r
}

func newRigOver(t *testing.T, drivers []driver.Driver, build func(ds []*blk.Disk, o stack.Options) (*stack.Volume, error)) *rig {
	r := &rig{t: t, w: sim.NewWorld(1, max(len(drivers), 2)), evs: map[uint64]aio.Event{}}
	var lanes []lane.Lane
	for i := range r.w.Lanes() {
		lanes = append(lanes, r.w.Lane(i))
	}
	var disks []*blk.Disk
	for i, drv := range drivers {
		d, err := blk.Open(drv, blk.Options{Queues: lanes[i : i+1], Submitters: lanes})
		require.NoError(t, err)
		disks = append(disks, d)
	}
	var err error
	r.vol, err = build(disks, stack.Options{Lanes: lanes, InFlight: 64})
	require.NoError(t, err)
	r.ctx, err = aio.New(aio.Options{Capacity: 1024, Lanes: lanes, OnEvents: func(_ lane.Lane, evs []aio.Event) {
		for i := range evs {
			_, twice := r.evs[evs[i].Data]
			require.False(t, twice)
			r.evs[evs[i].Data] = evs[i]
			if r.each != nil {
				r.each(&evs[i])
			}
		}
	}})
	require.NoError(t, err)
	return r
}

// submit submits on lane l.
func (r *rig) submit(l int, io aio.IO) (id aio.ID) {
	require.NoError(r.t, r.w.Do(l, func(done func()) {
		var err error
		id, err = r.ctx.Submit(r.w.Lane(l), r.vol, io)
		require.NoError(r.t, err)
		done()
	}))
	return id
}

func (r *rig) run() { require.NoError(r.t, r.w.Run()) }

func (r *rig) runTo(d time.Duration) { require.NoError(r.t, r.w.RunUntil(lane.Time(d))) }

func fill(n int, b byte) []byte {
	buf := make([]byte, n)
	for i := range buf {
		buf[i] = b + byte(i/512)
	}
	return buf
}
