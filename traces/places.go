package traces

import "math/bits"

// place is where an I/O, or a part of it, begins.
type place struct {
	volume uint32
	offset int64
}

// places is a hash table from places to numbers other than 0, with linear probing:
// an event looks up, sets or deletes one or two entries, and a map of the language
// takes most of the time that reading an event takes. The zero places is empty.
type places struct {
	slots []placeSlot // a power of two, at most half of them used
	used  int
}

type placeSlot struct {
	place
	n int64 // 0: free
}

// home is the slot that p would have if no other were there.
func (t *places) home(p place) int {
	h := (uint64(p.offset) ^ uint64(p.volume)<<47) * 0x9e3779b97f4a7c15 // 2^64 / golden ratio
	return int(h >> (64 - bits.Len(uint(len(t.slots)-1))))
}

// get is the number at p, 0 if there is none.
func (t *places) get(p place) int64 {
	if t.used == 0 {
		return 0
	}
	mask := len(t.slots) - 1
	for i := t.home(p); ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.n == 0 || s.place == p {
			return s.n
		}
	}
}

// set puts n at p.
func (t *places) set(p place, n int64) {
	if 2*(t.used+1) > len(t.slots) {
		t.grow()
	}
	mask := len(t.slots) - 1
	for i := t.home(p); ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.n == 0 {
			*s = placeSlot{p, n}
			t.used++
			return
		}
		if s.place == p {
			s.n = n
			return
		}
	}
}

func (t *places) grow() {
	old := t.slots
	t.slots, t.used = make([]placeSlot, max(64, 2*len(old))), 0
	for _, s := range old {
		if s.n != 0 {
			t.set(s.place, s.n)
		}
	}
}

// delete takes p out, and closes the gap: every entry behind it, up to the next free
// slot, moves up if that brings it nearer to its home.
func (t *places) delete(p place) {
	if t.used == 0 {
		return
	}
	mask := len(t.slots) - 1
	gap := t.home(p)
	for t.slots[gap].place != p || t.slots[gap].n == 0 {
		if t.slots[gap].n == 0 {
			return
		}
		gap = (gap + 1) & mask
	}
	t.used--
	for i := (gap + 1) & mask; t.slots[i].n != 0; i = (i + 1) & mask {
		if (i-t.home(t.slots[i].place))&mask >= (i-gap)&mask {
			t.slots[gap] = t.slots[i]
			gap = i
		}
	}
	t.slots[gap] = placeSlot{}
}
