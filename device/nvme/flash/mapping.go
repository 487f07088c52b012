package flash

import "blksim/device/nvme/sparse"

// rowID names a row: its number, and whether it belongs to the log or to the
// static stripes of what was there before.
type rowID int64

func staticRow(n int64) rowID { return rowID(n << 1) }
func logRow(n int64) rowID    { return rowID(n<<1 | 1) }

// number decides the die.
func (r rowID) number() int64 { return int64(r >> 1) }

// place is where a unit lies: unwritten, trimmed, or a row of the log. Rows are
// counted modulo what fits; a wrap, after 10^14 bytes, would shift some units to
// another die and do no other harm.
type place uint32

const (
	unwritten place = 0
	trimmed   place = 1<<32 - 1
)

func placeOf(row int64) place { return place(row%(1<<32-2) + 1) }

func (p place) row() int64 { return int64(p) - 1 }

const (
	leafBits = 10
	leafMask = 1<<leafBits - 1
)

type leaf [1 << leafBits]place

// mapping says where each unit lies, in memory that follows what was written.
type mapping struct {
	table sparse.Table[leaf]
	gone  *leaf // shared by all pieces that are trimmed altogether; never written to
}

func newMapping(units int64) mapping {
	m := mapping{table: sparse.NewTable[leaf]((units + leafMask) >> leafBits), gone: new(leaf)}
	for i := range m.gone {
		m.gone[i] = trimmed
	}
	return m
}

// leaf is the piece that unit u is in, nil if nothing of it was ever written,
// and the first unit after it.
func (m *mapping) leaf(u int64) (*leaf, int64) {
	return m.table.Get(u >> leafBits), (u>>leafBits + 1) << leafBits
}

func (m *mapping) get(u int64) place {
	if l := m.table.Get(u >> leafBits); l != nil {
		return l[u&leafMask]
	}
	return unwritten
}

func (m *mapping) set(u int64, p place) {
	l := m.table.Get(u >> leafBits)
	if l == nil || l == m.gone {
		own := new(leaf)
		if l != nil {
			*own = *l
		}
		l = own
		m.table.Set(u>>leafBits, l)
	}
	l[u&leafMask] = p
}

// trim forgets the units that lie wholly within n bytes from off.
func (m *mapping) trim(off, n int64) {
	u, end := (off+Unit-1)/Unit, (off+n)/Unit
	for ; u < end && u&leafMask != 0; u++ {
		m.set(u, trimmed)
	}
	if whole := (end - u) >> leafBits; whole > 0 {
		m.table.Fill(u>>leafBits, whole, m.gone)
		u += whole << leafBits
	}
	for ; u < end; u++ {
		m.set(u, trimmed)
	}
}
