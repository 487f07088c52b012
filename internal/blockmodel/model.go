package blockmodel

import (
	"fmt"
	"slices"
	"strings"
)

// Model is a device of some blocks, numbered from 0.
type Model struct {
	blocks   []block
	volatile bool
	open     bool // reads settle nothing
	clock    uint64
	reads    []*Read // in flight
}

// block is what is known of one.
type block struct {
	live   []value // what a read may find
	kept   []value // what a crash may leave, on a device with a volatile cache
	begun  uint64  // writes so far
	flying int     // writes in flight
}

// value is a write, as one block sees it. begun is its alone.
type value struct {
	stamp        Stamp
	begun, ended uint64 // on the model's clock; ended 0: in flight
	sure         bool   // it completed OK
}

// before says that v had ended when w began: if w is done, v is gone.
func (v value) before(w value) bool { return v.ended != 0 && v.ended < w.begun }

// New makes a model of n blocks that nobody has written. volatile: the device has
// a cache that a crash empties.
func New(n int, volatile bool) *Model {
	m := &Model{blocks: make([]block, n), volatile: volatile, clock: 1}
	for i := range m.blocks {
		m.blocks[i].live = []value{{stamp: Unknown, ended: 1, sure: true}}
		m.blocks[i].kept = slices.Clone(m.blocks[i].live)
	}
	return m
}

// Unsettled has reads settle nothing: what is left open by writes that overlapped
// or failed, a mirror may have one way on one leg and another way on the other.
func (m *Model) Unsettled() { m.open = true }

// Blocks is the number of blocks.
func (m *Model) Blocks() int { return len(m.blocks) }

func (m *Model) tick() uint64 {
	m.clock++
	return m.clock
}

// Write is a write in flight.
type Write struct {
	first, n int
	begun    uint64
}

// BeginWrite notes a write of blocks first to first+n-1; its stamp is used once,
// but for Zero.
func (m *Model) BeginWrite(first, n int, s Stamp) *Write {
	now := m.tick()
	for i := first; i < first+n; i++ {
		b := &m.blocks[i]
		b.live = append(b.live, value{stamp: s, begun: now})
		if m.volatile {
			b.kept = append(b.kept, value{stamp: s, begun: now})
		}
		b.begun++
		b.flying++
	}
	for _, r := range m.reads {
		for i := max(first, r.first); i < min(first+n, r.first+r.n); i++ {
			r.may[i-r.first] = append(r.may[i-r.first], s)
		}
	}
	return &Write{first, n, now}
}

// EndWrite notes how it ended: the first n blocks were written, and each of the
// others may have been changed or not.
func (m *Model) EndWrite(w *Write, n int) {
	now := m.tick()
	for i := w.first; i < w.first+w.n; i++ {
		b := &m.blocks[i]
		b.flying--
		done := i < w.first+n
		mine := finish(b.live, w.begun, now, done)
		if m.volatile {
			finish(b.kept, w.begun, now, done)
		}
		if done {
			b.live = slices.DeleteFunc(b.live, func(v value) bool { return v.before(mine) })
		}
	}
}

// Never notes, in place of EndWrite, that a write did not happen at all, as when
// it was cancelled before the device saw it.
func (m *Model) Never(w *Write) {
	isIt := func(v value) bool { return v.begun == w.begun }
	for i := w.first; i < w.first+w.n; i++ {
		b := &m.blocks[i]
		b.flying--
		for _, vs := range []*[]value{&b.live, &b.kept} {
			if j := slices.IndexFunc(*vs, isIt); j >= 0 {
				*vs = slices.Delete(*vs, j, j+1)
			}
		}
	}
}

// Durable notes that a write that ended with n blocks was on the medium by then
// (FUA): those survive a crash.
func (m *Model) Durable(w *Write, n int) {
	for i := w.first; i < w.first+n; i++ {
		b := &m.blocks[i]
		for _, mine := range b.kept {
			if mine.begun == w.begun && mine.sure {
				b.kept = slices.DeleteFunc(b.kept, func(v value) bool { return v.before(mine) })
				break
			}
		}
	}
}

// finish ends the write that began then, which is in flight among vs.
func finish(vs []value, begun, now uint64, done bool) value {
	for i := range vs {
		if v := &vs[i]; v.begun == begun && v.ended == 0 {
			v.ended, v.sure = now, done
			return *v
		}
	}
	panic("blockmodel: the end of a write that is not in flight")
}

// Read is a read in flight.
type Read struct {
	first, n int
	may      [][]Stamp // for each block
	begun    []uint64  // writes before the read, for each block
}

// BeginRead notes a read.
func (m *Model) BeginRead(first, n int) *Read {
	r := &Read{first: first, n: n, may: make([][]Stamp, n), begun: make([]uint64, n)}
	for i := range n {
		b := &m.blocks[first+i]
		for _, v := range b.live {
			r.may[i] = append(r.may[i], v.stamp)
		}
		if r.begun[i] = b.begun; b.flying > 0 {
			r.begun[i] = 0 // not even the last one had landed: it cannot tell which will stay
		}
	}
	m.reads = append(m.reads, r)
	return r
}

// EndRead forgets a read, whatever it brought.
func (m *Model) EndRead(r *Read) {
	m.reads = slices.DeleteFunc(m.reads, func(o *Read) bool { return o == r })
}

// Found checks what block i of the read, counted from 0, was found to be; err is
// Parse's. Called before EndRead.
func (m *Model) Found(r *Read, i int, s Stamp, err error) error {
	may := r.may[i]
	if slices.Contains(may, Unknown) {
		return nil
	}
	if err != nil {
		return err
	}
	if !slices.Contains(may, s) {
		return fmt.Errorf("block %d: it has %v, and it can only have %s", r.first+i, s, list(may))
	}
	b := &m.blocks[r.first+i]
	if !m.open && b.flying == 0 && b.begun == r.begun[i] {
		b.live = slices.DeleteFunc(b.live, func(v value) bool { return v.stamp != s })
	}
	return nil
}

func list(may []Stamp) string {
	var all []string
	for _, s := range may {
		all = append(all, s.String())
	}
	return strings.Join(all, " or ")
}

// Flush is a flush in flight.
type Flush struct{ begun uint64 }

// BeginFlush notes a flush.
func (m *Model) BeginFlush() *Flush { return &Flush{m.tick()} }

// EndFlush notes that it completed OK: what had completed when it began survives
// a crash.
func (m *Model) EndFlush(f *Flush) {
	for i := range m.blocks {
		b := &m.blocks[i]
		b.kept = slices.DeleteFunc(b.kept, func(v value) bool {
			return slices.ContainsFunc(b.kept, func(w value) bool {
				return w.sure && w.ended < f.begun && v.before(w)
			})
		})
	}
}

// Crash cuts the power: nothing is in flight any more.
func (m *Model) Crash() {
	now := m.tick()
	m.reads = nil
	for i := range m.blocks {
		b := &m.blocks[i]
		if m.volatile {
			b.live = slices.Clone(b.kept)
		}
		for j := range b.live {
			b.live[j].ended, b.live[j].sure = now, false
		}
		b.kept = slices.Clone(b.live)
		b.flying = 0
	}
}
