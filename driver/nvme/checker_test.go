package nvme_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver"
	"blksim/driver/nvme"
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
		if s.AbortsAsked == s.CancelsDone+s.CancelsNotDone+s.AbortsDropped+s.AbortsDone+s.AbortsNotDone+s.AbortsFailed {
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
	require.Equal(r.t, s.Cancelled, s.AbortsDone+s.CancelsDone, "requests completed Cancelled, and Aborts and Cancels answered aborted")
	require.Equal(r.t, d.AbortsAnswered(), d.Count(spec.AbortRequested))
	require.Equal(r.t, s.CancelsDone, d.Cancels.Immediate)
	require.Equal(r.t, s.CancelsSent, d.IO[spec.IOCancel])
	require.Equal(r.t, s.CancelsSent, s.CancelsDone+s.CancelsNotDone)
	require.Equal(r.t, s.AbortsDone, d.Aborts.Aborted)
	require.Equal(r.t, s.AbortsNotDone, d.Aborts.NotAborted)
	require.Equal(r.t, s.AbortsAsked, s.AbortsSent+s.AbortsDropped+s.CancelsSent)
	require.Equal(r.t, s.AbortsSent, s.AbortsDone+s.AbortsNotDone)
	require.Zero(r.t, s.AbortsFailed, "the controller's limit was exceeded")
	require.Equal(r.t, s.Submitted, s.Completions)
	require.Equal(r.t, s.Submitted+s.CancelsSent, d.IOCommands())
	require.Zero(r.t, s.Strays)
	require.Zero(r.t, s.BadHeads)
	require.Equal(r.t, device.ErrorStats{}, d.Errors)
}
