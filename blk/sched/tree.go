package sched

// tree keeps entries in order of their extents: a treap, whose shape depends only
// on the keys and on a counter, so that a run repeats. A red-black tree, as in
// Linux, has a better worst case and three times the code.
type tree struct {
	root  *Entry
	draws uint64
}

// before is the order: by offset, and entries of one offset by age.
func before(a, b *Entry) bool {
	if a.Off != b.Off {
		return a.Off < b.Off
	}
	return a.priority > b.priority // unique
}

func (t *tree) add(e *Entry) {
	t.draws++
	z := t.draws * 0x9e3779b97f4a7c15 // splitmix64: a bijection, so no two are equal
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	e.priority, e.left, e.right = z^z>>31, nil, nil
	at := &t.root
	for *at != nil && (*at).priority > e.priority {
		if before(e, *at) {
			at = &(*at).left
		} else {
			at = &(*at).right
		}
	}
	// Split what is below into what is before e and what is behind.
	low, high := &e.left, &e.right
	for n := *at; n != nil; {
		if before(n, e) {
			*low, low, n = n, &n.right, n.right
		} else {
			*high, high, n = n, &n.left, n.left
		}
	}
	*low, *high = nil, nil
	*at = e
}

// remove takes out e, which is in the tree.
func (t *tree) remove(e *Entry) {
	at := &t.root
	for *at != e {
		if before(e, *at) {
			at = &(*at).left
		} else {
			at = &(*at).right
		}
	}
	a, b := e.left, e.right
	for a != nil && b != nil {
		if a.priority > b.priority {
			*at, at, a = a, &a.right, a.right
		} else {
			*at, at, b = b, &b.left, b.left
		}
	}
	if a == nil {
		a = b
	}
	*at = a
	e.left, e.right = nil, nil
}

// from is the first entry at or beyond off; nil: none.
func (t *tree) from(off int64) (found *Entry) {
	for n := t.root; n != nil; {
		if n.Off >= off {
			found, n = n, n.left
		} else {
			n = n.right
		}
	}
	return found
}
