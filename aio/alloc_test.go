package aio

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

func kick(Kiocb) {}

// cancelled registers a callback that was made before, is cancelled, and
// completes.
type cancelled struct{}

func (cancelled) Start(l lane.Lane, k Kiocb) {
	k.SetCancelFunc(kick)
	k.c.Cancel(k.id)
	if !k.TryStart() {
		k.Complete(l, Cancelled, 0)
	}
}

func TestNoAllocationPerIO(t *testing.T) {
	fakes, lanes := fakeLanes(1)
	l := lanes[0]
	waiting, err := New(Options{Capacity: 64, Lanes: lanes})
	require.NoError(t, err)
	handled := 0
	handling, err := New(Options{Capacity: 64, Lanes: lanes, OnEvents: func(_ lane.Lane, evs []Event) { handled += len(evs) }})
	require.NoError(t, err)
	ios, ids, evs := make([]IO, 32), make([]ID, 32), make([]Event, 64)
	buf := make([]byte, 512)
	reap := func(min int) {
		if n, err := waiting.Events(background, min, evs); n != min || err != nil {
			t.Fatal(n, err)
		}
	}
	for name, f := range map[string]func(){
		"single":  func() { waiting.Submit(l, null{}, IO{Len: 512, Buf: buf}); reap(1) },
		"batch":   func() { waiting.SubmitBatch(l, nullBatch{}, ios, ids); reap(32) },
		"cancel":  func() { waiting.Submit(l, cancelled{}, IO{Len: 512, Buf: buf}); reap(1) },
		"outside": func() { waiting.Submit(l, outside{}, IO{Len: 512, Buf: buf}); reap(1) },
		"handler": func() { handling.Submit(l, null{}, IO{Len: 512, Buf: buf}); fakes[0].run() },
		"handled batch": func() {
			handling.SubmitBatch(l, nullBatch{}, ios, ids)
			fakes[0].run()
		},
	} {
		f() // makes the page, the ring and the lane's slices
		f()
		require.Zero(t, testing.AllocsPerRun(500, f), name)
	}
	require.Greater(t, handled, 32*500)
	waiting.atRest(t)
	handling.atRest(t)
}

// outside completes on no lane.
type outside struct{}

func (outside) Start(_ lane.Lane, k Kiocb) { k.Complete(nil, OK, 0) }
