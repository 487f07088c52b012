package wheel

import "math"

// Pop takes out the earliest node, or returns nil if the queue is empty.
func (q *Queue[T]) Pop() *Node[T] { return q.PopDue(math.MaxInt64) }

// PopDue takes out the earliest node if its time is not after limit, and
// returns nil otherwise. It never moves the base beyond limit: what is added
// for later than limit goes to the rings, at their speed.
func (q *Queue[T]) PopDue(limit int64) *Node[T] {
	if !q.long {
		return q.popFew(limit)
	}
	if len(q.early) > 0 {
		return q.popEarly(limit)
	}
	for {
		if r := q.fine; r != nil && r.top != 0 {
			slot := r.first()
			n := r.heads[slot]
			if n.at > limit {
				return nil
			}
			if n.next == n { // of most times there is one
				r.heads[slot] = nil
				r.clear(slot)
			} else {
				r.remove(n)
			}
			q.base = n.at
			return q.out(n)
		}
		r := q.lowest()
		if r == nil {
			return q.popLate(limit)
		}
		slot := r.first()
		if n := r.single(slot); n != nil { // no need to deal it out
			if n.at > limit {
				return nil
			}
			r.remove(n, &q.free)
			q.base = n.at
			return q.out(n)
		}
		start := r.start(slot)
		if start > limit {
			return nil
		}
		last := r.lasts[slot]
		used := r.used(slot, last)
		r.empty(slot)
		q.base = start
		q.deal(last, used, r == q.coarse[0])
	}
}

func (q *Queue[T]) popFew(limit int64) *Node[T] {
	f := &q.few
	it := f.items[f.first]
	if it.node == nil || it.at > limit {
		return nil
	}
	f.pop()
	q.base = max(q.base, it.at)
	return q.out(it.node)
}

// deal moves the nodes of a coarse slot, which the base has just entered, to the
// rings below. last is the last chunk of the slot, of which so many items are used.
// lowest: it is one of the lowest coarse ring, so all of it goes to the fine one.
func (q *Queue[T]) deal(last *chunk[T], used int, lowest bool) {
	if q.fine == nil {
		q.fine = new(fine[T])
	}
	c := last.next
	last.next = nil // opens the circle
	for c != nil {
		next, filled := c.next, chunkSize
		if c == last {
			filled = used
		}
		for i := range c.items[:filled] {
			n := c.items[i].node
			if n == nil {
				continue
			}
			c.items[i].node = nil
			if lowest {
				q.fine.push(n, c.items[i].at)
			} else {
				q.put(n, c.items[i].at)
			}
		}
		q.free.put(c)
		c = next
	}
}

func (q *Queue[T]) popEarly(limit int64) *Node[T] {
	n := q.early[0].node
	if n.at > limit {
		return nil
	}
	q.Remove(n)
	return n
}

// popLate moves on to the block of the earliest late node, when the rings are
// empty. What else is in that block goes to the rings, in the heap's order.
func (q *Queue[T]) popLate(limit int64) *Node[T] {
	if len(q.late) == 0 || q.late[0].at > limit {
		return nil
	}
	n := q.late[0].node
	q.late.remove(0)
	q.base = n.at
	for len(q.late) > 0 && sameBlock(q.late[0].at, q.base) {
		m := q.late[0].node
		q.late.remove(0)
		q.put(m, m.at)
	}
	return q.out(n)
}

// out marks n, which has been taken out of where it was, as not queued.
func (q *Queue[T]) out(n *Node[T]) *Node[T] {
	n.where = nowhere
	q.len--
	return n
}

// lowest is the lowest coarse ring that is not empty, or nil.
func (q *Queue[T]) lowest() *coarse[T] {
	for _, r := range q.coarse {
		if r != nil && r.top != 0 {
			return r
		}
	}
	return nil
}
