package flash

import "blksim/aio/lane"

// blocks is the drive's own room: superblocks, each a block of every die, of which
// there are more than the host can fill (OverProvision). A superblock is written
// from its first row to its last and can be written again only as a whole, so what
// of it is still valid must be copied away before: garbage collection.
//
// The victim is the superblock with the least valid data (greedy). Copying goes
// along with the host's writes: for each row that the host begins, as many units
// are moved as it costs to win a row (V/(S-V) for a victim with V of S units
// valid), so that host and collection share dies and channels at all times and
// neither stops for the other. What a mapping unit is moved to is decided at
// once; its read and its program then take their time in the background, and
// nobody waits for them, but that their dies are busy.
//
// Memory: the units of a superblock are remembered from when it is opened. What a
// filled drive held before (Config.Filled) costs none: fill.go has the formula.
type blocks struct {
	f     *Flash
	rows  int64 // of a superblock, a multiple of the dies
	units int64 // of a superblock
	all   []superblock
	free  []int32
	host  stream
	move  stream

	victim int32 // -1: none
	at     int64 // its next slot
	debt   int64 // what is to be moved for host rows, in 1/(S-V) units
	gain   int64 // S-V of the victim, when it was chosen
	before fill
}

// superblock is one of them.
type superblock struct {
	valid int64
	slots []uint32 // by place: the unit that was put there; nil: by the formula, or nothing
	base  int64    // row of the log that its first row is, or one of the values below
	open  bool
}

// Values of base of what is not in the host's log.
const (
	untouched = -1 // as the drive was at first
	freed     = -2 // free, and was once in use
	moved     = -3 // of the collection's stream
)

// stream is where rows are written: the host's, or what is moved.
type stream struct {
	block int32 // -1: none
	row   int64 // next in it
	fill  int64 // units in the last row: of the collection's stream
}

// lowWater is how many free superblocks there are before one is collected. One is
// kept for the collection itself.
const lowWater = 2

// newBlocks makes the superblocks; nil if the drive has no over-provisioning.
func newBlocks(f *Flash) *blocks {
	c := &f.cfg
	if c.OverProvision == 0 {
		return nil
	}
	dies := int64(c.Dies())
	need := (f.unitCount() + f.rowUnits - 1) / f.rowUnits
	total := need + need*int64(c.OverProvision)/100
	// A device that was made small has small blocks: else it would have too few.
	perDie := max(1, min(int64(c.PagesPerBlock), total/dies/minBlocks))
	b := &blocks{f: f, rows: perDie * dies, victim: -1, host: stream{block: -1}, move: stream{block: -1}}
	b.units = b.rows * f.rowUnits
	n := max((total+b.rows-1)/b.rows, (need+b.rows-1)/b.rows+lowWater+2)
	b.all = make([]superblock, n)
	b.before = newFill(c.Filled, f.unitCount(), b.units, n-lowWater-1)
	for i := n - 1; i >= 0; i-- {
		sb := &b.all[i]
		sb.base = untouched
		if sb.valid = b.before.held(i); sb.valid == 0 {
			b.free = append(b.free, int32(i))
		}
	}
	return b
}

// minBlocks is how many superblocks a drive has at least, about.
const minBlocks = 64

// invalidate forgets where u was.
func (b *blocks) invalidate(u int64, v place) {
	switch {
	case v == trimmed:
	case v != unwritten:
		b.all[v.row()/b.rows].valid--
	case b.before.kind != Empty:
		i, _ := b.before.find(u)
		b.all[i].valid--
	}
}

// put places unit u in a row and says where.
func (b *blocks) put(u, row, slot int64) {
	f := b.f
	b.invalidate(u, f.units.get(u))
	sb := &b.all[row/b.rows]
	sb.valid++
	sb.slots[row%b.rows*f.rowUnits+slot] = uint32(u)
	f.units.set(u, placeOf(row))
}

// next is the next row of a stream, -1 if there is no room.
func (b *blocks) next(s *stream, base int64, keep int) int64 {
	if s.block < 0 || s.row == b.rows {
		if len(b.free) <= keep {
			return -1
		}
		if s.block >= 0 {
			b.all[s.block].open = false
		}
		i := b.free[len(b.free)-1]
		b.free = b.free[:len(b.free)-1]
		sb := &b.all[i]
		if sb.slots == nil {
			sb.slots = make([]uint32, b.units)
		}
		sb.valid, sb.base, sb.open = 0, base, true
		*s = stream{block: i}
	}
	s.row++
	return int64(s.block)*b.rows + s.row - 1
}

// hostRow is a row for the host, which is row seq of its log, and pays for it; -1
// if there is none now.
func (b *blocks) hostRow(seq int64, t lane.Time) int64 {
	row := b.next(&b.host, seq, 1)
	if row < 0 && b.collectOne(t) {
		row = b.next(&b.host, seq, 1)
	}
	if row >= 0 {
		b.collect(t)
	}
	return row
}

// collect moves what one row of the host's costs.
func (b *blocks) collect(t lane.Time) {
	paid := false
	for len(b.free) <= lowWater && b.choose() {
		if !paid {
			paid = true
			b.debt += b.f.rowUnits * (b.units - b.gain)
		}
		if b.debt < b.gain {
			return
		}
		if b.moveUnits(t, b.debt/b.gain) {
			return
		}
	}
}

// collectOne collects until a superblock is free, whatever it costs.
func (b *blocks) collectOne(t lane.Time) bool {
	for n := len(b.free); len(b.free) <= n; {
		if !b.choose() {
			return false
		}
		b.moveUnits(t, b.units)
	}
	return true
}

// choose has a victim chosen; false: nothing would be won.
func (b *blocks) choose() bool {
	if b.victim >= 0 {
		return true
	}
	best := int64(-1)
	for i := range b.all {
		sb := &b.all[i]
		if !sb.open && (sb.slots != nil && sb.base != freed || b.before.held(int64(i)) > 0 && sb.base == untouched) &&
			(best < 0 || sb.valid < b.all[best].valid) {
			best = int64(i)
		}
	}
	if best < 0 || b.all[best].valid == b.units {
		return false
	}
	b.victim, b.at, b.debt = int32(best), 0, 0
	b.gain = b.units - b.all[best].valid
	return true
}

// moveUnits moves up to n valid units of the victim. It says whether it moved them
// all; otherwise the victim is done with, and free.
func (b *blocks) moveUnits(t lane.Time, n int64) bool {
	f := b.f
	sb := &b.all[b.victim]
	var read *operation // of the row that is being looked at
	lookAt := int64(-1)
	flush := func() {
		if read != nil {
			read.die.enqueue(read, t)
			read = nil
		}
	}
	for ; b.at < b.units && sb.valid > 0; b.at++ {
		row := int64(b.victim)*b.rows + b.at/f.rowUnits
		u, ok := b.holds(sb, row)
		if !ok {
			continue
		}
		if n == 0 {
			flush()
			return true
		}
		n--
		b.debt -= b.gain
		if row != lookAt {
			flush()
			lookAt = row
			read = f.newOp(opReadBack, logRow(row))
			read.bytes = 0
		}
		read.bytes += Unit
		b.moveOne(u, t)
	}
	flush()
	sb.base, sb.valid = freed, 0
	b.free = append([]int32{b.victim}, b.free...) // used last: wear is spread
	b.victim = -1
	return false
}

// holds is the unit at slot b.at of the victim, if it is still there.
func (b *blocks) holds(sb *superblock, row int64) (u int64, ok bool) {
	if sb.slots != nil {
		u = int64(sb.slots[b.at])
		return u, b.f.units.get(u) == placeOf(row)
	}
	u, ok = b.before.unit(int64(b.victim), b.at)
	return u, ok && b.f.units.get(u) == unwritten
}

// moveOne gives a unit a place in the collection's stream.
func (b *blocks) moveOne(u int64, t lane.Time) {
	f, s := b.f, &b.move
	if s.fill == 0 && b.next(s, moved, 0) < 0 {
		panic("flash: the collection has no room: a superblock is kept for it")
	}
	row := int64(s.block)*b.rows + s.row - 1
	b.put(u, row, s.fill)
	f.stats.RelocatedBytes += Unit
	if s.fill++; s.fill == f.rowUnits {
		s.fill = 0
		o := f.newOp(opMove, logRow(row))
		o.bytes = f.rowBytes
		o.die.enqueue(o, t)
	}
}

// logRowOf is the row of the host's log that a row of the drive is; below 0 if it
// is none.
func (b *blocks) logRowOf(row int64) int64 {
	if sb := &b.all[row/b.rows]; sb.base >= 0 {
		return sb.base + row%b.rows
	}
	return -1
}

// trim forgets the units that lie wholly within n bytes from off.
func (b *blocks) trim(off, n int64) {
	f := b.f
	u, end := (off+Unit-1)/Unit, (off+n)/Unit
	if u == 0 && end >= f.unitCount() { // the whole drive: quickly
		for i := range b.all {
			b.all[i].valid = 0
		}
		return
	}
	for u < end {
		leaf, stop := f.units.leaf(u)
		stop = min(stop, end)
		switch {
		case leaf == f.units.gone, leaf == nil && b.before.kind == Empty:
			u = stop
		case leaf == nil:
			for ; u < stop; u++ {
				b.invalidate(u, unwritten)
			}
		default:
			for ; u < stop; u++ {
				b.invalidate(u, leaf[u&leafMask])
			}
		}
	}
}
