package nvme

import (
	"cmp"
	"slices"

	"blksim/device/nvme/sparse"
)

// contents is what a device stores: good data, what faults have laid over it,
// and what a power cut can take back. The last two are there only if a fault
// plan has need of them.
type contents struct {
	good  *sparse.Store
	over  *sparse.Overlay // nil: nothing can be wrong
	cache *unflushed      // nil: what is written is safe
}

func newContents(size int64) *contents { return &contents{good: sparse.NewStore(size)} }

// ReadAt fills b with what a host sees at off.
func (d *contents) ReadAt(b []byte, off int64) {
	d.good.ReadAt(b, off)
	if d.over != nil {
		d.over.Apply(b, off)
	}
}

// WriteAt stores b at off. It may be a piece of a command, and not even whole
// blocks; what concerns whole commands is done before and after.
func (d *contents) WriteAt(b []byte, off int64) { d.good.WriteAt(b, off) }

// before comes before a command writes n bytes at off, in blocks of that size.
func (d *contents) before(off, n, block int64) {
	if d.cache != nil {
		d.cache.save(d.good, off, n, block)
	}
}

// written comes when it has; safe says that a power cut cannot take it back.
func (d *contents) written(off, n int64, safe bool) {
	if d.over != nil {
		d.over.Lift(off, n)
	}
	if d.cache != nil && safe {
		d.cache.settle(off, n)
	}
}

// Zero makes n bytes from off read as zeroes. It is as safe as if it had been
// flushed: nothing says when a deallocation becomes so, and to remember what a
// whole device held would cost as much again.
func (d *contents) Zero(off, n int64) {
	d.good.Zero(off, n)
	if d.over != nil {
		d.over.Lift(off, n)
	}
	if d.cache != nil {
		d.cache.settle(off, n)
	}
}

// spoil has a host see b at off, though what is stored there is something else.
func (d *contents) spoil(b []byte, off int64) { d.over.Lay(b, off) }

// unflushed remembers what blocks held before writes that no flush has made safe:
// what a power cut may bring back. It is a log in the order of the writes.
type unflushed struct {
	log   []oldBlock
	first int // log entries before it are done with
	seq   uint64
	free  [][]byte
}

// oldBlock is what a block held before write seq.
type oldBlock struct {
	seq  uint64
	off  int64
	data []byte // nil: done with
}

// unflushedMost bounds what is remembered, in blocks: a cache has a size, and
// writes out its oldest blocks by itself.
const unflushedMost = 32768

func (u *unflushed) save(s *sparse.Store, off, n, block int64) {
	u.seq++
	for end := off + n; off < end; off += block {
		if len(u.log)-u.first >= unflushedMost {
			u.drop(u.first)
			u.first++
			u.compact()
		}
		b := u.buffer(block)
		s.ReadAt(b, off)
		u.log = append(u.log, oldBlock{u.seq, off, b})
	}
}

func (u *unflushed) buffer(block int64) []byte {
	if n := len(u.free); n > 0 && int64(cap(u.free[n-1])) >= block {
		b := u.free[n-1]
		u.free = u.free[:n-1]
		return b[:block]
	}
	return make([]byte, block)
}

func (u *unflushed) drop(i int) {
	if b := u.log[i].data; b != nil {
		u.free = append(u.free, b)
		u.log[i].data = nil
	}
}

// compact gives back the room of entries that are done with.
func (u *unflushed) compact() {
	if u.first > unflushedMost/2 || u.first == len(u.log) {
		n := copy(u.log, u.log[u.first:])
		u.log, u.first = u.log[:n], 0
	}
}

// flushed makes all writes up to seq safe.
func (u *unflushed) flushed(seq uint64) {
	for u.first < len(u.log) && u.log[u.first].seq <= seq {
		u.drop(u.first)
		u.first++
	}
	u.compact()
}

// settle makes what n bytes from off hold now safe: older contents cannot come
// back.
func (u *unflushed) settle(off, n int64) {
	for i := u.first; i < len(u.log); i++ {
		if at := u.log[i].off; at >= off && at < off+n {
			u.drop(i)
		}
	}
}

// powerCut gives each block one of the contents that it has had since it was last
// safe, at random, and forgets them: NVMe promises neither an order of writes nor
// that all of a cache is lost.
func (u *unflushed) powerCut(s *sparse.Store, below func(n int) int) (lost int) {
	live := slices.DeleteFunc(slices.Clone(u.log[u.first:]), func(o oldBlock) bool { return o.data == nil })
	slices.SortStableFunc(live, func(a, b oldBlock) int { return cmp.Compare(a.off, b.off) })
	for len(live) > 0 {
		n := 1
		for n < len(live) && live[n].off == live[0].off {
			n++
		}
		if k := below(n + 1); k < n { // n: the newest contents have made it
			s.WriteAt(live[k].data, live[k].off)
			lost++
		}
		live = live[n:]
	}
	u.flushed(u.seq)
	return lost
}
