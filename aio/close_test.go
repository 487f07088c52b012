package aio

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShutdownAsksEverythingAndTakesNoMore(t *testing.T) {
	f := newFixture(t, 4, 1)
	plain, kicked, started := f.submit(), f.submit(), f.submit()
	kicks := 0
	require.NoError(t, kicked.SetCancelFunc(func(k Kiocb) {
		kicks++
		require.Equal(t, Left, k.Complete(nil, Cancelled, 0))
	}))
	require.True(t, started.TryStart())
	f.Shutdown()
	require.Equal(t, 1, kicks)
	require.True(t, plain.Cancelled())
	require.True(t, started.Cancelled())
	require.False(t, plain.TryStart())
	_, err := f.Submit(f.lanes[0], &f.holder, IO{})
	require.ErrorIs(t, err, ErrClosed)
	require.Equal(t, 2, f.InFlight())
	f.Shutdown()
	require.Equal(t, 1, kicks, "a second Shutdown asks nobody twice")

	plain.Complete(nil, Cancelled, 0)
	started.Complete(f.lanes[0], OK, 3)
	require.Zero(t, f.InFlight())
	require.NoError(t, f.Close(soon(t)))
	require.Len(t, f.events(), 3)
	f.atRest(t)
}

// Shutdown comes while the target starts an I/O, after its walk has passed.
func TestSubmitterCancelsWhatShutdownMissed(t *testing.T) {
	f := newFixture(t, 2, 1)
	f.table.alloc = func() *page { // reserved, and not published
		f.Shutdown()
		return newPage()
	}
	k := f.submit()
	require.True(t, k.Cancelled())
	k.Complete(nil, Cancelled, 0)
	f.event(k)

	f = newFixture(t, 3, 1)
	f.table.alloc = func() *page { f.Shutdown(); return newPage() }
	b := &batches{}
	n, err := f.SubmitBatch(f.lanes[0], b, make([]IO, 3), nil)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	for _, k := range b.ks {
		require.True(t, k.Cancelled())
		k.Complete(nil, Cancelled, 0)
	}
	require.Len(t, f.events(), 3)
	f.atRest(t)
}

func TestCloseWaitsForEveryEvent(t *testing.T) {
	f := newFixture(t, 4, 1)
	queued, inCallback := f.submit(), f.submit()
	enter, leave := make(chan struct{}), make(chan struct{})
	require.NoError(t, inCallback.SetCancelFunc(func(Kiocb) { close(enter); <-leave }))
	go f.Cancel(inCallback.ID())
	<-enter
	closed := make(chan error)
	go func() { closed <- f.Close(soon(t)) }()
	for f.waiters.Load()&waitCloser == 0 {
		time.Sleep(time.Millisecond)
	}
	require.Equal(t, Left, inCallback.Complete(f.lanes[0], OK, 0))
	require.Equal(t, Delivered, queued.Complete(f.lanes[0], Cancelled, 0))
	select {
	case <-closed:
		t.Fatal("closed while a callback runs")
	case <-time.After(20 * time.Millisecond):
	}
	close(leave)
	require.NoError(t, <-closed)
	require.Len(t, f.events(), 2, "they may be reaped afterwards")
	require.NoError(t, f.Close(soon(t)), "again")
	f.atRest(t)
}

func TestCloseEndsWithItsContext(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	ctx, stop := context.WithTimeout(background, 5*time.Millisecond)
	defer stop()
	require.ErrorIs(t, f.Close(ctx), context.DeadlineExceeded)
	require.True(t, k.Cancelled())

	// Also while another Close waits.
	first := make(chan error)
	go func() { first <- f.Close(soon(t)) }()
	for f.waiters.Load()&waitCloser == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, stop = context.WithTimeout(background, 5*time.Millisecond)
	defer stop()
	require.ErrorIs(t, f.Close(ctx), context.DeadlineExceeded)
	k.Complete(nil, Cancelled, 0)
	require.NoError(t, <-first)
}

func TestCloseWithHandler(t *testing.T) {
	h := newHandled(t, 2, 1)
	k := h.submit(t, 0)
	closed := make(chan error)
	go func() { closed <- h.Close(soon(t)) }()
	for h.waiters.Load()&waitCloser == 0 {
		time.Sleep(time.Millisecond)
	}
	k.Complete(h.lanes[0], Cancelled, 0)
	h.lanes[0].run()
	require.NoError(t, <-closed)
	require.Len(t, h.evs, 1)
	h.atRest(t)
}
