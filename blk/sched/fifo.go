package sched

// fifo is a list in order of Queued.
type fifo struct {
	head, tail *Entry
	count      int
}

// add puts e behind all that are as old or older: at the end, but for an entry
// that comes back.
func (l *fifo) add(e *Entry) {
	at := l.tail
	for at != nil && at.Queued > e.Queued {
		at = at.prev
	}
	e.list, e.prev = l, at
	if at == nil {
		e.next, l.head = l.head, e
	} else {
		e.next, at.next = at.next, e
	}
	if e.next == nil {
		l.tail = e
	} else {
		e.next.prev = e
	}
	l.count++
}

func (l *fifo) remove(e *Entry) {
	if e.prev == nil {
		l.head = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		l.tail = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.next, e.prev, e.list = nil, nil, nil
	l.count--
}

func (l *fifo) pop() *Entry {
	e := l.head
	if e != nil {
		l.remove(e)
	}
	return e
}
