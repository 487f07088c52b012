package blk

import "blksim/blk/tagset"

// tags are a queue's right to have requests with the driver: a tag for each, and
// where there is a budget a piece of it. The tags of a queue that shares none are
// a list of its own.
type tags struct {
	free     []int // with nothing to do
	reserved int   // of these, kept for what others wait for
	set      *tagset.User
	budget   *tagset.User
	paid     []int // by tag: which of the budget's it holds
}

func (t *tags) init(h *hwQueue, depth int, budget *tagset.Set) {
	if budget != nil {
		t.budget = budget.Join(h.lane, h.wakeFn)
		t.paid = make([]int, depth)
	}
	if set := h.disk.opts.Tags; set != nil {
		t.set = set.Join(h.lane, h.wakeFn)
		return
	}
	t.reserved = h.disk.opts.ReservedTags
	for tag := depth - 1; tag >= 0; tag-- {
		t.free = append(t.free, tag)
	}
}

// get takes a tag. urgent: a reserved one will do. Where it finds none of a shared
// set, the queue is woken when there may be one; of its own, by its completions.
func (t *tags) get(urgent bool) (tag int, ok bool) {
	switch n := len(t.free); {
	case t.set != nil:
		tag, ok = t.set.Take()
	case n > t.reserved, n > 0 && urgent:
		tag, ok = t.free[n-1], true
		t.free = t.free[:n-1]
	}
	if !ok || t.budget == nil {
		return tag, ok
	}
	if t.paid[tag], ok = t.budget.Take(); !ok {
		t.putTag(tag)
	}
	return tag, ok
}

// own takes one of the queue's own tags; there is one.
func (t *tags) own() (tag int) {
	n := len(t.free) - 1
	tag = t.free[n]
	t.free = t.free[:n]
	return tag
}

func (t *tags) putOwn(tag int) { t.free = append(t.free, tag) }

// put gives a tag back, and what it took of the budget.
func (t *tags) put(tag int) {
	t.putTag(tag)
	if t.budget != nil {
		t.budget.Give(t.paid[tag])
	}
}

func (t *tags) putTag(tag int) {
	if t.set != nil {
		t.set.Give(tag)
	} else {
		t.putOwn(tag)
	}
}

func (t *tags) shared() bool { return t.set != nil || t.budget != nil }

// each calls f for the sets that the queue shares.
func (t *tags) each(f func(u *tagset.User)) {
	if t.set != nil {
		f(t.set)
	}
	if t.budget != nil {
		f(t.budget)
	}
}

func (t *tags) pass()  { t.each((*tagset.User).Pass) }
func (t *tags) idle()  { t.each((*tagset.User).Idle) }
func (t *tags) leave() { t.each((*tagset.User).Leave) }
