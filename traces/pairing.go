package traces

// pairing gives the I/Os of an event trace the times at which they were issued and
// completed, which later events tell.
//
// An I/O is held from its queue event (Q) to its completion (C) and given in the
// order of its own events. The kernel merges neighbours into one request, and splits
// what is too long: an issue (D) or completion of sectors a to b is that of every
// I/O in that range, and an I/O is complete when all its bytes are. A split (X) says
// where the second part begins. What never completes in the trace (it was cut, or
// events were lost) waits until so many others are held behind it, or for so long.
type pairing struct {
	ring       []pending // a power of two of places
	head, next int64     // numbers of the oldest one held and of the next one
	at         places    // to the number of the oldest one there
	done       int64     // records that found their completion
	lone       int64     // and that did not
	newest     int64     // time of the newest event
}

const (
	maxHeld  = 1 << 16
	longHeld = 30_000_000_000 // ns of trace time
)

// pending is an I/O that is held.
type pending struct {
	rec  Record
	left int64 // bytes that have not completed
	same int64 // number of the next I/O that begins at the same place; 0: none
	done bool
}

func (p *pairing) slot(n int64) *pending { return &p.ring[n&int64(len(p.ring)-1)] }

// queue holds an I/O.
func (p *pairing) queue(r *Record) {
	if p.ring == nil {
		p.ring = make([]pending, 64)
		p.head, p.next = 1, 1 // 0 is no number
	}
	if n := int64(len(p.ring)); p.next-p.head == n {
		bigger := make([]pending, 2*n)
		for i := p.head; i < p.next; i++ {
			bigger[i&(2*n-1)] = *p.slot(i)
		}
		p.ring = bigger
	}
	n := p.next
	p.next++
	*p.slot(n) = pending{rec: *r, left: r.Length, done: r.Length == 0}
	p.newest = max(p.newest, r.Time)
	if r.Length == 0 {
		return // a flush without data: nothing tells which completion is its own
	}
	here := place{r.Volume, r.Offset}
	if first := p.find(here); first == 0 {
		p.at.set(here, n)
	} else {
		for p.slot(first).same != 0 {
			first = p.slot(first).same
		}
		p.slot(first).same = n
	}
}

// find is the oldest incomplete I/O that begins here, or was split here; 0: none.
func (p *pairing) find(here place) int64 {
	n := p.at.get(here)
	was := n
	for n != 0 && (n < p.head || p.slot(n).done) {
		if n < p.head {
			n = 0 // given away: those behind it are in the chain no more
			break
		}
		n = p.slot(n).same
	}
	switch {
	case n == was:
	case n == 0:
		p.at.delete(here)
	default:
		p.at.set(here, n)
	}
	return n
}

// split notes that the I/O that begins at from goes on at to.
func (p *pairing) split(volume uint32, from, to int64) {
	n := p.find(place{volume, from})
	there := place{volume, to}
	if n != 0 && p.find(there) == 0 && p.at.used < 4*maxHeld {
		p.at.set(there, n)
	}
}

// issue is a request of so many bytes at offset that went to the driver.
func (p *pairing) issue(volume uint32, offset, length, now int64) {
	p.newest = max(p.newest, now)
	for end := offset + length; offset < end; {
		n := p.find(place{volume, offset})
		for n != 0 && p.slot(n).rec.Issued != 0 && p.slot(n).same != 0 {
			n = p.slot(n).same
		}
		if n == 0 {
			return
		}
		q := p.slot(n)
		if q.rec.Issued == 0 {
			q.rec.Issued = max(1, now-q.rec.Time)
		}
		offset += q.rec.Length
	}
}

// requeue takes an issue back.
func (p *pairing) requeue(volume uint32, offset int64) {
	if n := p.find(place{volume, offset}); n != 0 {
		p.slot(n).rec.Issued = 0
	}
}

// complete is a request of so many bytes at offset that ended.
func (p *pairing) complete(volume uint32, offset, length, now int64, status uint16) {
	p.newest = max(p.newest, now)
	for length > 0 {
		n := p.find(place{volume, offset})
		if n == 0 {
			return
		}
		q := p.slot(n)
		part := min(length, q.left)
		q.left -= part
		if offset != q.rec.Offset {
			p.at.delete(place{volume, offset}) // of a split: this part is over
		}
		offset += part
		length -= part
		if status != 0 {
			q.rec.Status = status
		}
		if q.left == 0 {
			q.done = true
			p.find(place{volume, q.rec.Offset}) // which forgets it, as it is done
			q.rec.Completed = max(1, now-q.rec.Time)
			p.done++
		}
	}
}

// take gives the oldest I/Os that need not wait any longer.
func (p *pairing) take(recs []Record, all bool) int {
	k := 0
	for ; k < len(recs) && p.head < p.next; k++ {
		q := p.slot(p.head)
		if !q.done {
			if !all && p.next-p.head < maxHeld && p.newest-q.rec.Time < longHeld {
				break
			}
			p.lone++
		}
		p.forget(q)
		recs[k] = q.rec
		p.head++
	}
	return k
}

// forget takes the oldest I/O out of the places, so that the next one at its place
// is found.
func (p *pairing) forget(q *pending) {
	here := place{q.rec.Volume, q.rec.Offset}
	if p.at.get(here) != p.head {
		return
	}
	if q.same != 0 {
		p.at.set(here, q.same)
	} else {
		p.at.delete(here)
	}
}
