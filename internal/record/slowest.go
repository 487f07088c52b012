package record

import (
	"cmp"
	"slices"

	"blksim/aio"
	"blksim/internal/replay"
)

// MaxSlowest is how many I/Os Slowest keeps.
const MaxSlowest = 1024

// Slowest keeps the completed I/Os that took longest from due to event, exactly.
// The zero Slowest is empty and ready for use.
type Slowest struct {
	heap []replay.IO // the least slow one first
}

// slower orders I/Os by latency; ties are broken, so that the order in which
// I/Os come does not matter.
func slower(a, b *replay.IO) int {
	return cmp.Or(cmp.Compare(a.Ended-a.Due, b.Ended-b.Due), cmp.Compare(b.Due, a.Due), cmp.Compare(b.Off, a.Off),
		cmp.Compare(b.Op, a.Op), cmp.Compare(b.Len, a.Len), cmp.Compare(b.Submitted, a.Submitted), cmp.Compare(b.Lane, a.Lane))
}

// Add considers one I/O.
func (s *Slowest) Add(io *replay.IO) {
	if io.Status != aio.OK {
		return
	}
	if len(s.heap) == MaxSlowest {
		if slower(io, &s.heap[0]) <= 0 {
			return
		}
		s.heap[0] = *io
		s.down()
		return
	}
	if s.heap == nil {
		s.heap = make([]replay.IO, 0, MaxSlowest)
	}
	s.heap = append(s.heap, *io)
	for i := len(s.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if slower(&s.heap[i], &s.heap[parent]) >= 0 {
			break
		}
		s.heap[i], s.heap[parent] = s.heap[parent], s.heap[i]
		i = parent
	}
}

// down puts the first of the heap where it belongs.
func (s *Slowest) down() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(s.heap) {
			return
		}
		if r := child + 1; r < len(s.heap) && slower(&s.heap[r], &s.heap[child]) < 0 {
			child = r
		}
		if slower(&s.heap[child], &s.heap[i]) >= 0 {
			return
		}
		s.heap[i], s.heap[child] = s.heap[child], s.heap[i]
		i = child
	}
}

func (s *Slowest) merge(o *Slowest) {
	for i := range o.heap {
		s.Add(&o.heap[i])
	}
}

// Sorted lists what is kept, the slowest first.
func (s *Slowest) Sorted() []replay.IO {
	all := slices.Clone(s.heap)
	slices.SortFunc(all, func(a, b replay.IO) int { return slower(&b, &a) })
	return all
}
