package nvme_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver"
	"blksim/driver/nvme"
	"blksim/sim"
)

// The lanes of a rig.
const (
	adminLane = iota
	deviceLane
	firstQueueLane
)

// rig is a driver over the real controller.
type rig struct {
	t      testing.TB
	group  lane.Group
	world  *sim.World // nil on real lanes
	device *device.Controller
	driver *nvme.Driver
	late   *lateAborts // nil: none
}

type rigOptions struct {
	group  lane.Group // nil: a world with seed 1 and two queue lanes
	medium device.Medium
	device device.Config
	driver nvme.Options
	late   *lateAborts
}

func newRig(t testing.TB, o rigOptions) *rig {
	t.Helper()
	r := &rig{t: t, group: o.group}
	if r.group == nil {
		r.group = sim.NewWorld(1, firstQueueLane+2)
	}
	r.world, _ = r.group.(*sim.World)
	if o.medium == nil {
		o.medium = device.NewNull()
	}
	o.driver.Group, o.driver.AdminLane = r.group, adminLane
	o.driver.Connect = func(m device.Memory, i device.Interrupter) (device.Registers, error) {
		c, err := device.New(r.group.Lane(deviceLane), m, i, o.medium, o.device)
		r.device = c
		if o.late != nil {
			r.late = o.late
			r.late.Registers, r.late.lane = c, r.group.Lane(adminLane)
			return r.late, err
		}
		return c, err
	}
	var err error
	r.driver, err = nvme.Open(o.driver)
	require.NoError(t, err)
	return r
}

func (r *rig) close() {
	r.t.Helper()
	require.NoError(r.t, r.driver.Close())
}

// run runs the world until nothing is left to do.
func (r *rig) run() {
	r.t.Helper()
	require.NoError(r.t, r.world.Run())
}

// port is a queue with requests of its own, as the block layer would have it. It
// belongs to the queue's lane.
type port struct {
	lane  lane.Lane
	queue driver.Queue
	reqs  []*driver.Request
	free  []int // tags
	onEnd func(r *driver.Request, st aio.Status, n int64)

	withDriver []bool // by tag
	uses       []int  // by tag: how often it was submitted
	ends       [aio.NumStatuses]int
	wrong      int // completions of requests that were not with the driver
}

func (r *rig) openPort(i, depth int) *port {
	r.t.Helper()
	p := &port{lane: r.group.Lane(firstQueueLane + i), withDriver: make([]bool, depth), uses: make([]int, depth)}
	q, err := r.driver.OpenQueue(p.lane, i, depth)
	require.NoError(r.t, err)
	p.queue = q
	for tag := range depth {
		p.reqs = append(p.reqs, driver.NewRequest(p, tag))
		p.free = append(p.free, depth-1-tag)
	}
	return p
}

func (p *port) CompleteRequest(r *driver.Request, st aio.Status, n int64) {
	if !p.withDriver[r.Tag] {
		p.wrong++
		return
	}
	p.withDriver[r.Tag] = false
	p.ends[st]++
	p.free = append(p.free, r.Tag)
	if p.onEnd != nil {
		p.onEnd(r, st, n)
	}
}

// get takes a free request and fills it in.
func (p *port) get(op aio.Op, off, n int64, bufs ...[]byte) *driver.Request {
	tag := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	r := p.reqs[tag]
	r.Op, r.Off, r.Len, r.Bufs = op, off, n, bufs
	return r
}

// submit submits r; unless the answer is OK the request is free again.
func (p *port) submit(r *driver.Request) aio.Status {
	p.withDriver[r.Tag] = true
	p.uses[r.Tag]++
	st := p.queue.Submit(r)
	if st != aio.OK {
		p.withDriver[r.Tag] = false
		p.free = append(p.free, r.Tag)
	}
	return st
}

func (p *port) commit()                  { p.queue.(driver.Committer).Commit() }
func (p *port) cancel(r *driver.Request) { p.queue.(driver.Canceler).Cancel(r) }
func (p *port) inFlight() int            { return len(p.reqs) - len(p.free) }

// do runs one request on an otherwise idle port and returns how it ended.
func (r *rig) do(p *port, op aio.Op, off, n int64, bufs ...[]byte) (end aio.Status, moved int64) {
	r.t.Helper()
	err := r.group.Do(p.lane.Index(), func(done func()) {
		p.onEnd = func(_ *driver.Request, st aio.Status, n int64) {
			end, moved = st, n
			done()
		}
		if end = p.submit(p.get(op, off, n, bufs...)); end != aio.OK {
			done()
			return
		}
		p.commit()
	})
	require.NoError(r.t, err)
	p.onEnd = nil
	return end, moved
}

// at runs f on p's lane.
func (r *rig) at(p *port, f func()) {
	r.t.Helper()
	require.NoError(r.t, r.group.Do(p.lane.Index(), func(done func()) { f(); done() }))
}

// slow is a medium that ends each op after a random time, and aborts most ops
// that it is asked to.
type slow struct {
	lane  lane.Lane
	rnd   *rand.Rand
	most  time.Duration
	keeps float64 // how likely it refuses an abort

	host  device.MediumHost
	ops   []*device.Op
	timer []lane.Timer
	stats device.MediumStats
}

func newSlow(l lane.Lane, seed uint64, most time.Duration) *slow {
	return &slow{lane: l, rnd: rand.New(rand.NewPCG(seed, 7)), most: most}
}

func (m *slow) Attach(h device.MediumHost, slots int) {
	m.host = h
	m.ops = make([]*device.Op, slots)
	m.timer = make([]lane.Timer, slots)
	for i := range slots {
		m.timer[i] = m.lane.NewTimer(func() { m.end(i) })
	}
}

func (m *slow) end(i int) {
	op := m.ops[i]
	m.ops[i] = nil
	m.host.Done(op, spec.Success)
	m.host.Settle()
}

func (m *slow) Begin(op *device.Op) (spec.Status, bool) {
	m.ops[op.Slot] = op
	m.timer[op.Slot].Arm(time.Duration(m.rnd.Int64N(int64(m.most))))
	return 0, false
}

func (m *slow) Abort(op *device.Op) bool {
	if m.rnd.Float64() < m.keeps {
		return false
	}
	m.forget(op.Slot)
	return true
}

func (m *slow) Reset() {
	for i := range m.ops {
		m.forget(i)
	}
}

func (m *slow) forget(i int) {
	m.ops[i] = nil
	m.timer[i].Stop()
}

func (m *slow) Volatile() bool            { return false }
func (m *slow) Stats() device.MediumStats { return m.stats }
