package wheel

// coarse is a ring whose slots are 2^shift ns wide, each a list of chunks, of which only
// the last may have room. What a push has to read lies in the ring, side by side for
// slots that are: it waits for no chunk.
type coarse[T any] struct {
	bitmap
	shift uint8            // masked where it is used: the compiler then knows its range
	room  [slots]uint8     // in the last chunk of the slot's list; 0 if there is none
	lasts [slots]*chunk[T] // whose next is the first
}

// push puts n at the end of its slot's list.
func (r *coarse[T]) push(n *Node[T], at int64, free *chunks[T]) {
	slot := int32(at>>(r.shift&63)) & slotMask
	room := r.room[slot]
	if room == 0 {
		r.extend(slot, free.get())
		room = chunkSize
	}
	r.room[slot] = room - 1
	c, i := r.lasts[slot], chunkSize-int(room)
	n.chunk, n.index = c, int32(i)
	c.items[i] = item[T]{at, n}
}

// extend puts a chunk at the end of a slot's list. The caller puts a node into it.
func (r *coarse[T]) extend(slot int32, c *chunk[T]) {
	if last := r.lasts[slot]; last == nil {
		c.next, c.prev = c, c
		r.set(slot)
	} else {
		c.next, c.prev = last.next, last
		c.next.prev, last.next = c, c
	}
	r.lasts[slot] = c
}

// remove leaves a hole where n was, or takes the chunk out if it was the last.
func (r *coarse[T]) remove(n *Node[T], free *chunks[T]) {
	c := n.chunk
	c.items[n.index].node = nil
	c.holes++
	slot := int32(n.at>>(r.shift&63)) & slotMask
	if int(c.holes) < r.used(slot, c) {
		return
	}
	if c.next == c {
		r.empty(slot)
	} else {
		c.prev.next, c.next.prev = c.next, c.prev
		if r.lasts[slot] == c {
			r.lasts[slot], r.room[slot] = c.prev, 0
		}
	}
	free.put(c)
}

// empty forgets a slot's list.
func (r *coarse[T]) empty(slot int32) {
	r.lasts[slot&slotMask], r.room[slot&slotMask] = nil, 0
	r.clear(slot)
}

// used is how many items of c are filled, which is in the slot's list.
func (r *coarse[T]) used(slot int32, c *chunk[T]) int {
	if c == r.lasts[slot&slotMask] {
		return chunkSize - int(r.room[slot&slotMask])
	}
	return chunkSize
}

// single is the node of a slot's list if there is only one.
func (r *coarse[T]) single(slot int32) *Node[T] {
	c := r.lasts[slot&slotMask]
	used := r.used(slot, c)
	if used-int(c.holes) != 1 || c.next != c {
		return nil
	}
	for i := range c.items[:used] {
		if n := c.items[i].node; n != nil {
			return n
		}
	}
	panic("wheel: a chunk has lost its node")
}

// start is the first time of a slot, which has nodes.
func (r *coarse[T]) start(slot int32) int64 {
	return r.lasts[slot&slotMask].items[0].at &^ (1<<(r.shift&63) - 1)
}
