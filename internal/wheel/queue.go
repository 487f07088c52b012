package wheel

// A Queue holds nodes in the order of (time, Add). The zero Queue is empty and
// ready for use. It must not be copied.
type Queue[T any] struct {
	// base is at or before the time of every node in the rings and in late, and
	// every node lies where put places it relative to base: whenever base moves
	// into a slot, the slot is dealt out.
	base   int64
	fine   *fine[T]      // the block of 2^12 ns that base is in; nil until needed
	coarse [2]*coarse[T] // the blocks of 2^24 and 2^36 ns around that

	// late is beyond the block of 2^36 ns that base is in; early is before base.
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
	q.put(n, at)
}

// Remove takes n out and says whether it was queued. Any node may be removed
// at any time.
func (q *Queue[T]) Remove(n *Node[T]) bool {
	switch n.where {
	case nowhere:
		return false
	case inFine:
		q.fine.remove(n)
	case inCoarse:
		n.leaveChunk(&q.free)
	case inLate:
		q.late.remove(int(n.index))
	case inEarly:
		q.early.remove(int(n.index))
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
	case apart < 1<<(3*slotBits):
		level := 0
		if apart >= 1<<(2*slotBits) {
			level = 1
		}
		if q.coarse[level] == nil {
			q.coarse[level] = &coarse[T]{shift: (level + 1) * slotBits}
		}
		q.coarse[level].push(n, at, &q.free)
	default:
		n.where = inLate
		q.seq++
		q.late.push(n, q.seq)
	}
}

// sameBlock says whether the rings cover both times.
func sameBlock(a, b int64) bool { return uint64(a^b)>>(3*slotBits) == 0 }
