package nvme_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/driver"
	"blksim/driver/nvme"
	"blksim/sim"
)

// fill makes data in which every 64 bytes are different from all others.
func fill(rnd *rand.Rand, b []byte) {
	for ; len(b) >= 64; b = b[64:] {
		binary.LittleEndian.PutUint64(b, rnd.Uint64())
	}
}

// operations is n, or a few under -short.
func operations(n int) int {
	if testing.Short() {
		return n / 8
	}
	return n
}

func TestDataOfEverySizeComesBack(t *testing.T) {
	r := newRig(t, rigOptions{device: device.Config{Capacity: 64 << 20}})
	p := r.openPort(0, 2)
	rnd := rand.New(rand.NewPCG(1, 1))
	sizes := []int64{512, 1024, 3584, 4096, 4608, 8192, 8704, 12288, 128 << 10, 1 << 20,
		512 * 4096, 513 * 4096, 513*4096 + 512, 514 * 4096, 1024 * 4096, 1025 * 4096, 8<<20 - 512, 8 << 20}
	for _, n := range sizes {
		for _, off := range []int64{0, 512, 8<<20 + 4096} {
			w, b := make([]byte, n), make([]byte, n)
			fill(rnd, w)
			st, moved := r.do(p, aio.OpWrite, off, n, w)
			require.Equal(t, aio.OK, st)
			require.Equal(t, n, moved)
			st, moved = r.do(p, aio.OpRead, off, n, b)
			require.Equal(t, aio.OK, st)
			require.Equal(t, n, moved)
			require.True(t, slices.Equal(w, b), "%d bytes at %d", n, off)
		}
	}
	st, _ := r.do(p, aio.OpRead, 64<<20-512, 1024, make([]byte, 1024))
	require.Equal(t, aio.OutOfRange, st)
	require.Zero(t, r.driver.Stats().Bounced)
	r.close()
}

// checker runs random operations on one port and holds every read against a
// model. Operations that are out at once do not overlap, so the model knows what
// a read must find. It belongs to the port's lane.
type checker struct {
	t     testing.TB
	port  *port
	rnd   *rand.Rand
	block int64
	base  int64 // the part of the device that is its own
	model []byte
	busy  []bool // by block
	most  int    // blocks of an operation
	left  int    // operations to be submitted

	cancels float64 // how likely an operation is cancelled
	asked   map[*driver.Request]bool
	trace   []string
	idle    func()
}

func newChecker(t testing.TB, p *port, seed uint64, block, base, size int64) *checker {
	c := &checker{t: t, port: p, rnd: rand.New(rand.NewPCG(seed, 5)), block: block, base: base,
		model: make([]byte, size), busy: make([]bool, size/block), most: 48, asked: map[*driver.Request]bool{}}
	p.onEnd = c.end
	return c
}

// pump submits operations until the port is full or there are none left.
func (c *checker) pump() {
	for c.left > 0 && len(c.port.free) > 0 {
		c.left--
		c.submit()
	}
	c.port.commit()
	if c.left == 0 && c.port.inFlight() == 0 && c.idle != nil {
		c.idle()
	}
}

func (c *checker) submit() {
	n := 1 + c.rnd.IntN(c.most)
	if c.rnd.IntN(4) > 0 {
		n = 1 + c.rnd.IntN(8)
	}
	first := c.rnd.IntN(len(c.busy) - n + 1)
	if slices.Contains(c.busy[first:first+n], true) {
		return
	}
	op := aio.Op(c.rnd.IntN(int(aio.NumOps)))
	off, size := int64(first)*c.block, int64(n)*c.block
	var bufs [][]byte
	switch {
	case op == aio.OpFlush:
		n, off, size = 0, 0, 0
	case op.HasData():
		data := make([]byte, size)
		fill(c.rnd, data)
		bufs = c.cut(data)
	}
	q := c.port.get(op, c.base+off, size, bufs...)
	if c.port.submit(q) != aio.OK {
		return // Busy, because of quarantined identifiers
	}
	c.mark(first, n, true)
	if c.rnd.Float64() < c.cancels && c.port.withDriver[q.Tag] {
		c.cancelLater(q)
	}
}

// cancelLater cancels q after a random number of posts.
func (c *checker) cancelLater(q *driver.Request) {
	hops := c.rnd.IntN(12)
	generation := c.port.uses[q.Tag]
	var hop func()
	hop = func() {
		if !c.port.withDriver[q.Tag] || c.port.uses[q.Tag] != generation {
			return
		}
		if hops--; hops >= 0 {
			c.port.lane.Post(hop)
			return
		}
		c.asked[q] = true
		c.port.cancel(q)
	}
	hop()
}

// cut makes one buffer or several of data.
func (c *checker) cut(data []byte) (bufs [][]byte) {
	for len(data) > 0 {
		n := len(data)
		if c.rnd.IntN(3) == 0 {
			n = int(c.block) * (1 + c.rnd.IntN(len(data)/int(c.block)))
		}
		bufs = append(bufs, slices.Clone(data[:n]))
		data = data[n:]
	}
	return bufs
}

func (c *checker) mark(first, n int, busy bool) {
	for i := range n {
		c.busy[first+i] = busy
	}
}

func (c *checker) end(q *driver.Request, st aio.Status, n int64) {
	c.trace = append(c.trace, fmt.Sprint(c.port.lane.Now(), q.Tag, q.Op, q.Off, q.Len, st))
	asked := c.asked[q]
	delete(c.asked, q)
	if q.Op != aio.OpFlush {
		c.mark(int((q.Off-c.base)/c.block), int(q.Len/c.block), false)
	}
	switch {
	case st == aio.Cancelled && asked:
		if n != 0 {
			c.t.Errorf("%v cancelled after %d bytes", q.Op, n)
		}
	case st != aio.OK || n != q.Len:
		c.t.Errorf("%v of %d bytes at %d ended %v after %d, asked to cancel: %v", q.Op, q.Len, q.Off, st, n, asked)
	case q.Op != aio.OpFlush:
		c.apply(q)
	}
	c.port.lane.Post(c.pump)
}

// apply brings the model to the state after q, or holds q against it.
func (c *checker) apply(q *driver.Request) {
	m := c.model[q.Off-c.base:][:q.Len]
	switch q.Op {
	case aio.OpRead:
		if !slices.Equal(m, slices.Concat(q.Bufs...)) {
			c.t.Errorf("read of %d bytes at %d in %d buffers differs", q.Len, q.Off, len(q.Bufs))
		}
	case aio.OpWrite:
		copy(m, slices.Concat(q.Bufs...))
	default:
		clear(m)
	}
}

// runCheckers runs n operations on every port until all are done.
func (r *rig) runCheckers(n int, cs ...*checker) {
	r.t.Helper()
	idle := make(chan error, len(cs))
	for _, c := range cs {
		run := func() error {
			return r.group.Do(c.port.lane.Index(), func(done func()) {
				c.left, c.idle = n, done
				c.pump()
			})
		}
		if r.world != nil {
			// All start together; the first Do runs the world for everyone.
			c.port.lane.Post(func() { c.left = n; c.pump() })
			idle <- nil
		} else {
			go func() { idle <- run() }()
		}
	}
	for range cs {
		require.NoError(r.t, <-idle)
	}
	if r.world != nil {
		r.run()
	}
	for _, c := range cs {
		r.at(c.port, func() {
			require.Zero(r.t, c.port.inFlight())
			require.Zero(r.t, c.port.wrong)
			require.Zero(r.t, c.left)
		})
	}
}

// settledStats waits until every Abort has its answer: requests do not.
func (r *rig) settledStats() (s nvme.Stats) {
	r.t.Helper()
	for range 10000 {
		s = r.driver.Stats()
		if s.AbortsAsked == s.AbortsDropped+s.AbortsDone+s.AbortsNotDone+s.AbortsFailed {
			return s
		}
		for i := range r.group.Lanes() {
			require.NoError(r.t, r.group.Do(i, func(done func()) { done() }))
		}
	}
	require.Fail(r.t, "an Abort has no answer", "%+v", s)
	return s
}

// checkIdentity holds the counters of a quiet driver against each other and
// against the device's.
func (r *rig) checkIdentity(ports ...*port) {
	r.t.Helper()
	s := r.settledStats()
	cancelled, ended := 0, 0
	for _, p := range ports {
		cancelled += p.ends[aio.Cancelled]
		for _, n := range p.ends {
			ended += n
		}
	}
	var d device.Stats
	require.NoError(r.t, r.group.Do(deviceLane, func(done func()) { d = r.device.Stats(); done() }))
	require.EqualValues(r.t, cancelled, s.Cancelled)
	require.Equal(r.t, s.Cancelled, s.AbortsDone, "requests completed Cancelled and Aborts answered aborted")
	require.Equal(r.t, s.AbortsDone, d.Aborts.Aborted)
	require.Equal(r.t, s.AbortsNotDone, d.Aborts.NotAborted)
	require.Equal(r.t, s.AbortsAsked, s.AbortsSent+s.AbortsDropped)
	require.Equal(r.t, s.AbortsSent, s.AbortsDone+s.AbortsNotDone)
	require.Zero(r.t, s.AbortsFailed, "the controller's limit was exceeded")
	require.Equal(r.t, s.Submitted, s.Completions)
	require.Equal(r.t, s.Submitted, d.IOCommands())
	require.Zero(r.t, s.Strays)
	require.Zero(r.t, s.BadHeads)
	require.Equal(r.t, device.ErrorStats{}, d.Errors)
}

func TestRandomOperationsMatchAModel(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		block int64
		depth int
	}{{1, 512, 1}, {2, 512, 7}, {3, 4096, 16}, {4, 512, 64}} {
		t.Run(fmt.Sprintf("seed=%d", c.seed), func(t *testing.T) {
			w := sim.NewWorld(c.seed, firstQueueLane+2)
			r := newRig(t, rigOptions{group: w, medium: newSlow(w.Lane(deviceLane), c.seed, 50*time.Microsecond),
				device: device.Config{Capacity: 16 << 20, LBASize: int(c.block)}})
			a, b := r.openPort(0, c.depth), r.openPort(1, c.depth)
			r.runCheckers(operations(3000), newChecker(t, a, c.seed, c.block, 0, 1<<20), newChecker(t, b, c.seed+100, c.block, 8<<20, 2<<20))
			r.checkIdentity(a, b)
			if c.block < 4096 {
				require.Positive(t, r.driver.Stats().Bounced)
			}
			r.close()
		})
	}
}

// lateAborts is a register file that brings the admin queue's doorbells late, so
// that Aborts arrive long after they were sent. They stay in order.
type lateAborts struct {
	device.Registers
	lane lane.Lane // the admin lane, which rings that doorbell
	rnd  *rand.Rand
	most time.Duration
	last lane.Time
	on   bool
}

func (x *lateAborts) Write32(off uint32, v uint32) {
	if off != 0x1000 || !x.on {
		x.Registers.Write32(off, v)
		return
	}
	now := x.lane.Now()
	x.last = max(x.last, now.Add(time.Duration(x.rnd.Int64N(int64(x.most)))))
	x.lane.NewTimer(func() { x.Registers.Write32(off, v) }).Arm(x.last.Sub(now))
}

func TestRandomCancelsWithAbortsOnTimeAndLate(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		depth int
		slots int
		keeps float64
		late  time.Duration
	}{
		{1, 8, 0, 0, 0},
		{2, 8, 2, 0.3, 0}, // most commands are unfetched
		{3, 32, 0, 0, 0},
		{4, 2, 0, 0.2, time.Millisecond},
		{5, 1, 0, 0, 300 * time.Microsecond},
		{6, 16, 4, 0, 100 * time.Microsecond},
	} {
		t.Run(fmt.Sprintf("seed=%d", c.seed), func(t *testing.T) {
			w := sim.NewWorld(c.seed, firstQueueLane+2)
			medium := newSlow(w.Lane(deviceLane), c.seed, 10*time.Microsecond)
			medium.keeps = c.keeps
			r := newRig(t, rigOptions{group: w, medium: medium, late: &lateAborts{most: c.late, rnd: rand.New(rand.NewPCG(c.seed, 9))},
				device: device.Config{Capacity: 16 << 20, Slots: c.slots, AbortLimit: 2}, driver: nvme.Options{Callback: true}})
			a, b := r.openPort(0, c.depth), r.openPort(1, c.depth)
			r.late.on = c.late > 0
			ca, cb := newChecker(t, a, c.seed, 512, 0, 1<<20), newChecker(t, b, c.seed+100, 512, 8<<20, 1<<20)
			ca.cancels, cb.cancels = 0.3, 0.01
			r.runCheckers(operations(4000), ca, cb)
			r.late.on = false
			r.checkIdentity(a, b)
			s := r.driver.Stats()
			require.Positive(t, s.AbortsAsked)
			t.Logf("%+v", s)
			r.close()
		})
	}
}

func TestTheSeedDecidesEverything(t *testing.T) {
	run := func(seed uint64) ([]string, nvme.Stats) {
		w := sim.NewWorld(seed, firstQueueLane+2)
		r := newRig(t, rigOptions{group: w, medium: newSlow(w.Lane(deviceLane), seed, 20*time.Microsecond),
			driver: nvme.Options{Callback: true}})
		p := r.openPort(0, 16)
		c := newChecker(t, p, seed, 512, 0, 1<<20)
		c.cancels = 0.2
		r.runCheckers(1000, c)
		s := r.driver.Stats()
		r.close()
		return c.trace, s
	}
	first, stats := run(7)
	again, statsAgain := run(7)
	require.Equal(t, first, again)
	require.Equal(t, stats, statsAgain)
	other, _ := run(8)
	require.NotEqual(t, first, other)
}
