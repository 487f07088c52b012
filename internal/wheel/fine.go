package wheel

// fine is the ring of the base's block of 2^12 ns: all nodes of a slot have the
// same time, and lie in the order in which they were added.
type fine[T any] struct {
	bitmap
	heads [slots]*Node[T]
}

// push puts n at the end of its slot's list.
func (r *fine[T]) push(n *Node[T], at int64) {
	slot := int32(at) & slotMask
	n.index, n.where = slot, inFine
	head := r.heads[slot]
	if head == nil {
		n.next, n.prev = n, n
		r.heads[slot] = n
		r.set(slot)
		return
	}
	tail := head.prev
	n.next, n.prev = head, tail
	tail.next, head.prev = n, n
}

// remove takes n out of its slot's list.
func (r *fine[T]) remove(n *Node[T]) {
	slot := n.index & slotMask
	next := n.next
	if next == n { // and may stay so: it keeps nothing else alive
		r.heads[slot] = nil
		r.clear(slot)
		return
	}
	n.prev.next, next.prev = next, n.prev
	if r.heads[slot] == n {
		r.heads[slot] = next
	}
	n.next, n.prev = nil, nil
}
