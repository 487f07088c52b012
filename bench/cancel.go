package main

import (
	"context"
	"fmt"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/bench/figures"
)

const (
	many = 64 << 10
	few  = 1 << 10
)

// cancelRows cancel one of many outstanding I/Os, reap it and submit another in
// its place, again and again.
func cancelRows() []row {
	return []row{
		{"cancel-64k-vs-uring-poll", "of io_uring's time to cancel a poll", figures.AtMost(1.0/150, 1.0/250), func(m *meter) (*figures.Reading, error) {
			polls, end, err := pollCancels(many)
			if err != nil {
				return nil, err
			}
			defer end()
			l, err := newCancelLoop(many)
			if err != nil {
				return nil, err
			}
			return m.compare("aio", onCPU(l.piece), "io_uring", onCPU(polls))
		}},
		{"cancel-64k-vs-1k", "of the time with 1 k outstanding", figures.AtMost(2, 1.5), func(m *meter) (*figures.Reading, error) {
			a, err := newCancelLoop(many)
			if err != nil {
				return nil, err
			}
			b, err := newCancelLoop(few)
			if err != nil {
				return nil, err
			}
			return m.compare("64 k", onCPU(a.piece), "1 k", onCPU(b.piece))
		}},
	}
}

// untilCancelled is a target whose I/Os end by their cancel callback and not
// otherwise, as a poll of a descriptor on which nothing happens.
type untilCancelled struct{}

var endHook = aio.NewHook(func(k aio.Kiocb) { k.Complete(nil, aio.Cancelled, 0) })

func (untilCancelled) Start(_ lane.Lane, k aio.Kiocb) {
	if err := k.SetHook(endHook); err != nil {
		panic("bench: " + err.Error())
	}
}

// cancelLoop keeps as many I/Os outstanding as its context has room for.
//
// The victims are drawn without putting back: the IDs lie in a random order, and
// are gone through in it. So what is measured is the cancel of any of them, and not
// the miss in the cache when the user looks up its ID. A new I/O takes the place of
// the old one, in the order as in the context.
type cancelLoop struct {
	ctx    *aio.Context
	lane   benchLane
	target untilCancelled
	ids    []aio.ID
	next   int
	evs    [1]aio.Event
}

func newCancelLoop(n int) (*cancelLoop, error) {
	l := &cancelLoop{ids: make([]aio.ID, n)}
	var err error
	l.ctx, err = aio.New(aio.Options{Capacity: n, Lanes: []lane.Lane{&l.lane}})
	for i := 0; i < n && err == nil; i++ {
		l.ids[i], err = l.submit()
	}
	shuffle(l.ids)
	return l, err
}

func (l *cancelLoop) submit() (aio.ID, error) {
	return l.ctx.Submit(&l.lane, l.target, aio.IO{Op: aio.OpRead, Len: 4096})
}

func (l *cancelLoop) piece() (ops int, err error) {
	for ; ops < pieceOps; ops++ {
		victim := &l.ids[l.next]
		if l.next++; l.next == len(l.ids) {
			l.next = 0
		}
		if r := l.ctx.CancelOn(&l.lane, *victim); r != aio.Accepted {
			return ops, fmt.Errorf("cancel of an outstanding I/O: %v", r)
		}
		n, err := l.ctx.Events(context.Background(), 1, l.evs[:])
		if err != nil {
			return ops, err
		}
		if ev := &l.evs[0]; n != 1 || ev.ID != *victim || ev.Status != aio.Cancelled {
			return ops, fmt.Errorf("event of I/O %v with status %v: want that of %v, cancelled", ev.ID, ev.Status, *victim)
		}
		if *victim, err = l.submit(); err != nil {
			return ops, err
		}
	}
	return ops, nil
}

// shuffle puts xs in a random order, the same each time.
func shuffle[T any](xs []T) {
	r := random(1)
	for i := len(xs) - 1; i > 0; i-- {
		j := r.below(i + 1)
		xs[i], xs[j] = xs[j], xs[i]
	}
}
