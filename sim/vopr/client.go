package vopr

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/blockmodel"
	"blksim/sim"
)

// client submits on one lane.
type client struct {
	r      *run
	index  int
	lane   lane.Lane
	rand   *sim.Rand
	script []request // goes first
	left   int64     // to draw
	flying int64
	pumpFn func()
	posted bool
	pause  lane.Timer
	paused bool
}

// request is an I/O before it is submitted.
type request struct {
	op       aio.Op
	first, n int64 // blocks
	bad      bool  // an extent that no device takes
	fua      bool
}

// flight is an I/O under way. It is used again.
type flight struct {
	request
	index  int
	client *client
	id     aio.ID
	live   bool
	at     lane.Time
	asked  bool // a cancel was accepted
	uses   uint64
	buf    []byte
	stamp  blockmodel.Stamp
	write  *blockmodel.Write
	read   *blockmodel.Read
	flush  *blockmodel.Flush
}

// String is the I/O in words.
func (f *flight) String() string {
	return fmt.Sprintf("I/O %d.%d %v of blocks %d+%d from lane %d at %v", f.index, f.uses, f.op, f.first, f.n, f.client.lane.Index(), f.at.Sub(0))
}

func newClient(r *run, i int, l lane.Lane) *client {
	c := &client{r: r, index: i, lane: l, rand: sim.NewRand(r.o.Seed, fmt.Sprint("vopr/client/", i))}
	c.pumpFn = c.pump
	c.pause = l.NewTimer(func() { c.paused = false; c.pump() })
	return c
}

// wake has the client go on, from its lane's loop.
func (c *client) wake() {
	if !c.posted && !c.paused {
		c.posted = true
		c.lane.Post(c.pumpFn)
	}
}

// pump submits batches until the window is full.
func (c *client) pump() {
	c.posted = false
	r := c.r
	for r.fail == nil && !c.paused {
		room := r.o.Set[Window] - c.flying
		n := min(room, 1+c.rand.Int64N(r.o.Set[Batch]), int64(len(c.script))+c.left)
		if n <= 0 {
			return
		}
		c.submit(int(n))
		if us := r.o.Set[Think]; us > 0 && len(c.script) == 0 && c.rand.Bool(1, 2) {
			c.paused = true
			c.pause.Arm(c.rand.Duration(0, time.Duration(us)*time.Microsecond+1))
		}
	}
}

// submit submits a batch.
func (c *client) submit(n int) {
	r := c.r
	var ios []aio.IO
	var batch []*flight
	for range n {
		var q request
		if len(c.script) > 0 {
			q = c.script[0]
			c.script = c.script[1:]
		} else {
			c.left--
			q = c.draw()
		}
		f := c.flight(q)
		ios = append(ios, f.begin())
		batch = append(batch, f)
		c.flying++
	}
	ids := make([]aio.ID, n)
	for _, f := range batch {
		r.note("submit %v", f)
		r.rep.Submitted++
	}
	if got, err := c.send(ios, ids); got != n || err != nil {
		r.broke("a batch of %d was submitted up to %d: %v", n, got, err)
		return
	}
	for i, f := range batch {
		f.id = ids[i]
		r.digest(uint64(r.st.world.Now()), uint64(ids[i]))
		c.plan(f)
	}
}

// send submits a batch as one, or one by one behind a plug.
func (c *client) send(ios []aio.IO, ids []aio.ID) (n int, err error) {
	st := c.r.st
	if c.r.o.Set[Plug] == 0 {
		return st.ctx.SubmitBatch(c.lane, st.on, ios, ids)
	}
	for _, d := range st.disks {
		d.Plug(c.lane)
		defer d.Unplug(c.lane)
	}
	for i := range ios {
		if ids[i], err = st.ctx.Submit(c.lane, st.on, ios[i]); err != nil {
			return i, err
		}
	}
	return len(ios), nil
}

// plan decides whether and when an I/O is cancelled.
func (c *client) plan(f *flight) {
	r := c.r
	if r.healing || c.rand.Int64N(100) >= r.o.Set[Cancels] {
		return
	}
	id, uses := f.id, f.uses
	d := c.rand.Duration(0, time.Duration(r.o.Set[Within])*time.Microsecond+1)
	l := r.st.lanes[c.rand.IntN(len(r.st.lanes))]
	cancel := func() {
		if !r.healing {
			r.cancel(f, id, uses)
		}
	}
	if d == 0 && l == c.lane {
		cancel()
		return
	}
	l.Post(func() { l.NewTimer(cancel).Arm(d) })
}

// cancel asks for an I/O by its id, which may be long gone, and checks the answer.
func (r *run) cancel(f *flight, id aio.ID, uses uint64) {
	gone := f.uses != uses || !f.live
	res := r.st.ctx.Cancel(id)
	r.rep.Answers[res]++
	r.digest(uint64(id), uint64(res))
	r.note("cancel of I/O %d.%d: %v", f.index, uses, res)
	switch {
	case gone && res != aio.NotFound:
		r.broke("I/O %d.%d has its event, and a cancel of it was answered %v", f.index, uses, res)
	case !gone && res == aio.Accepted:
		f.asked = true
	}
}

// draw makes a request.
func (c *client) draw() request {
	set, rand, r := &c.r.o.Set, c.rand, c.r
	pct := func(k Knob) bool { return rand.Int64N(100) < set[k] }
	q := request{n: 1 + rand.Int64N(min(set[Longest], r.blocks))}
	q.first = rand.Int64N(r.blocks - q.n + 1)
	q.bad = pct(Bad)
	switch {
	case pct(Flushes):
		return request{op: aio.OpFlush}
	case pct(Discards):
		q.op = aio.OpDiscard + aio.Op(rand.IntN(2))
	case pct(Reads):
		q.op = aio.OpRead
	default:
		q.op = aio.OpWrite
		q.fua = pct(FUA)
	}
	return q
}

// flight finds a place for a request.
func (c *client) flight(q request) *flight {
	r := c.r
	var f *flight
	if n := len(r.free); n > 0 {
		f, r.free = r.free[n-1], r.free[:n-1]
	} else {
		f = &flight{index: len(r.flights)}
		r.flights = append(r.flights, f)
	}
	f.request, f.client, f.live, f.asked, f.at = q, c, true, false, c.lane.Now()
	f.write, f.read, f.flush = nil, nil, nil
	f.uses++
	return f
}

// begin makes the I/O, and tells the model.
func (f *flight) begin() aio.IO {
	r := f.client.r
	io := aio.IO{Op: f.op, Off: f.first * r.block, Len: f.n * r.block, Data: uint64(f.index)}
	if f.fua {
		io.Flags = aio.FUA
	}
	if !r.healing && f.client.rand.Int64N(100) < r.o.Set[Deadlines] {
		io.Deadline = f.at.Add(f.client.rand.Duration(0, time.Duration(r.o.Set[Within])*time.Microsecond+1))
	}
	if f.op.HasData() {
		if int64(cap(f.buf)) < io.Len {
			f.buf = make([]byte, io.Len)
		}
		f.buf = f.buf[:io.Len]
		io.Buf = f.buf
	}
	switch f.op {
	case aio.OpWrite:
		r.stamp++
		f.stamp = r.stamp
		f.each(func(i int, b []byte) { blockmodel.Fill(b, f.stamp, f.first+int64(i)) })
	case aio.OpRead:
		f.each(func(_ int, b []byte) { blockmodel.Fill(b, blockmodel.Fresh, 0) })
	}
	if f.bad {
		io.Off, io.Len = f.spoil(io.Off, io.Len)
		return io
	}
	first, n := int(f.first), int(f.n)
	switch f.op {
	case aio.OpRead:
		f.read = r.model.BeginRead(first, n)
	case aio.OpWrite:
		f.write = r.model.BeginWrite(first, n, f.stamp)
	case aio.OpDiscard, aio.OpWriteZeroes:
		f.write = r.model.BeginWrite(first, n, blockmodel.Zero)
	case aio.OpFlush:
		f.flush = r.model.BeginFlush()
	}
	return io
}

// spoil makes an extent that no device takes.
func (f *flight) spoil(off, length int64) (int64, int64) {
	r := f.client.r
	switch f.client.rand.IntN(4) {
	case 0:
		return off + 1, length // not aligned
	case 1:
		return r.st.lim.Capacity, length // beyond the end
	case 2:
		return -r.block, length
	}
	return r.st.lim.Capacity - length + r.block, length // across the end
}

// each visits the blocks of the buffer.
func (f *flight) each(visit func(i int, b []byte)) {
	block := int(f.client.r.block)
	for i := 0; i*block < len(f.buf); i++ {
		visit(i, f.buf[i*block:(i+1)*block])
	}
}
