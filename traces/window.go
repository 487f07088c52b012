package traces

// window puts records in order of time as far as it looks ahead.
//
// Most traces are in order but for a few records. So a record that is not older
// than all before it goes to the end of a ring, in constant time, and only a late
// one goes to a heap; the next record is the older of the two heads. A heap alone
// costs a walk of 16 levels for every record of a dense trace, and a sorted ring
// with insertion moves the whole ring for each record of a reversed one.
//
// Ties keep the order of the input: a late record is younger in the input than any
// ring record of its time, which were appended while that was the highest time, and
// late records compare their lines.
type window struct {
	ring    []Record // a power of two of places
	head, n int
	late    []Record // min-heap by (Time, Line)
	oldest  int64    // time of the next record, if there is one
	newest  int64    // highest time kept
	span    int64    // how far to look ahead, ns
	max     int      // and how many records, at least 1
}

func (w *window) len() int { return w.n + len(w.late) }

// ready says whether nothing within the window can come before the oldest record.
func (w *window) ready() bool {
	k := w.len()
	return k > 0 && (k >= w.max || w.newest-w.oldest > w.span)
}

// slot is the place behind the newest record, for one that keep appends.
func (w *window) slot() *Record {
	if w.n == len(w.ring) {
		w.grow()
	}
	return &w.ring[(w.head+w.n)&(len(w.ring)-1)]
}

// keep appends the record in slot, which is not older than any before it.
func (w *window) keep(t int64) {
	w.newest = t
	w.n++
	if w.n == 1 && len(w.late) == 0 {
		w.oldest = t
	}
}

func (w *window) grow() {
	bigger := make([]Record, max(64, 2*len(w.ring)))
	k := copy(bigger, w.ring[w.head:])
	copy(bigger[k:], w.ring[:w.head])
	w.ring, w.head = bigger, 0
}

// pop takes the oldest record. There must be one.
func (w *window) pop(r *Record) {
	if len(w.late) > 0 && (w.n == 0 || w.late[0].Time < w.ring[w.head].Time) {
		*r = w.late[0]
		w.popLate()
	} else {
		*r = w.ring[w.head]
		w.head = (w.head + 1) & (len(w.ring) - 1)
		w.n--
	}
	if w.n > 0 {
		w.oldest = w.ring[w.head].Time
		if len(w.late) > 0 {
			w.oldest = min(w.oldest, w.late[0].Time)
		}
	} else if len(w.late) > 0 {
		w.oldest = w.late[0].Time
	}
}

func older(a, b *Record) bool {
	return a.Time < b.Time || a.Time == b.Time && a.Line < b.Line
}

// pushLate takes a record that is older than the newest.
func (w *window) pushLate(r *Record) {
	if w.len() == 0 || r.Time < w.oldest {
		w.oldest = r.Time
	}
	w.late = append(w.late, *r)
	h := w.late
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !older(&h[i], &h[up]) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (w *window) popLate() {
	last := len(w.late) - 1
	w.late[0] = w.late[last]
	w.late = w.late[:last]
	h := w.late
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return
		}
		if down+1 < last && older(&h[down+1], &h[down]) {
			down++
		}
		if !older(&h[down], &h[i]) {
			return
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
}
