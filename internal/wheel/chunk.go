package wheel

// chunkSize makes a chunk of 248 bytes: it fills the allocator's class of 256.
const chunkSize = 14

// chunk is a piece of a coarse slot's list. It has a hole for each node that was
// removed, and always at least one node.
type chunk[T any] struct {
	// next and prev close the slot's list into a circle. In the free list only
	// next is used.
	next, prev *chunk[T]

	used  uint32 // items filled so far
	nodes uint32 // of them, those that are no holes
	items [chunkSize]item[T]
}

// item is a node and its time, so that the node need not be loaded to be dealt
// out. A hole has no node but keeps the time.
type item[T any] struct {
	at   int64
	node *Node[T]
}

// single is the node of the slot's list, of which c is the first chunk, if there
// is only one.
func (c *chunk[T]) single() *Node[T] {
	if c.nodes != 1 || c.next != c {
		return nil
	}
	for i := range c.items {
		if n := c.items[i].node; n != nil {
			return n
		}
	}
	panic("wheel: a chunk has lost its node")
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
	c.used, c.nodes = 0, 0
	c.next = f.first
	f.first = c
}
