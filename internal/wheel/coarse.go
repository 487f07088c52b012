package wheel

// coarse is a ring whose slots are 2^shift ns wide, each a list of chunks.
type coarse[T any] struct {
	bitmap
	heads [slots]*chunk[T]
	shift int
}

// push puts n at the end of its slot's list.
func (r *coarse[T]) push(n *Node[T], at int64, free *chunks[T]) {
	slot := int32(at>>r.shift) & slotMask
	head := r.heads[slot]
	var c *chunk[T]
	if head == nil {
		c = free.get()
		c.next, c.prev = c, c
		r.heads[slot] = c
		r.set(slot)
	} else if c = head.prev; c.used == chunkSize {
		tail := c
		c = free.get()
		c.next, c.prev = head, tail
		tail.next, head.prev = c, c
	}
	i := c.used
	n.chunk, n.index = c, int32(i)
	c.items[i] = item[T]{at, n}
	c.used = i + 1
	c.nodes++
}

// remove leaves a hole where n was, or takes the chunk out if it was the last.
func (r *coarse[T]) remove(n *Node[T], free *chunks[T]) {
	c := n.chunk
	c.items[n.index].node = nil
	c.nodes--
	if c.nodes > 0 {
		return
	}
	slot := int32(n.at>>r.shift) & slotMask
	if next := c.next; next == c {
		r.empty(slot)
	} else {
		c.prev.next, next.prev = next, c.prev
		if r.heads[slot] == c {
			r.heads[slot] = next
		}
	}
	free.put(c)
}

// empty forgets a slot's list.
func (r *coarse[T]) empty(slot int32) {
	r.heads[slot&slotMask] = nil
	r.clear(slot)
}

// start is the first time of the slot that c is in.
func (r *coarse[T]) start(c *chunk[T]) int64 { return c.items[0].at >> r.shift << r.shift }
