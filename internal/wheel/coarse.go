package wheel

// chunkSize makes a chunk of 248 bytes: it fills the allocator's class of 256.
const chunkSize = 14

// chunk is a piece of a coarse slot's list, with a hole for each node that was
// removed. One that is in a list holds at least one node.
type chunk[T any] struct {
	// next and prev close the slot's list into a circle. In the free list only
	// next is used.
	next, prev *chunk[T]

	ring  *coarse[T]
	slot  int16
	used  uint8 // items filled so far
	nodes uint8 // of them, those that are no holes
	items [chunkSize]item[T]
}

// item is a node and its time, so that the node need not be loaded to be dealt
// out. A hole has no node but keeps the time.
type item[T any] struct {
	at   int64
	node *Node[T]
}

// coarse is a ring whose slots are 2^shift ns wide.
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
		c.next, c.prev, c.ring, c.slot = c, c, r, int16(slot)
		r.heads[slot] = c
		r.set(slot)
	} else if c = head.prev; c.used == chunkSize {
		tail := c
		c = free.get()
		c.next, c.prev, c.ring, c.slot = head, tail, r, int16(slot)
		tail.next, head.prev = c, c
	}
	n.chunk, n.index, n.where = c, int32(c.used), inCoarse
	c.items[c.used] = item[T]{at, n}
	c.used++
	c.nodes++
}

// leaveChunk takes n out of its chunk and leaves a hole.
func (n *Node[T]) leaveChunk(free *chunks[T]) {
	c := n.chunk
	n.chunk = nil
	c.items[n.index].node = nil
	c.nodes--
	if c.nodes > 0 {
		return
	}
	r, slot := c.ring, int32(c.slot)
	if next := c.next; next == c {
		r.heads[slot] = nil
		r.clear(slot)
	} else {
		c.prev.next, next.prev = next, c.prev
		if r.heads[slot] == c {
			r.heads[slot] = next
		}
	}
	free.put(c)
}

// single is the node of the slot's list, if it is the only one.
func (c *chunk[T]) single() *Node[T] {
	if c.next != c || c.nodes != 1 {
		return nil
	}
	for i := range c.items[:c.used] {
		if n := c.items[i].node; n != nil {
			return n
		}
	}
	panic("wheel: a chunk has lost its node")
}

// chunks is a free list.
type chunks[T any] struct{ first *chunk[T] }

func (f *chunks[T]) get() *chunk[T] {
	c := f.first
	if c == nil {
		return new(chunk[T])
	}
	f.first = c.next
	return c
}

// put takes back a chunk that has only holes.
func (f *chunks[T]) put(c *chunk[T]) {
	c.used, c.nodes = 0, 0
	c.prev = nil
	c.next = f.first
	f.first = c
}
