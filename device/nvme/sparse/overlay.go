package sparse

// Overlay is what is wrong with the contents of a [Store] that is itself good:
// blocks of other bytes that lie over it. To lift them is to heal it.
type Overlay struct {
	data  *Store
	marks Table[marks]
	count int64 // blocks that lie over
}

// OverlayBlock is the unit in which contents are laid over, bytes.
const OverlayBlock = 512

// marks has a bit for each block of a chunk that is laid over.
type marks [ChunkSize / OverlayBlock / 64]uint64

// NewOverlay makes an overlay for a store of size bytes, with nothing in it.
func NewOverlay(size int64) *Overlay {
	return &Overlay{data: NewStore(size), marks: NewTable[marks]((size + ChunkSize - 1) / ChunkSize)}
}

// Blocks is how many blocks lie over the store.
func (o *Overlay) Blocks() int64 { return o.count }

// Lay puts b over what is at off. Both are whole blocks.
func (o *Overlay) Lay(b []byte, off int64) {
	o.data.WriteAt(b, off)
	for end := off + int64(len(b)); off < end; off += OverlayBlock {
		m := o.marks.Get(off / ChunkSize)
		if m == nil {
			m = new(marks)
			o.marks.Set(off/ChunkSize, m)
		}
		if w, bit := m.at(off); *w&bit == 0 {
			*w |= bit
			o.count++
		}
	}
}

func (m *marks) at(off int64) (word *uint64, bit uint64) {
	i := off % ChunkSize / OverlayBlock
	return &m[i/64], 1 << (i % 64)
}

// Apply replaces in b, which was read from off, what lies over it. It need not be
// whole blocks.
func (o *Overlay) Apply(b []byte, off int64) {
	end := off + int64(len(b))
	first := off / OverlayBlock * OverlayBlock
	o.each(first, end-first, func(at int64, _ *marks) {
		from, to := max(at, off), min(at+OverlayBlock, end)
		o.data.ReadAt(b[from-off:to-off], from)
	})
}

// Lift takes away what lies over n bytes from off, whole blocks.
func (o *Overlay) Lift(off, n int64) {
	o.each(off, n, func(at int64, m *marks) {
		w, bit := m.at(at)
		*w &^= bit
		o.count--
	})
}

// Clear takes everything away.
func (o *Overlay) Clear() { *o = *NewOverlay(o.data.size) }

// each calls f for every block of n bytes from off that is laid over. Parts that
// have none cost little: an extent may be the whole device.
func (o *Overlay) each(off, n int64, f func(at int64, m *marks)) {
	for end := off + n; o.count > 0 && off < end; {
		chunk := off / ChunkSize
		if o.marks.pages[chunk>>dirBits] == nil {
			off = (chunk>>dirBits + 1) << dirBits * ChunkSize
			continue
		}
		m := o.marks.Get(chunk)
		if m == nil || *m == (marks{}) {
			off = (chunk + 1) * ChunkSize
			continue
		}
		if w, bit := m.at(off); *w&bit != 0 {
			f(off, m)
		}
		off += OverlayBlock
	}
}
