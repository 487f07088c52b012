package wheel

// fewMost is how many nodes a short queue has at the most.
const fewMost = 32

// few is a short queue: an array in order, from first to end. What is added is mostly
// later than most that is there, so it goes in near the end, and what is taken out
// leaves at the beginning: for a handful of nodes that is half the work of the rings.
type few[T any] struct {
	first, end int
	items      [2 * fewMost]item[T] // so that a shift to the beginning is rare
}

// add puts n behind all that are not later.
func (f *few[T]) add(n *Node[T], at int64) {
	if f.end == len(f.items) {
		copy(f.items[:], f.items[f.first:])
		clear(f.items[f.end-f.first:])
		f.first, f.end = 0, f.end-f.first
	}
	n.where = inFew
	i := f.end
	for ; i > f.first && f.items[i-1].at > at; i-- {
		f.items[i] = f.items[i-1]
	}
	f.items[i] = item[T]{at, n}
	f.end++
}

// pop takes out the first.
func (f *few[T]) pop() {
	f.items[f.first].node = nil
	f.first++
	if f.first == f.end {
		f.first, f.end = 0, 0
	}
}

// remove takes n out.
func (f *few[T]) remove(n *Node[T]) {
	i := f.first
	for f.items[i].node != n {
		i++
	}
	copy(f.items[i:], f.items[i+1:f.end])
	f.end--
	f.items[f.end].node = nil
}

// spread makes a short queue, which is full, a long one.
func (q *Queue[T]) spread() {
	f := &q.few
	q.base = min(q.base, f.items[f.first].at)
	for i := f.first; i < f.end; i++ {
		q.put(f.items[i].node, f.items[i].at)
		f.items[i].node = nil
	}
	f.first, f.end = 0, 0
	q.long = true
}
