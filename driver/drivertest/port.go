package drivertest

import (
	"bytes"
	"fmt"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/driver/trace"
	"blksim/internal/blockmodel"
)

// port is one queue with the requests of its host. It belongs to its lane.
type port struct {
	b     *bench
	id    int
	lane  *watchedLane
	queue driver.Queue
	can   driver.Optional
	depth int
	width int    // tags that are the port's: all, unless queues share them
	slots []slot // by tag
	free  []int  // tags, the longest free first: a second completion finds its tag unused
	with  int    // requests that are with the driver
	ended int    // completions so far
	log   *trace.Log

	model  *blockmodel.Model // nil: data is not looked at
	base   int64             // block on the device of the model's block 0
	stamp  blockmodel.Stamp  // the last that was used
	graves []grave           // buffers of I/Os that are over, where that is watched
	bury   bool
	rule   string // what is broken when the data is wrong
	torn   string // and when it is no write's at all; "": the same
}

// slot is a tag with its request.
type slot struct {
	req     *driver.Request
	with    bool // with the driver
	use     uint64
	at      lane.Time // when it was taken
	asked   bool      // somebody cancelled it
	was     bool      // somebody cancelled an earlier request with this tag
	refused aio.Status
	was0    driver.Request // what was submitted
	bufs    [][]byte
	stamp   blockmodel.Stamp
	write   *blockmodel.Write
	read    *blockmodel.Read
	flush   *blockmodel.Flush
	done    func(st aio.Status)
}

// what is the request in words.
func (s *slot) what() string {
	return fmt.Sprintf("%v off=%d len=%d, tag %d", s.was0.Op, s.was0.Off, s.was0.Len, s.req.Tag)
}

// grave is a buffer that its owner has back.
type grave struct {
	what  string
	asked bool // it was cancelled
	buf   []byte
}

// job is what to ask of the driver.
type job struct {
	op   aio.Op
	off  int64
	len  int64
	segs []int64 // lengths of the buffers; nil: one
	fua  bool
	done func(st aio.Status)
}

// oldest is the request that has been with the driver longest, or nil.
func (p *port) oldest() (old *slot) {
	for i := range p.slots {
		if s := &p.slots[i]; s.with && (old == nil || s.at < old.at) {
			old = s
		}
	}
	return old
}

// take prepares the request of a free tag for a job.
func (p *port) take(j job) *slot {
	s := &p.slots[p.free[0]]
	p.free = p.free[1:]
	s.was = s.was || s.asked
	s.use++
	s.at, s.asked, s.refused, s.done = p.lane.Now(), false, aio.OK, j.done
	s.write, s.read, s.flush, s.bufs = nil, nil, nil, nil
	r := s.req
	r.Op, r.Off, r.Len, r.Bufs, r.FUA = j.op, j.off, j.len, nil, j.fua
	if j.op.HasData() {
		segs := j.segs
		if segs == nil {
			segs = []int64{j.len}
		}
		for _, n := range segs {
			s.bufs = append(s.bufs, make([]byte, n))
		}
		r.Bufs = append([][]byte(nil), s.bufs...)
	}
	p.begin(s)
	s.was0 = *r
	return s
}

// submit offers a job to the driver. A refused one is free again.
func (p *port) submit(j job) (*slot, aio.Status) {
	s := p.take(j)
	r := s.req
	before := *r
	e := p.event(trace.Submit, s)
	at := p.log.Add(e)
	s.with = true
	p.with++
	use := s.use
	st := p.queue.Submit(r)
	p.log.Answer(at, e, st)
	if st == aio.OK {
		return s, st
	}
	rule := "refuse-untouched"
	if st == aio.Busy {
		rule = "busy-untouched"
	}
	if s.use != use || !s.with {
		p.b.broke(rule, p, s, "queue %d answered %v, and completed %v all the same", p.id, st, s.what())
		return s, st
	}
	s.with, s.refused = false, st
	p.with--
	p.free = append(p.free, r.Tag)
	p.untouched(rule, s, before, st)
	if s.write != nil {
		p.model.EndWrite(s.write, 0)
	}
	if s.read != nil {
		p.model.EndRead(s.read)
	}
	if uint(st) >= aio.NumStatuses {
		p.b.broke("refuse-untouched", p, s, "queue %d answered %v, which is no status", p.id, st)
	}
	return s, st
}

// untouched checks that a request that was not taken is as it was.
func (p *port) untouched(rule string, s *slot, before driver.Request, st aio.Status) {
	r := s.req
	same := r.Op == before.Op && r.Off == before.Off && r.Len == before.Len && r.Tag == before.Tag && r.FUA == before.FUA && len(r.Bufs) == len(s.bufs)
	for i := range s.bufs {
		same = same && len(r.Bufs[i]) == len(s.bufs[i]) && &r.Bufs[i][0] == &s.bufs[i][0]
	}
	if !same {
		p.b.broke(rule, p, s, "queue %d answered %v to %v, and changed the request: it is now %v off=%d len=%d tag=%d with %d buffers",
			p.id, st, s.what(), r.Op, r.Off, r.Len, r.Tag, len(r.Bufs))
	}
	if i := p.changed(s); i >= 0 {
		p.b.broke(rule, p, s, "queue %d answered %v to %v, and changed its buffer %d", p.id, st, s.what(), i)
	}
}

// commit has the device see what was submitted.
func (p *port) commit() {
	if p.can.Committer != nil {
		p.log.Add(trace.Event{At: p.lane.Now(), Queue: p.id, Tag: -1, Kind: trace.Commit})
		p.can.Committer.Commit()
	}
}

// cancel tells the driver that nobody wants the request of a slot any more.
func (p *port) cancel(s *slot) {
	if s.with {
		s.asked = true
	}
	p.log.Add(p.event(trace.Cancel, s))
	p.can.Canceler.Cancel(s.req)
}

func (p *port) event(k trace.Kind, s *slot) trace.Event {
	return trace.Event{At: p.lane.Now(), Queue: p.id, Tag: s.req.Tag, Use: s.use, Kind: k, Op: s.was0.Op, Off: s.was0.Off, Len: s.was0.Len}
}

// CompleteRequest is what Request.Complete calls: here most rules are watched.
func (p *port) CompleteRequest(r *driver.Request, st aio.Status, n int64) {
	b := p.b
	if !p.lane.running.Load() {
		// What follows is the lane's own and cannot be looked at from here.
		b.broke("complete-lane", nil, nil, "queue %d: a request was completed outside of lane %d, which is the queue's", p.id, p.lane.Index())
		return
	}
	if uint(r.Tag) >= uint(len(p.slots)) || p.slots[r.Tag].req != r {
		b.broke("complete-once", nil, nil, "queue %d completed a request with tag %d that is not the queue's", p.id, r.Tag)
		return
	}
	s := &p.slots[r.Tag]
	e := p.event(trace.Complete, s)
	e.Status, e.N = st, n
	p.log.Add(e)
	switch {
	case b.closed.Load():
		b.broke("complete-close", p, s, "queue %d completed %v as %v after Close", p.id, s.what(), st)
		return
	case !s.with && s.refused == aio.Busy:
		b.broke("busy-untouched", p, s, "queue %d completed %v, to which it had answered busy", p.id, s.what())
		return
	case !s.with && s.refused != aio.OK:
		b.broke("refuse-untouched", p, s, "queue %d completed %v, which it had refused as %v", p.id, s.what(), s.refused)
		return
	case !s.with:
		b.broke("complete-once", p, s, "queue %d completed %v a second time, now as %v", p.id, s.what(), st)
		return
	}
	s.with = false
	p.with--
	p.ended++
	p.free = append(p.free, r.Tag)
	p.result(s, st, n)
	p.end(s, st, n)
	if s.done != nil {
		s.done(st)
	}
}

// result checks what a completion says.
func (p *port) result(s *slot, st aio.Status, n int64) {
	b := p.b
	switch {
	case uint(st) >= aio.NumStatuses || st == aio.Busy:
		b.broke("complete-result", p, s, "queue %d completed %v as %v, which is no way to end", p.id, s.what(), st)
	case n < 0 || n > s.was0.Len:
		b.broke("complete-result", p, s, "queue %d completed %v with %d bytes", p.id, s.what(), n)
	case st == aio.OK && (n%int64(b.lim.BlockSize) != 0 || n == 0 && s.was0.Len > 0):
		b.broke("complete-result", p, s, "queue %d completed %v as ok with %d bytes: not whole blocks, or none", p.id, s.what(), n)
	case st == aio.Cancelled && !s.asked && s.was:
		b.broke("cancel-stale", p, s, "queue %d cancelled %v, which nobody had asked for; an earlier request with that tag was cancelled", p.id, s.what())
	case st == aio.Cancelled && !s.asked:
		b.broke("cancel-unasked", p, s, "queue %d cancelled %v, which nobody had asked for", p.id, s.what())
	case st == aio.NotSupported || st == aio.Invalid || st == aio.OutOfRange && b.inside(&s.was0):
		b.broke("ops-claimed", p, s, "queue %d completed %v as %v: the limits say that it may be asked for", p.id, s.what(), st)
	}
	if s.was0.Op == aio.OpWrite {
		if i := p.changed(s); i >= 0 {
			b.broke("buffer-readonly", p, s, "queue %d changed buffer %d of %v", p.id, i, s.what())
		}
	}
}

// inside says that an extent is within the device.
func (b *bench) inside(r *driver.Request) bool {
	return r.Off >= 0 && r.Len <= b.lim.Capacity && r.Off <= b.lim.Capacity-r.Len
}

// exhume checks the buffers of I/Os that are over.
func (p *port) exhume() {
	for _, g := range p.graves {
		want := make([]byte, len(g.buf))
		fillAll(want, p.b.lim.BlockSize, blockmodel.Mangled)
		if i := differs(g.buf, want); i >= 0 {
			rule := "buffer-after"
			if g.asked {
				rule = "cancel-data"
			}
			p.b.broke(rule, nil, nil, "queue %d wrote to byte %d of a buffer of %s after it had completed it", p.id, i, g.what)
			return
		}
	}
}

func differs(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}
