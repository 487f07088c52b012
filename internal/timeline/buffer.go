package timeline

import "slices"

// buffer keeps so much of a stream as there is room for: the first of it, or the
// last and what else is wanted.
type buffer[T any] struct {
	most    int
	kept    []T
	next    int  // of last: the oldest of kept, once it is full
	saved   []T  // of last: what is wanted and has left kept
	partial bool // of last: something has left kept
	dropped int64
}

// first keeps v if there is room, and says whether.
func (b *buffer[T]) first(v T) bool {
	if len(b.kept) == b.most {
		b.dropped++
		return false
	}
	b.kept = append(b.kept, v)
	return true
}

// last keeps v, at an index of kept, in the place of the oldest if there is no
// room. That one is saved if it is wanted by now: what is wanted changes, and is
// known only at the end.
func (b *buffer[T]) last(v T, wanted func(*T) bool) (at int) {
	if len(b.kept) < b.most {
		b.kept = append(b.kept, v)
		return len(b.kept) - 1
	}
	b.partial = true
	at = b.next
	if wanted(&b.kept[at]) {
		if len(b.saved) == b.most {
			b.saved = slices.DeleteFunc(b.saved, func(v T) bool { return !wanted(&v) })
		}
		if len(b.saved) < b.most {
			b.saved = append(b.saved, b.kept[at])
		} else {
			b.dropped++
		}
	}
	b.kept[at] = v
	b.next = (at + 1) % b.most
	return at
}

// all is what is there, in the order in which it came.
func (b *buffer[T]) all() []T { return slices.Concat(b.saved, b.kept[b.next:], b.kept[:b.next]) }
