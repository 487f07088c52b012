package drivertest

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/internal/blockmodel"
	"blksim/sim"
)

// load is a random workload on one port, on its lane.
type load struct {
	b    *bench
	p    *port
	rand *sim.Rand
	ops  []aio.Op // to draw from
	next []job    // what goes first, in order: it fills the area, or was Busy

	base, blocks int64 // the area: first block and count
	most         int64 // blocks a request at most
	segs         int   // buffers a request at most
	left         int   // jobs to draw
	through      bool  // some writes have FUA
	window       int   // requests with the driver at most
	cancels      int   // percent that are cancelled, at a random time
	within       time.Duration

	flying    int
	started   bool
	again     lane.Timer // after Busy, and after a pause
	pumpFn    func()
	posted    bool
	onDrained func()
}

// area is how many blocks a load works on.
const area = 48

// newLoad makes a load of n jobs with the given window over the first blocks of
// the device, which it does not keep from other loads.
func (b *bench) newLoad(p *port, n, window int) *load {
	l := &load{b: b, p: p, rand: sim.NewRand(b.seed, fmt.Sprint("drivertest/load/", p.id)), left: n, window: max(1, min(window, p.width))}
	block := int64(b.lim.BlockSize)
	l.blocks = min(area, b.lim.Capacity/block)
	l.most = min(8, l.blocks)
	l.segs = 1
	l.ops = opsOf(b.lim.Ops)
	l.within = 200 * time.Microsecond
	l.pumpFn = l.pump
	l.again = p.lane.NewTimer(l.pump)
	return l
}

// opsOf lists a set's operations.
func opsOf(s driver.OpSet) (ops []aio.Op) {
	for op := range aio.Op(aio.NumOps) {
		if s.Has(op) {
			ops = append(ops, op)
		}
	}
	return ops
}

// fill has the load first write all of its area, which the model then knows.
func (l *load) fill() {
	block := int64(l.b.lim.BlockSize)
	for no := int64(0); no < l.blocks; {
		n := l.b.clip(aio.OpWrite, l.base+no, min(l.most, l.blocks-no))
		l.next = append(l.next, job{op: aio.OpWrite, off: (l.base + no) * block, len: n * block, segs: l.b.split(n, 1, nil)})
		no += n
	}
}

// know gives the port a model of the load's area.
func (l *load) know(m *blockmodel.Model, rule string) {
	l.p.model, l.p.base, l.p.rule = m, l.base, rule
	l.p.stamp = blockmodel.Stamp(l.p.id+1) << 32
}

// draw makes a job.
func (l *load) draw() job {
	op := l.ops[l.rand.IntN(len(l.ops))]
	if op == aio.OpFlush {
		return job{op: op}
	}
	block := int64(l.b.lim.BlockSize)
	n := 1 + l.rand.Int64N(l.most)
	first := l.base + l.rand.Int64N(l.blocks-n+1)
	n = l.b.clip(op, first, n)
	j := job{op: op, off: first * block, len: n * block}
	if op.HasData() {
		j.segs = l.b.split(n, l.segs, l.rand)
	}
	j.fua = l.through && op == aio.OpWrite && l.b.lim.FUA && l.rand.Bool(1, 4)
	return j
}

// clip is how many of n blocks one request may have, by the limits.
func (b *bench) clip(op aio.Op, first, n int64) int64 {
	block := int64(b.lim.BlockSize)
	most := func(bytes int64) {
		if bytes > 0 {
			n = min(n, bytes/block)
		}
	}
	switch op {
	case aio.OpDiscard:
		most(b.lim.MaxDiscard)
	case aio.OpWriteZeroes:
		most(b.lim.MaxWriteZeroes)
	default:
		most(b.lim.MaxTransfer)
		most(b.lim.MaxSegment * int64(b.lim.MaxSegments))
		if at := b.lim.Boundary; at > 0 {
			most(at - first*block%at)
		}
	}
	return max(n, 1)
}

// split cuts n blocks into at most parts buffers at random places, or into more
// if no buffer may be so long.
func (b *bench) split(n int64, parts int, r *sim.Rand) (segs []int64) {
	block := int64(b.lim.BlockSize)
	longest := n
	if b.lim.MaxSegment > 0 {
		longest = b.lim.MaxSegment / block
	}
	for n > 0 {
		part := min(n, longest)
		left := int64(b.lim.MaxSegments - len(segs) - 1) // buffers that may follow
		least := int64(1)
		if b.lim.MaxSegments > 0 {
			least = max(1, n-left*longest) // else the rest would not fit into them
		}
		if parts--; parts > 0 && part > least {
			part = least + r.Int64N(part-least)
		}
		segs = append(segs, part*block)
		n -= part
	}
	return segs
}

// start has the load begin, from outside all lanes.
func (l *load) start() { l.p.lane.Post(l.pumpFn) }

// drained says that the load is over.
func (l *load) drained() bool { return l.started && l.left == 0 && len(l.next) == 0 && l.flying == 0 }

// wake has the load go on, from the lane's loop: a completion must not lead to a
// Submit inside the driver.
func (l *load) wake() {
	if !l.posted {
		l.posted = true
		l.p.lane.Post(l.pumpFn)
	}
}

// pump submits what it may.
func (l *load) pump() {
	l.started, l.posted = true, false
	if l.b.failed() {
		return
	}
	taken := false
	for l.flying < l.window && (len(l.next) > 0 || l.left > 0) {
		if len(l.next) == 0 {
			if l.rand.Bool(1, 8) { // a pause
				l.again.Arm(l.rand.Duration(0, 100*time.Microsecond))
				break
			}
			l.left--
			l.next = append(l.next, l.draw())
		}
		ok := l.offer(l.next[0])
		if !ok {
			break
		}
		l.next = l.next[1:]
		taken = true
	}
	if taken {
		l.p.commit()
	}
	if l.onDrained != nil && l.drained() {
		l.onDrained()
	}
}

// offer submits a job; false: it has to wait.
func (l *load) offer(j job) bool {
	j.done = func(aio.Status) {
		l.flying--
		l.wake()
	}
	l.flying++
	s, st := l.p.submit(j)
	switch st {
	case aio.OK:
		if l.p.can.Canceler != nil && l.cancels > 0 && l.rand.IntN(100) < l.cancels {
			l.cancelLater(s)
		}
		return true
	case aio.Busy:
		l.flying--
		if l.flying == 0 {
			l.again.Arm(l.b.lim.RetryAfter())
		}
		return false
	}
	l.flying--
	if st == aio.NotSupported || st == aio.Invalid || st == aio.OutOfRange {
		l.b.broke("ops-claimed", l.p, s, "queue %d answered %v to %v: the limits say that it may be asked for", l.p.id, st, s.what())
	}
	return true
}

// cancelLater cancels a request that was just taken, if it still is with the
// driver by then.
func (l *load) cancelLater(s *slot) {
	use := s.use
	t := l.p.lane.NewTimer(func() {
		if s.use == use && s.with && !l.b.failed() {
			l.p.cancel(s)
		}
	})
	t.Arm(l.rand.Duration(0, l.within))
}

// run runs loads until all are over.
func (b *bench) run(loads ...*load) {
	for _, l := range loads {
		l.start()
	}
	b.until(func() bool {
		for _, l := range loads {
			if !l.drained() {
				return false
			}
		}
		return true
	})
}
