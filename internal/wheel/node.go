package wheel

// A Node is one event's place in a Queue. It is embedded in the event, with
// Owner pointing back at it, and must not be copied or moved while queued.
type Node[T any] struct {
	// Owner is the event that the node stands for. The queue never looks at it.
	Owner *T

	// next and prev close the list of a fine slot into a circle.
	next, prev *Node[T]
	// chunk is where the node is in a coarse ring.
	chunk *chunk[T]

	at int64
	// index is the node's fine slot, or its place in its chunk or heap.
	index int32
	where place
}

// place says which part of the queue a node is in.
type place uint8

const (
	nowhere place = iota
	inFew
	inFine
	inLate
	inEarly
	inCoarse // and those above: by the ring's number
)

// Queued says whether the node is in a queue.
func (n *Node[T]) Queued() bool { return n.where != nowhere }

// At is the time that the node was last added for.
func (n *Node[T]) At() int64 { return n.at }
