package flash

// node is a place in a list, embedded in what is listed.
type node[T any] struct {
	next, prev *node[T]
	owner      *T
}

// list is a first-in, first-out list from whose middle a node can be removed.
type list[T any] struct{ first, last *node[T] }

func (l *list[T]) push(n *node[T]) {
	n.prev, n.next = l.last, nil
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
}

// head is the first element, nil if there is none.
func (l *list[T]) head() *T {
	if l.first == nil {
		return nil
	}
	return l.first.owner
}

// remove takes n off; it is on this list.
func (l *list[T]) remove(n *node[T]) {
	if n.prev == nil {
		l.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.next, n.prev = nil, nil
}

// pop takes the first element off; nil if there is none.
func (l *list[T]) pop() *T {
	n := l.first
	if n == nil {
		return nil
	}
	l.remove(n)
	return n.owner
}
