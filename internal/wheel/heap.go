package wheel

// heap4 is a 4-ary heap of nodes, each of which knows its place, so that any can
// be removed. The times are in the heap: comparing does not load the nodes.
type heap4[T any] []heapItem[T]

type heapItem[T any] struct {
	at   int64
	seq  uint64 // of the Add, among the nodes that went to a heap
	node *Node[T]
}

func (a *heapItem[T]) before(b *heapItem[T]) bool {
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (h *heap4[T]) push(n *Node[T], seq uint64) {
	*h = append(*h, heapItem[T]{})
	h.up(len(*h)-1, heapItem[T]{n.at, seq, n})
}

// remove takes out the node at place i.
func (h *heap4[T]) remove(i int) {
	s := *h
	last := len(s) - 1
	it := s[last]
	s[last] = heapItem[T]{}
	*h = s[:last]
	if i == last {
		return
	}
	if i > 0 && it.before(&s[(i-1)/4]) {
		h.up(i, it)
	} else {
		h.down(i, it)
	}
}

// up puts it at place i or, if it is earlier than what is above, higher.
func (h heap4[T]) up(i int, it heapItem[T]) {
	for i > 0 {
		parent := (i - 1) / 4
		if !it.before(&h[parent]) {
			break
		}
		h.set(i, h[parent])
		i = parent
	}
	h.set(i, it)
}

// down puts it at place i or, if something below is earlier, lower.
func (h heap4[T]) down(i int, it heapItem[T]) {
	for {
		child := 4*i + 1
		if child >= len(h) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(h)); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&it) {
			break
		}
		h.set(i, h[least])
		i = least
	}
	h.set(i, it)
}

func (h heap4[T]) set(i int, it heapItem[T]) {
	h[i] = it
	it.node.index = int32(i)
}
