package driver

import (
	"sync/atomic"

	"blksim/aio/lane"
)

// Optional is what a Queue can do beyond Submit; nil: it cannot.
type Optional struct {
	Canceler  Canceler
	Committer Committer
	Poller    Poller
}

// OptionalOf finds out what q can do. It is asked once, when a queue is opened.
func OptionalOf(q Queue) (o Optional) {
	o.Canceler, _ = q.(Canceler)
	o.Committer, _ = q.(Committer)
	o.Poller, _ = q.(Poller)
	return o
}

// With makes a Queue of q's Submit that can do what o says, and nothing else,
// whatever q can do. A driver that wraps another uses it so that its queue has
// Cancel, say, only if it can keep that promise: a method that is there but does
// nothing would have the block layer wait in vain.
func (o Optional) With(q Queue) Queue {
	s := submitter{q}
	c, m, p := o.Canceler, o.Committer, o.Poller
	switch {
	case c != nil && m != nil && p != nil:
		return struct {
			submitter
			Canceler
			Committer
			Poller
		}{s, c, m, p}
	case c != nil && m != nil:
		return struct {
			submitter
			Canceler
			Committer
		}{s, c, m}
	case c != nil && p != nil:
		return struct {
			submitter
			Canceler
			Poller
		}{s, c, p}
	case m != nil && p != nil:
		return struct {
			submitter
			Committer
			Poller
		}{s, m, p}
	case c != nil:
		return struct {
			submitter
			Canceler
		}{s, c}
	case m != nil:
		return struct {
			submitter
			Committer
		}{s, m}
	case p != nil:
		return struct {
			submitter
			Poller
		}{s, p}
	}
	return s
}

// submitter is a Queue's Submit alone.
type submitter struct{ Queue }

// WithoutCancel is d with the cancel callback of its queues left out: the same
// driver in the other flavour.
func WithoutCancel(d Driver) Driver {
	if r, ok := d.(Resetter); ok {
		return struct {
			withoutCancel
			Resetter
		}{withoutCancel{d}, r}
	}
	return withoutCancel{d}
}

type withoutCancel struct{ Driver }

func (d withoutCancel) OpenQueue(l lane.Lane, qid, depth int) (Queue, error) {
	q, err := d.Driver.OpenQueue(l, qid, depth)
	if err != nil {
		return nil, err
	}
	can := OptionalOf(q)
	can.Canceler = nil
	return can.With(q), nil
}

// OnEach runs f(i) on each lane i, and then, on the lane that was last, done: how
// a driver that is asked on any lane does something in all of its queues. It does
// not wait. With no lanes done runs at once.
func OnEach(lanes []lane.Lane, f func(i int), done func()) {
	if len(lanes) == 0 {
		done()
		return
	}
	left := new(atomic.Int64)
	left.Store(int64(len(lanes)))
	for i, l := range lanes {
		l.Post(func() {
			f(i)
			if left.Add(-1) == 0 {
				done()
			}
		})
	}
}
