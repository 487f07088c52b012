package aio

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStartIsRefusedOnceCancelled(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	require.True(t, k.TryStart())
	k.Requeue()
	require.True(t, k.TryStart(), "it may be tried again")
	k.Requeue()
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.False(t, k.TryStart(), "the device never sees it")
	k.Complete(nil, Cancelled, 0)
	ev := f.event(k)
	require.False(t, ev.Started)
	require.True(t, ev.CancelAsked)

	k = f.submit()
	require.True(t, k.TryStart())
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	k.Complete(nil, OK, 512) // too late for the device
	ev = f.event(k)
	require.Equal(t, []any{OK, true, true}, []any{ev.Status, ev.Started, ev.CancelAsked})
	f.atRest(t)
}

// A completed I/O is completed, also while its result waits for the callback's end.
func TestRequeueAfterCompletionChangesNothing(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	require.True(t, k.TryStart())
	require.NoError(t, k.SetCancelFunc(func(k Kiocb) {
		require.Equal(t, Left, k.Complete(nil, OK, 1))
		k.Requeue()
		require.False(t, k.TryStart())
	}))
	f.Cancel(k.ID())
	require.True(t, f.event(k).Started)
	f.atRest(t)
}

func TestNilCancelFuncPanics(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	require.Panics(t, func() { k.SetCancelFunc(nil) })
	require.NoError(t, k.SetCancelFunc(func(Kiocb) {}), "the attempt did not count")
}

// A callback is for its own I/O: the next one in the slot has none.
func TestCallbackDoesNotOutliveItsIO(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	require.NoError(t, k.SetCancelFunc(func(Kiocb) { t.Error("called for the next I/O") }))
	k.Complete(nil, OK, 0)
	f.event(k)
	next := f.submit()
	require.Equal(t, Accepted, f.Cancel(next.ID()))
	next.Complete(nil, Cancelled, 0)
	f.event(next)
	f.atRest(t)
}

// Inside its callback an I/O answers as what it is: cancelled, registered, not
// startable, still in flight.
func TestInsideTheCallback(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	ran := false
	require.NoError(t, k.SetCancelFunc(func(got Kiocb) {
		ran = true
		require.Equal(t, k, got)
		require.True(t, got.Cancelled())
		require.False(t, got.TryStart())
		require.Equal(t, Accepted, f.Cancel(got.ID()))
		require.Equal(t, 1, f.CancelAll())
		require.Equal(t, 1, f.InFlight())
		require.EqualValues(t, 512, got.Len())
	}))
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.True(t, ran)
	require.Equal(t, Delivered, k.Complete(f.lanes[0], Cancelled, 0))
	f.event(k)
	f.atRest(t)
}

func TestStatsCountWhatIsRare(t *testing.T) {
	f := newFixture(t, 2, 1)
	a, b := f.submit(), f.submit()
	a.Complete(nil, Cancelled, 0)
	b.Complete(nil, Cancelled, 0)
	b.Complete(nil, OK, 0)
	require.Equal(t, Stats{StaleCompletes: 1}, f.Stats())
	require.Len(t, f.events(), 2)
	f.atRest(t)
}

// Of several parts the first decides for all: once one is at its device, a cancel
// keeps no other from it.
func TestTheFirstPartDecidesForAll(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	require.True(t, k.StartPart())
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.True(t, k.StartPart())
	require.False(t, k.TryStart(), "which asks for the whole")
	k.Complete(nil, OK, 1)
	require.False(t, k.StartPart(), "it has ended")
	require.True(t, f.event(k).Started)

	k = f.submit()
	require.Equal(t, Accepted, k.Cancel())
	require.False(t, k.StartPart())
	k.Complete(nil, Cancelled, 0)
	require.False(t, f.event(k).Started)
	f.atRest(t)
}
