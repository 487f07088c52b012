package sim

// entry is an event of the current instant. One with a nil f is void.
type entry struct {
	f     func()
	timer *timer // whose event it is, or nil
	lane  int
}

// fifo is a ring of entries that grows and never shrinks. An entry is known by
// its ticket: the number of entries pushed up to it, so from 1.
type fifo struct {
	ring         []entry // the length is a power of two, or 0
	popped, last uint64  // tickets of the last entry popped and pushed
}

func (q *fifo) len() int { return int(q.last - q.popped) }

func (q *fifo) push(e entry) (ticket uint64) {
	if q.len() == len(q.ring) {
		q.grow()
	}
	q.last++
	q.ring[q.last&uint64(len(q.ring)-1)] = e
	return q.last
}

// pop takes out the oldest entry. There must be one.
func (q *fifo) pop() entry {
	q.popped++
	p := &q.ring[q.popped&uint64(len(q.ring)-1)]
	e := *p
	*p = entry{} // what f holds is garbage once it has run
	return e
}

// void makes the entry of the ticket, which has not been popped, void.
func (q *fifo) void(ticket uint64) {
	q.ring[ticket&uint64(len(q.ring)-1)] = entry{}
}

func (q *fifo) grow() {
	ring := make([]entry, max(64, 2*len(q.ring)))
	for t := q.popped + 1; t <= q.last; t++ {
		ring[t&uint64(len(ring)-1)] = q.ring[t&uint64(len(q.ring)-1)]
	}
	q.ring = ring
}
