package wheel

// A Queue holds nodes in the order of (time, Add). The zero Queue is empty and
// ready for use. It must not be copied.
type Queue[T any] struct {
	// few has all nodes, or, of a long queue, none: a queue is short until there are more
	// than fit, and again when it has been empty.
	few  few[T]
	long bool

	// base is at or before the time of every node in the rings and in late, and
	// every node lies where put places it relative to base: whenever base moves
	// into a slot, the slot is dealt out.
	base   int64
	fine   *fine[T]      // the block of 2^12 ns that base is in; nil until needed
	coarse [3]*coarse[T] // the blocks of 2^24, 2^36 and 2^48 ns around that

	// late is beyond the block of 2^48 ns that base is in; early is before base.
	late, early heap4[T]

	free chunks[T]
	seq  uint64 // Adds that went to a heap
	len  int
}

// Len is the number of nodes queued.
func (q *Queue[T]) Len() int { return q.len }

// Add queues n for the given time, after all that was added for that time
// before. A node that is queued already is taken out first.
func (q *Queue[T]) Add(n *Node[T], at int64) {
	if n.where != nowhere {
		q.Remove(n)
	}
	n.at = at
	q.len++
	if q.len == 1 {
		q.long = false
	}
	if !q.long {
		if q.len <= fewMost {
			q.few.add(n, at)
			return
		}
		q.spread()
	}
	q.put(n, at)
}

// Remove takes n out and says whether it was queued. Any node may be removed
// at any time.
func (q *Queue[T]) Remove(n *Node[T]) bool {
	switch n.where {
	case nowhere:
		return false
	case inFew:
		q.few.remove(n)
	case inFine:
		q.fine.remove(n)
	case inLate:
		q.late.remove(int(n.index))
	case inEarly:
		q.early.remove(int(n.index))
	default:
		q.coarse[n.where-inCoarse].remove(n, &q.free)
	}
	n.where = nowhere
	q.len--
	return true
}

// put places n, whose time is at, relative to base. Its caller knows the time;
// to load it from a node that is being dealt out would be to wait for memory.
func (q *Queue[T]) put(n *Node[T], at int64) {
	apart := uint64(at) ^ uint64(q.base)
	switch {
	case at < q.base:
		n.where = inEarly
		q.seq++
		q.early.push(n, q.seq)
	case apart < 1<<slotBits:
		if q.fine == nil {
			q.fine = new(fine[T])
		}
		q.fine.push(n, at)
	case apart < 1<<blockBits:
		level := 0
		for apart >>= 2 * slotBits; apart != 0; apart >>= slotBits {
			level++
		}
		r := q.coarse[level]
		if r == nil {
			r = &coarse[T]{shift: uint8((level + 1) * slotBits)}
			q.coarse[level] = r
		}
		r.push(n, at, &q.free)
		n.where = inCoarse + place(level)
	default:
		n.where = inLate
		q.seq++
		q.late.push(n, q.seq)
	}
}

// blockBits is the width of the block that the rings cover.
const blockBits = 4 * slotBits

// sameBlock says whether the rings cover both times.
func sameBlock(a, b int64) bool { return uint64(a^b)>>blockBits == 0 }
