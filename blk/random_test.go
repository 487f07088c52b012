package blk_test

import (
	"bytes"
	"flag"
	"fmt"
	"hash/crc32"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/sched"
	"blksim/driver"
	"blksim/sim"
)

var randomSeed = flag.Uint64("blk.seed", 0, "run TestEverythingAtOnce with this seed only")

// store is a device in memory that checks its limits, takes its time, and does what
// its rates say: shares of 1000.
type store struct {
	t      *testing.T
	limits driver.Limits
	rand   *sim.Rand
	data   []byte
	cancel bool // its queues have Cancel
	reset  bool // it has Reset

	busy, partial, fail, swallow uint64

	queues []*storeQueue
	seen   map[int64]int // offsets of writes, by how often the device saw them
}

type storeQueue struct {
	s    *store
	lane lane.Lane
	cmds map[*driver.Request]*storeCmd
}

type storeCmd struct {
	timer lane.Timer
	ended bool
}

func (s *store) Limits() driver.Limits { return s.limits }
func (s *store) Close() error          { return nil }

func (s *store) OpenQueue(l lane.Lane, _, _ int) (driver.Queue, error) {
	q := &storeQueue{s: s, lane: l, cmds: map[*driver.Request]*storeCmd{}}
	s.queues = append(s.queues, q)
	if s.cancel {
		return &storeCancelQueue{q}, nil
	}
	return q, nil
}

func (s *store) open() driver.Driver {
	if s.reset {
		return &storeReset{s}
	}
	return s
}

// check is what no request may break.
func (s *store) check(r *driver.Request) {
	lim, total := &s.limits, int64(0)
	for _, b := range r.Bufs {
		total += int64(len(b))
		if lim.MaxSegment > 0 && int64(len(b)) > lim.MaxSegment {
			s.t.Errorf("a buffer of %d bytes, more than %d", len(b), lim.MaxSegment)
		}
	}
	fail := func(what string) {
		s.t.Errorf("%s: %v of %d at %d in %d buffers", what, r.Op, r.Len, r.Off, len(r.Bufs))
	}
	switch {
	case !lim.Ops.Has(r.Op):
		fail("an operation that the device lacks")
	case r.FUA && !lim.FUA:
		fail("FUA")
	case r.Op == aio.OpFlush:
	case r.Len <= 0 || r.Off < 0 || r.Off+r.Len > lim.Capacity || r.Len%512 != 0 || r.Off%512 != 0:
		fail("extent")
	case r.Op == aio.OpDiscard && lim.MaxDiscard > 0 && r.Len > lim.MaxDiscard:
		fail("discard limit")
	case r.Op == aio.OpWriteZeroes && lim.MaxWriteZeroes > 0 && r.Len > lim.MaxWriteZeroes:
		fail("zeroes limit")
	case !r.Op.HasData():
	case total != r.Len:
		fail("buffers and length differ")
	case lim.MaxTransfer > 0 && r.Len > lim.MaxTransfer:
		fail("transfer limit")
	case lim.MaxSegments > 0 && len(r.Bufs) > lim.MaxSegments:
		fail("segment limit")
	case lim.Boundary > 0 && r.Off/lim.Boundary != (r.Off+r.Len-1)/lim.Boundary:
		fail("boundary")
	}
}

func (q *storeQueue) Submit(r *driver.Request) aio.Status {
	s := q.s
	s.check(r)
	if s.rand.Bool(s.busy, 1000) {
		return aio.Busy
	}
	if q.cmds[r] != nil {
		s.t.Errorf("tag %d is with the device", r.Tag)
	}
	if r.Op == aio.OpWrite {
		for off := r.Off; off < r.Off+r.Len; off += 512 {
			s.seen[off]++
		}
	}
	c := &storeCmd{}
	q.cmds[r] = c
	if s.rand.Bool(s.swallow, 1000) {
		return aio.OK
	}
	c.timer = q.lane.NewTimer(func() { q.finish(r, c) })
	c.timer.Arm(s.rand.Duration(0, 200*time.Microsecond))
	return aio.OK
}

func (q *storeQueue) finish(r *driver.Request, c *storeCmd) {
	if c.ended {
		return
	}
	s, n := q.s, r.Len
	st := aio.OK
	switch {
	case s.rand.Bool(s.fail, 1000):
		st, n = aio.MediaError, 0
	case s.rand.Bool(s.partial, 1000) && r.Op.HasData() && r.Len > 512:
		n = int64(s.rand.Uint64N(uint64(r.Len/512-1))+1) * 512
	}
	s.move(r, n)
	q.end(r, c, st, n)
}

func (q *storeQueue) end(r *driver.Request, c *storeCmd, st aio.Status, n int64) {
	c.ended = true
	delete(q.cmds, r)
	r.Complete(st, n)
}

// move does the first n bytes of r.
func (s *store) move(r *driver.Request, n int64) {
	at := s.data[r.Off : r.Off+n]
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
	}
}

type storeCancelQueue struct{ *storeQueue }

func (q *storeCancelQueue) Cancel(r *driver.Request) {
	if c := q.cmds[r]; c != nil && q.s.rand.Bool(2, 3) {
		q.end(r, c, aio.Cancelled, 0)
	}
}

type storeReset struct{ *store }

func (s *storeReset) Reset(done func(error)) {
	left := len(s.queues)
	for _, q := range s.queues {
		q.lane.Post(func() {
			var rs []*driver.Request
			for r := range q.cmds {
				rs = append(rs, r)
			}
			for tag := 0; len(rs) > 0; tag++ { // in the order of the tags
				for i, r := range rs {
					if r.Tag == tag {
						rs = append(rs[:i], rs[i+1:]...)
						q.end(r, q.cmds[r], aio.TimedOut, 0)
						break
					}
				}
			}
			if left--; left == 0 {
				done(nil)
			}
		})
	}
}

// drawn are options for the disk and its device.
func drawn(r *sim.Rand, s *store, faults bool) blk.Options {
	pick := func(vs ...int64) int64 { return vs[r.Uint64N(uint64(len(vs)))] }
	s.limits = driver.Limits{Capacity: int64(len(s.data)), BlockSize: 512, Queues: 4, QueueDepth: int(pick(1, 2, 8, 64)),
		Ops:        driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush, aio.OpDiscard, aio.OpWriteZeroes),
		WriteCache: r.Bool(1, 2), FUA: r.Bool(1, 2), SharedTags: r.Bool(1, 4),
		MaxTransfer: pick(0, 512, 4096, 16384), MaxSegments: int(pick(0, 1, 2, 7)), MaxSegment: pick(0, 512, 2048),
		Boundary: pick(0, 1024, 4096), MaxDiscard: pick(0, 1024), MaxWriteZeroes: pick(0, 512)}
	if r.Bool(1, 3) {
		s.limits.Ops = driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush)
	}
	o := blk.Options{Depth: int(pick(0, 1, 3)), Scheduler: sched.Config{Name: sched.Names()[r.Uint64N(3)]},
		NoMerges: r.Bool(1, 3), LazyCancel: r.Bool(1, 3), MaxTransfer: pick(0, 1024, 8192), Discard: blk.DiscardZero,
		Budget: int(pick(0, 0, 1, 3)), Histograms: r.Bool(1, 2)}
	s.busy = uint64(pick(0, 0, 100))
	s.partial = uint64(pick(0, 0, 100))
	if faults {
		s.cancel, s.reset = r.Bool(1, 2), r.Bool(1, 2)
		s.fail, s.swallow = uint64(pick(0, 20)), uint64(pick(0, 20))
		o.Timeout = 2 * time.Millisecond
		o.ResetTimeout = 5 * time.Millisecond
	}
	return o
}

// Everything at once: merges, splits, partial completions, Busy, failures, requests
// that never come back, cancels and deadlines, under drawn options. Each I/O ends
// once, in bounded time, with a result that the data bears out, and the accounts
// hold.
func TestEverythingAtOnce(t *testing.T) {
	seeds := uint64(120)
	if testing.Short() {
		seeds = 8
	}
	var sum blk.Stats
	for seed := uint64(1); seed <= seeds; seed++ {
		if *randomSeed != 0 {
			seed, seeds = *randomSeed, 0
		}
		if ok := t.Run(fmt.Sprint(seed), func(t *testing.T) { newRandomRun(t, seed, true).all(400, &sum) }); !ok {
			t.Fatalf("again: go test ./blk -run TestEverythingAtOnce -blk.seed=%d", seed)
		}
	}
	if seeds < 120 {
		return
	}
	for what, n := range map[string]int64{"back merges": sum.BackMerges, "front merges": sum.FrontMerges, "splits": sum.Splits,
		"partial": sum.Partial, "busy": sum.Busy, "kicks": sum.Kicks, "skipped": sum.Skipped, "expired": sum.Expired,
		"timeouts": sum.Timeouts, "aborts": sum.TimeoutAborts, "retried": sum.Retried, "given up": sum.GivenUp,
		"resets": sum.Resets, "flushes added": sum.FlushesAdded, "flushes merged": sum.FlushesMerged, "merged": sum.Merged} {
		require.Positive(t, n, "the test did not test it: %s", what)
	}
}

const (
	places     = 48 // extents with one I/O at a time each
	placeBytes = 32 * 512
)

type randomRun struct {
	t      *testing.T
	rand   *sim.Rand
	w      *sim.World
	s      *store
	disk   *blk.Disk
	ctx    *aio.Context
	lanes  []lane.Lane
	left   int
	io     [places]randomIO
	each   func(l lane.Lane, ev *aio.Event) // if set, takes the events
	known  [][]byte                         // by block: what it holds; nil: one of several things
	faults bool
}

type randomIO struct {
	io     aio.IO
	before map[int64]int
	busy   bool
}

func newRandomRun(t *testing.T, seed uint64, faults bool) *randomRun {
	rand := sim.NewRand(seed, "blk/random")
	r := &randomRun{t: t, rand: rand, faults: faults, w: sim.NewWorld(seed, 4)}
	r.s = &store{t: t, rand: sim.NewRand(seed, "blk/store"), data: make([]byte, places*placeBytes), seen: map[int64]int{}}
	o := drawn(rand, r.s, faults)
	for i := range 4 {
		r.lanes = append(r.lanes, r.w.Lane(i))
	}
	o.Queues = r.lanes[:1+rand.Uint64N(3)]
	o.Submitters = r.lanes
	var err error
	r.disk, err = blk.Open(r.s.open(), o)
	require.NoError(t, err)
	r.ctx, err = aio.New(aio.Options{Capacity: places, Lanes: r.lanes, OnEvents: r.events})
	require.NoError(t, err)
	for range len(r.s.data) / 512 {
		r.known = append(r.known, make([]byte, 512))
	}
	return r
}

func (r *randomRun) all(n int, sum *blk.Stats) {
	r.left = n
	for i := range 12 {
		r.w.Lane(i % 4).Post(func() { r.some(r.lanes[i%4]) })
	}
	require.NoError(r.t, r.w.Run())
	require.Zero(r.t, r.ctx.InFlight(), "I/Os that never ended")
	st := r.disk.Stats()
	require.Zero(r.t, st.DoubleCompletes)
	accumulate(sum, &st)
	require.Zero(r.t, r.ctx.Stats().StaleCompletes)
	require.Equal(r.t, st.Queued, st.Reached+st.Skipped+st.Refused, "%+v", st)
	require.Equal(r.t, st.TotalDispatched(), st.Reached-st.Merged+st.Again+st.FlushesAdded, "%+v", st)
}

// some submits a few I/Os on places that have none.
func (r *randomRun) some(l lane.Lane) {
	if plug := r.rand.Bool(1, 2); plug {
		r.disk.Plug(l)
		defer r.disk.Unplug(l)
	}
	first := r.rand.Uint64N(places)
	for i := range 1 + r.rand.Uint64N(6) {
		p := int((first + i) % places)
		if r.left > 0 && !r.io[p].busy {
			r.left--
			r.submit(l, p)
		}
	}
}

func (r *randomRun) submit(l lane.Lane, p int) {
	io := aio.IO{Op: []aio.Op{0, 0, 0, 1, 1, 1, 1, 2, 3, 4}[r.rand.Uint64N(10)], Data: uint64(p)}
	if io.Op != aio.OpFlush {
		blocks := 1 + r.rand.Uint64N(32)
		if r.rand.Bool(1, 3) {
			blocks = 32 // so that it meets its neighbours
		}
		io.Len = int64(blocks) * 512
		io.Off = int64(p)*placeBytes + int64(r.rand.Uint64N(33-blocks))*512
	}
	if io.Op.HasData() {
		io.Buf = make([]byte, io.Len)
		for i := range io.Buf {
			io.Buf[i] = byte(r.rand.Uint64()) | 1
		}
	}
	if io.Op == aio.OpWrite {
		io.Flags = aio.Flags(r.rand.Uint64N(4))
	}
	if r.faults && r.rand.Bool(1, 8) {
		io.Deadline = l.Now().Add(r.rand.Duration(0, 400*time.Microsecond)) + 1
	}
	before := map[int64]int{}
	if io.Op == aio.OpWrite {
		for off := io.Off; off < io.Off+io.Len; off += 512 {
			before[off] = r.s.seen[off]
		}
	}
	r.io[p] = randomIO{io: io, before: before, busy: true}
	id, err := r.ctx.Submit(l, r.disk, io)
	require.NoError(r.t, err)
	if r.faults && r.rand.Bool(1, 6) {
		l.NewTimer(func() { r.ctx.Cancel(id) }).Arm(r.rand.Duration(0, 300*time.Microsecond))
	}
}

func (r *randomRun) events(l lane.Lane, evs []aio.Event) {
	for i := range evs {
		if r.each != nil {
			r.each(l, &evs[i])
			continue
		}
		f := &r.io[evs[i].Data]
		if !f.busy {
			r.t.Fatalf("two events for one I/O")
		}
		f.busy = false
		r.check(f, &evs[i])
	}
	if r.each == nil {
		r.some(l)
	}
}

// check compares what an I/O says of itself with the data.
func (r *randomRun) check(f *randomIO, ev *aio.Event) {
	io := &f.io
	what := fmt.Sprintf("%v of %d at %d: %v, %d bytes", io.Op, io.Len, io.Off, ev.Status, ev.N)
	if ev.Status == aio.Cancelled && !ev.CancelAsked || ev.N < 0 || ev.N > io.Len {
		r.t.Errorf("%s: cancelled by nobody, or too much", what)
	}
	if ev.Status == aio.OK && ev.N < io.Len && !ev.CancelAsked {
		r.t.Errorf("%s: cut short, and nobody asked for it", what)
	}
	for at := int64(0); at < io.Len; at += 512 {
		off := io.Off + at
		block, now := &r.known[off/512], r.s.data[off:off+512]
		var want []byte
		if io.Op == aio.OpWrite {
			want = io.Buf[at : at+512]
		} else {
			want = make([]byte, 512)
		}
		if !ev.Started && r.s.seen[off] != f.before[off] && io.Op == aio.OpWrite {
			r.t.Errorf("%s: the device has seen it", what)
		}
		switch {
		case io.Op == aio.OpRead:
			if at < ev.N && !bytes.Equal(io.Buf[at:at+512], now) {
				r.t.Errorf("%s: wrong data at %d", what, off)
			}
		case at < ev.N:
			if !bytes.Equal(now, want) {
				r.t.Errorf("%s: not there at %d", what, off)
			}
			*block = bytes.Clone(want)
		case ev.Status == aio.Cancelled:
			if *block != nil && !bytes.Equal(now, *block) {
				r.t.Errorf("%s: done all the same at %d", what, off)
			}
		default:
			if *block != nil && !bytes.Equal(now, *block) && !bytes.Equal(now, want) {
				r.t.Errorf("%s: neither old nor new at %d", what, off)
			}
			*block = nil
		}
	}
}

// accumulate adds up the counters.
func accumulate(sum, st *blk.Stats) {
	a, b := reflect.ValueOf(sum).Elem(), reflect.ValueOf(st).Elem()
	for i := range a.NumField() {
		if a.Field(i).Kind() == reflect.Int64 {
			a.Field(i).SetInt(a.Field(i).Int() + b.Field(i).Int())
		}
	}
}

// Whatever the queues, depths, schedulers and limits, the same I/Os give the same
// data and end the same way.
func TestTheOptionsChangeNeitherDataNorCompletions(t *testing.T) {
	var want []string
	var data []byte
	seeds := uint64(30)
	if testing.Short() {
		seeds = 4
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		r := newRandomRun(t, seed, false)
		script := sim.NewRand(1, "blk/script")
		var ended []string
		r.script(script, 300, &ended)
		slices.Sort(ended)
		if want == nil {
			want, data = ended, r.s.data
			require.Len(t, want, 300)
			continue
		}
		require.Equal(t, want, ended, "seed %d", seed)
		require.Equal(t, data, r.s.data, "seed %d", seed)
	}
}

// script submits n I/Os that script draws: those of one place in order, the next
// when the one before has ended.
func (r *randomRun) script(script *sim.Rand, n int, ended *[]string) {
	var todo [places][]aio.IO
	for range n {
		p := script.Uint64N(places)
		blocks := 1 + script.Uint64N(32)
		io := aio.IO{Op: []aio.Op{0, 1, 1, 3, 4}[script.Uint64N(5)], Data: p, Len: int64(blocks) * 512,
			Off: int64(p)*placeBytes + int64(script.Uint64N(33-blocks))*512}
		if io.Op.HasData() {
			io.Buf = bytes.Repeat([]byte{byte(script.Uint64())}, int(io.Len))
		}
		todo[p] = append(todo[p], io)
	}
	next := func(l lane.Lane, p uint64) {
		if len(todo[p]) > 0 {
			_, err := r.ctx.Submit(l, r.disk, todo[p][0])
			require.NoError(r.t, err)
		}
	}
	r.each = func(l lane.Lane, ev *aio.Event) {
		io := todo[ev.Data][0]
		todo[ev.Data] = todo[ev.Data][1:]
		sum := 0
		if io.Op == aio.OpRead {
			sum = int(crc32.ChecksumIEEE(io.Buf))
		}
		*ended = append(*ended, fmt.Sprint(io.Op, io.Off, io.Len, ev.Status, ev.N, sum))
		next(l, ev.Data)
	}
	for p := range uint64(places) {
		l := r.lanes[p%4]
		l.Post(func() { next(l, p) })
	}
	require.NoError(r.t, r.w.Run())
}
