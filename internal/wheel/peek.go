package wheel

// Peek is the time of the earliest node. It changes nothing. When that node
// shares a coarse slot with others it looks at each of them, so a caller that
// peeks often and far ahead should be content with Bound.
func (q *Queue[T]) Peek() (at int64, ok bool) {
	at, r, ok := q.front()
	if r == nil {
		return at, ok
	}
	at = -1
	slot := r.first()
	last := r.lasts[slot]
	for c := last.next; ; c = c.next {
		for i := range c.items[:r.used(slot, c)] {
			it := &c.items[i]
			if it.node != nil && (at < 0 || it.at < at) {
				at = it.at
			}
		}
		if c == last {
			return at, true
		}
	}
}

// Bound is a time that is not after the earliest node's: that time itself or,
// when the node shares a coarse slot with others, the start of the slot. It
// costs a few instructions. Who sleeps until Bound and then calls PopDue with
// the time comes to the node's exact time in at most four rounds.
func (q *Queue[T]) Bound() (at int64, ok bool) {
	at, r, ok := q.front()
	if r != nil {
		at = r.start(r.first())
	}
	return at, ok
}

// front is the time of the earliest node or, if that takes a search, the ring that has
// it in its first slot.
func (q *Queue[T]) front() (at int64, r *coarse[T], ok bool) {
	if !q.long {
		it := &q.few.items[q.few.first]
		return it.at, nil, it.node != nil
	}
	if len(q.early) > 0 {
		return q.early[0].at, nil, true
	}
	if r := q.fine; r != nil && r.top != 0 {
		return r.heads[r.first()].at, nil, true
	}
	if r := q.lowest(); r != nil {
		if n := r.single(r.first()); n != nil {
			return n.at, nil, true
		}
		return 0, r, true
	}
	if len(q.late) > 0 {
		return q.late[0].at, nil, true
	}
	return 0, nil, false
}
