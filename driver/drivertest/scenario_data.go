package drivertest

import (
	"math"

	"blksim/aio"
	"blksim/internal/blockmodel"
)

// keep leaves of ops those that are wanted.
func (l *load) keep(wanted ...aio.Op) {
	var ops []aio.Op
	for _, op := range wanted {
		if l.b.lim.Ops.Has(op) {
			ops = append(ops, op)
		}
	}
	l.ops = ops
}

// known makes a load of reads and writes whose data is known.
func (b *bench) known(p *port, n, window int, rule string) *load {
	l := b.newLoad(p, n, window)
	l.keep(aio.OpRead, aio.OpWrite)
	l.know(blockmodel.New(int(l.blocks), b.lim.WriteCache), rule)
	l.fill()
	return l
}

// playBuffers looks at every buffer again when all is over.
func playBuffers(b *bench) {
	b.queues(1, b.depth())
	p := b.ports[0]
	p.bury = true
	var l *load
	if b.o.NoData || !b.lim.Ops.Has(aio.OpWrite) || !b.lim.Ops.Has(aio.OpRead) {
		l = b.newLoad(p, jobs, p.depth)
		l.keep(aio.OpRead, aio.OpWrite)
	} else {
		l = b.known(p, jobs, p.depth, "data-stored")
	}
	b.run(l)
	b.settle()
	p.exhume()
	b.close()
}

// playData is one request at a time.
func playData(b *bench) {
	b.queues(1, b.depth())
	b.run(b.known(b.ports[0], jobs, 1, "data-stored"))
	b.close()
}

// playSegments gives each request several buffers.
func playSegments(b *bench) {
	b.queues(1, b.depth())
	l := b.known(b.ports[0], jobs, 1, "data-segments")
	l.segs = 8
	if b.lim.MaxSegments > 0 {
		l.segs = min(l.segs, b.lim.MaxSegments)
	}
	b.run(l)
	b.close()
}

// playOverlap has many requests on few blocks.
func playOverlap(b *bench) {
	b.queues(1, b.depth())
	p := b.ports[0]
	l := b.newLoad(p, 3*jobs, p.depth)
	l.keep(aio.OpRead, aio.OpWrite)
	l.blocks = min(l.blocks, 6)
	l.most = 1 + b.rand.Int64N(min(l.most, l.blocks))
	l.know(blockmodel.New(int(l.blocks), b.lim.WriteCache), "data-overlap")
	l.fill()
	b.run(l)
	b.reread(l)
	b.close()
}

// reread reads the area of a load, block by block, and what it finds must stay:
// twice.
func (b *bench) reread(l *load) {
	block := int64(b.lim.BlockSize)
	b.during(func() {
		for range 2 {
			for no := range l.blocks {
				l.next = append(l.next, job{op: aio.OpRead, off: (l.base + no) * block, len: block})
			}
		}
		l.window = 1
	})
	b.run(l)
}

// playZeroes mixes the operations that have no buffers with those that have.
func playZeroes(b *bench) {
	b.queues(1, b.depth())
	l := b.known(b.ports[0], jobs, 1, "data-zeroes")
	l.keep(aio.OpRead, aio.OpWrite, aio.OpDiscard, aio.OpWriteZeroes)
	b.run(l)
	b.close()
}

// playBounds reads and writes at the ends, and beyond.
func playBounds(b *bench) {
	b.queues(1, b.depth())
	p := b.ports[0]
	block, size := int64(b.lim.BlockSize), b.lim.Capacity
	longest := b.clip(aio.OpRead, 0, min(size, 128<<10)/block) * block
	ops := []aio.Op{}
	for _, op := range []aio.Op{aio.OpWrite, aio.OpRead} {
		if b.lim.Ops.Has(op) {
			ops = append(ops, op)
		}
	}
	// The model has all that the longest transfers at both ends reach.
	n := min(2*longest, size) / block
	if !b.o.NoData && len(ops) == 2 {
		p.model, p.base, p.rule = blockmodel.New(int(n), b.lim.WriteCache), size/block-n, "data-bounds"
	}
	var asked []struct {
		j    job
		good bool
	}
	add := func(op aio.Op, off, length int64, good bool) {
		asked = append(asked, struct {
			j    job
			good bool
		}{job{op: op, off: off, len: length, segs: b.split(length/block, 1, nil)}, good})
	}
	for _, op := range ops {
		add(op, 0, block, true)
		add(op, size-block, block, true)
		add(op, 0, longest, true)
		add(op, size-longest, longest, true)
	}
	for _, op := range ops {
		add(op, size, block, false)
		add(op, size-block, 2*block, false)
		add(op, size+1<<20, block, false)
		add(op, (math.MaxInt64-block)/block*block, 2*block, false) // Off+Len overflows
	}
	for _, op := range ops {
		add(op, size-block, block, true) // and is as it was
	}
	for _, a := range asked {
		if a.j.len > b.clip(a.j.op, a.j.off/block, a.j.len/block)*block || b.failed() {
			continue // the block layer would split it
		}
		b.bound(p, a.j, a.good)
	}
	b.close()
}

// bound does one request at an end, or beyond it.
func (b *bench) bound(p *port, j job, good bool) {
	over := false
	var end aio.Status
	j.done = func(st aio.Status) { over, end = true, st }
	var s *slot
	b.on(p, func() {
		var st aio.Status
		if s, st = p.submit(j); st != aio.OK { // Busy: it was not tried, then
			over, end = true, st
			return
		}
		p.commit()
	})
	b.until(func() bool { return over })
	if b.failed() {
		return
	}
	if !good && end == aio.OK {
		b.broke("data-bounds", p, s, "queue %d: %v passes the end, %d, and was ok", p.id, s.what(), b.lim.Capacity)
	}
	if good && (end == aio.OutOfRange || end == aio.Invalid || end == aio.NotSupported) {
		b.broke("data-bounds", p, s, "queue %d: %v is within the device, and ended as %v", p.id, s.what(), end)
	}
}
