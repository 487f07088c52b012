package wheel

// chunkSize makes a chunk of 248 bytes: it fills the allocator's class of 256.
const chunkSize = 14

// chunk is a piece of a coarse slot's list. It has a hole for each node that was
// removed, and always at least one node.
type chunk[T any] struct {
	// next and prev close the slot's list into a circle. In the free list only
	// next is used.
	next, prev *chunk[T]

	holes uint32 // items that were filled and have no node any more
	items [chunkSize]item[T]
}

// item is a node and its time, so that the node need not be loaded to be dealt
// out. A hole has no node but keeps the time.
type item[T any] struct {
	at   int64
	node *Node[T]
}

// chunks is a free list of chunks, all of whose items are holes.
type chunks[T any] struct{ first *chunk[T] }

func (f *chunks[T]) get() *chunk[T] {
	c := f.first
	if c == nil {
		return new(chunk[T])
	}
	f.first = c.next
	return c
}

func (f *chunks[T]) put(c *chunk[T]) {
	c.holes = 0
	c.next = f.first
	f.first = c
}
