package aio

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

// soon fails a test that would otherwise hang.
func soon(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(stop)
	return ctx
}

func TestEventsWithMinZeroNeverWaits(t *testing.T) {
	f := newFixture(t, 4, 2)
	n, err := f.Events(background, 0, make([]Event, 4))
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = f.Events(background, 7, nil)
	require.NoError(t, err, "no room: min is as many as there is room for")
	require.Zero(t, n)
	for i := range 3 {
		f.submit().Complete([]lane.Lane{f.lanes[0], f.lanes[1], nil}[i], OK, int64(i))
	}
	evs := make([]Event, 2)
	n, err = f.Events(background, 0, evs)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.EqualValues(t, 0, evs[0].N)
	require.EqualValues(t, 1, evs[1].N)
	n, err = f.Events(background, 1, evs)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.EqualValues(t, 2, evs[0].N)
	f.atRest(t)
}

func TestEventsWaitsForMin(t *testing.T) {
	f := newFixture(t, 4, 1)
	for range 3 {
		f.submit()
	}
	type result struct {
		n   int
		err error
	}
	got := make(chan result)
	go func() {
		n, err := f.Events(soon(t), 2, make([]Event, 4))
		got <- result{n, err}
	}()
	for f.waiters.Load()&waitReaper == 0 {
		time.Sleep(time.Millisecond)
	}
	f.ks[0].Complete(nil, OK, 0)
	select {
	case r := <-got:
		t.Fatalf("%+v with one event of two", r)
	case <-time.After(20 * time.Millisecond):
	}
	f.ks[1].Complete(f.lanes[0], OK, 0)
	require.Equal(t, result{2, nil}, <-got)
	require.Zero(t, f.waiters.Load(), "nobody sleeps")
	f.ks[2].Complete(nil, OK, 0)
	f.event(f.ks[2])
	f.atRest(t)
}

func TestEventsEndsWithItsContext(t *testing.T) {
	f := newFixture(t, 4, 1)
	ctx, stop := context.WithTimeout(background, 5*time.Millisecond)
	defer stop()
	f.submit().Complete(nil, OK, 0)
	f.submit()
	evs := make([]Event, 4)
	n, err := f.Events(ctx, 2, evs)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 1, n, "what there is counts")
	require.Equal(t, f.ks[0].ID(), evs[0].ID)
}

// Who waits behind another reaper keeps its own deadline, and who does not want to
// wait does not.
func TestEventsEndsWithItsContextBehindAnother(t *testing.T) {
	f := newFixture(t, 1, 1)
	f.submit()
	first := make(chan int)
	go func() {
		n, _ := f.Events(soon(t), 1, make([]Event, 1))
		first <- n
	}()
	for f.waiters.Load()&waitReaper == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, stop := context.WithTimeout(background, 5*time.Millisecond)
	defer stop()
	began := time.Now()
	n, err := f.Events(ctx, 1, make([]Event, 1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Zero(t, n)
	n, err = f.Events(background, 0, make([]Event, 1))
	require.NoError(t, err)
	require.Zero(t, n)
	require.Less(t, time.Since(began), 10*time.Second)

	third := make(chan int)
	go func() {
		n, _ := f.Events(soon(t), 1, make([]Event, 1))
		third <- n
	}()
	f.last().Complete(nil, OK, 0)
	got := 0
	select {
	case got = <-first:
	case got = <-third: // was first after all
	}
	require.Equal(t, 1, got)
	f.submit().Complete(nil, OK, 0)
	select {
	case got = <-first:
	case got = <-third:
	}
	require.Equal(t, 1, got, "the turn was handed on")
	f.atRest(t)
}

func TestEventsOfAClosedContext(t *testing.T) {
	f := newFixture(t, 4, 1)
	f.submit()
	f.submit()
	f.Shutdown()
	f.ks[0].Complete(nil, Cancelled, 0)
	ended := make(chan error)
	go func() {
		n, err := f.Events(soon(t), 3, make([]Event, 4))
		if n != 2 {
			t.Errorf("%d events, want 2", n)
		}
		ended <- err
	}()
	for f.waiters.Load()&waitReaper == 0 {
		time.Sleep(time.Millisecond)
	}
	f.ks[1].Complete(f.lanes[0], Cancelled, 0)
	require.ErrorIs(t, <-ended, ErrClosed)
	n, err := f.Events(soon(t), 1, make([]Event, 4))
	require.ErrorIs(t, err, ErrClosed)
	require.Zero(t, n)
	f.atRest(t)
}

// handled is a context with a handler, and what it got.
type handled struct {
	*Context
	lanes []*fakeLane
	holder
	evs     []Event
	on      []lane.Lane
	inside  bool
	handler func(evs []Event) // if set
}

func newHandled(t *testing.T, capacity, lanes int) *handled {
	h := &handled{}
	var ls []lane.Lane
	h.lanes, ls = fakeLanes(lanes)
	var err error
	h.Context, err = New(Options{Capacity: capacity, Lanes: ls, OnEvents: func(l lane.Lane, evs []Event) {
		require.False(t, h.inside, "the handler was called inside itself")
		h.inside = true
		h.evs = append(h.evs, evs...)
		for range evs {
			h.on = append(h.on, l)
		}
		if h.handler != nil {
			h.handler(evs)
		}
		h.inside = false
	}})
	require.NoError(t, err)
	return h
}

func (h *handled) submit(t *testing.T, li int) Kiocb {
	_, err := h.Submit(h.lanes[li], &h.holder, IO{})
	require.NoError(t, err)
	return h.last()
}

func TestHandlerRunsOnTheCompletingLaneNeverInline(t *testing.T) {
	h := newHandled(t, 8, 2)
	var ks []Kiocb
	for _, l := range []lane.Lane{h.lanes[0], h.lanes[1], h.lanes[1], nil, nil} {
		k := h.submit(t, 0)
		ks = append(ks, k)
		require.Equal(t, Delivered, k.Complete(l, OK, 0))
		require.Empty(t, h.evs, "handled inline")
	}
	require.Len(t, h.lanes[0].posted, 2, "one post for the lane's own ring and one for the outside's")
	require.Len(t, h.lanes[1].posted, 1, "one post for two events")
	h.lanes[1].run()
	require.Len(t, h.evs, 2)
	require.Equal(t, []lane.Lane{h.lanes[1], h.lanes[1]}, h.on)
	h.lanes[0].run()
	require.Len(t, h.evs, 5)
	for _, l := range h.on[2:] {
		require.Equal(t, lane.Lane(h.lanes[0]), l)
	}
	require.Equal(t, []ID{ks[1].ID(), ks[2].ID(), ks[0].ID(), ks[3].ID(), ks[4].ID()},
		[]ID{h.evs[0].ID, h.evs[1].ID, h.evs[2].ID, h.evs[3].ID, h.evs[4].ID})
	require.Panics(t, func() { h.Events(background, 0, make([]Event, 1)) })
	h.atRest(t)
}

// A handler that submits to a target that completes at once is called again from
// the lane's loop, and finds the places of the events that it was given.
func TestHandlerSubmits(t *testing.T) {
	h := newHandled(t, 2, 1)
	l := h.lanes[0]
	h.handler = func(evs []Event) {
		for range evs {
			if len(h.evs) < 20 {
				_, err := h.Submit(l, null{}, IO{})
				require.NoError(t, err, "the place is free by now")
			}
		}
	}
	for range 2 {
		_, err := h.Submit(l, null{}, IO{})
		require.NoError(t, err)
	}
	l.run()
	require.GreaterOrEqual(t, len(h.evs), 20)
	require.LessOrEqual(t, len(h.evs), 22)
	h.atRest(t)
}

func TestHandlerGetsMoreThanOneDrain(t *testing.T) {
	const n = 3*drainBatch + 1
	h := newHandled(t, n, 1)
	most := 0
	h.handler = func(evs []Event) { most = max(most, len(evs)) }
	for range n {
		_, err := h.Submit(h.lanes[0], null{}, IO{})
		require.NoError(t, err)
	}
	require.Len(t, h.lanes[0].posted, 1)
	h.lanes[0].run()
	require.Len(t, h.evs, n)
	require.Equal(t, drainBatch, most)
	h.atRest(t)
}
