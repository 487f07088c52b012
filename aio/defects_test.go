package aio

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

// The defects of the 2013 patch, each with the test that fails if we had it:
//
//	(a) no callback: cancelling never ends            TestDefectA_CancelWithoutCallbackEnds
//	(b) lookup reads one past the last id             TestDefectB_FirstAndLastID
//	(c) a failed page allocation leaks the tag        TestDefectC_FailedPageConservesTags
//	(d) the slot is reused under a canceller          TestDefectD_CancelNeverHitsReusedKiocb
//	(e) a registration overwrites a running cancel    TestDefectE_RegistrationLosesNoCancel
//	(f) completion passes the immediate callback      TestDefectF_ImmediateCallbackHoldsOffCompletion
//	(g) a late registration calls back                TestDefectG_LateRegistrationIsRefused
//	(h) a failed submit leaves a cancellable slot     TestDefectH_FailedSubmitLeavesNothing
//	(i) the completer leaves without its claim        TestDefectI_CompleteClaimsBeforeItLeaves
//	(j) answers say nothing                           TestDefectJ_ThreeAnswers
//	(k) a cancel before publishing is lost            TestDefectK_UnpublishedIsNotFound
//	(l) the completer waits for the callback          TestDefectL_CompleteNeverWaits
//	(m) the slot is freed after the last reference    TestDefectM_SlotIsFreeFirst
//
// Where a defect needs a race, the test stands in the window: inside the callback,
// inside the page's allocation, inside the Post of the completion.

func TestDefectA_CancelWithoutCallbackEnds(t *testing.T) {
	f := newFixture(t, 4, 1)
	k := f.submit()
	require.False(t, k.Cancelled())
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.True(t, k.Cancelled())
	require.Equal(t, Delivered, k.Complete(f.lanes[0], Cancelled, 0))
	ev := f.event(k)
	require.Equal(t, Cancelled, ev.Status)
	require.True(t, ev.CancelAsked)
	f.atRest(t)
}

func TestDefectB_FirstAndLastID(t *testing.T) {
	for _, capacity := range []int{1, 10, pageSlots - 1, pageSlots, pageSlots + 1, 2 * pageSlots} {
		f := newFixture(t, capacity, 1)
		seen := map[uint32]bool{}
		for range capacity {
			seen[f.submit().ID().index()] = true
		}
		require.True(t, seen[0] && seen[uint32(capacity-1)], "first and last index are used")

		beyond := []uint32{uint32(capacity), uint32(capacity + 1), uint32(len(f.table.pages) * pageSlots), indexMask}
		for _, index := range beyond {
			p := f.table.find(index)
			if p != nil { // in the last page, but not one of ours: as good as another's memory
				p.slots[index%pageSlots].word.Store(wordOf(1, stateLive))
			}
			require.Equal(t, NotFound, f.Cancel(makeID(1, index)), "index %d of %d", index, capacity)
			if p != nil {
				require.Equal(t, wordOf(1, stateLive), f.word(index), "untouched")
			}
		}

		require.Equal(t, Accepted, f.Cancel(makeID(1, 0)))
		require.Equal(t, Accepted, f.Cancel(makeID(1, uint32(capacity-1))))
		require.Equal(t, capacity, f.CancelAll(), "the walk visits each, and no more")
		for _, k := range f.ks {
			require.True(t, k.Cancelled())
			k.Complete(nil, Cancelled, 0)
		}
		require.Len(t, f.events(), capacity)
	}
}

func TestDefectC_FailedPageConservesTags(t *testing.T) {
	f := newFixture(t, 2*pageSlots, 1)
	fail := func() *page { return nil }
	f.table.alloc = fail
	for range 3 * pageSlots { // more often than there are tags
		_, err := f.Submit(f.lanes[0], &f.holder, IO{})
		require.ErrorIs(t, err, ErrNoMemory)
		f.atRest(t)
	}
	n, err := f.SubmitBatch(f.lanes[0], &f.holder, make([]IO, 40), nil)
	require.ErrorIs(t, err, ErrNoMemory)
	require.Zero(t, n)
	f.atRest(t)

	f.table.alloc = newPage
	f.submit() // makes one page of the two
	f.table.alloc = fail
	n, err = f.SubmitBatch(f.lanes[0], &f.holder, make([]IO, 2*pageSlots-1), nil)
	require.ErrorIs(t, err, ErrNoMemory)
	require.Len(t, f.ks, 1+n)
	require.Less(t, n, pageSlots)
	require.Equal(t, 2*pageSlots-1-n, f.tags.count())
	require.Equal(t, 1+n, f.InFlight())

	f.table.alloc = newPage
	for len(f.ks) < f.Capacity() {
		f.submit()
	}
	for _, k := range f.ks {
		k.Complete(nil, OK, 0)
	}
	require.Len(t, f.events(), f.Capacity())
	f.atRest(t)
}

func TestDefectD_CancelNeverHitsReusedKiocb(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	before := f.word(0) // as a canceller read it that now falls asleep
	require.Equal(t, Delivered, k.Complete(f.lanes[0], OK, 1))
	f.event(k)
	next := f.submit()
	require.Equal(t, k.ID().index(), next.ID().index(), "the slot is used again")

	word := f.word(0)
	require.NotEqual(t, before, word, "the sleeping canceller's CAS must fail")
	require.Equal(t, NotFound, f.Cancel(k.ID()))
	require.ErrorIs(t, k.SetCancelFunc(func(Kiocb) { t.Fatal("stale callback") }), ErrCompleted)
	require.False(t, k.TryStart())
	k.Requeue()
	require.Equal(t, Stale, k.Complete(f.lanes[0], IOError, 0))
	require.False(t, k.Cancelled())
	require.Equal(t, word, f.word(0), "a stale handle wrote to the slot")
	next.Complete(f.lanes[0], OK, 2)
	ev := f.event(next)
	require.Equal(t, []any{OK, int64(2), false}, []any{ev.Status, ev.N, ev.CancelAsked})
}

func TestDefectE_RegistrationLosesNoCancel(t *testing.T) {
	// While the callback runs.
	f := newFixture(t, 1, 1)
	k := f.submit()
	calls := 0
	never := func(Kiocb) { t.Error("the second callback was called") }
	require.NoError(t, k.SetCancelFunc(func(k Kiocb) {
		calls++
		require.ErrorIs(t, k.SetCancelFunc(never), ErrCancelFuncSet)
		require.Equal(t, Accepted, f.Cancel(k.ID()), "already accepted")
	}))
	require.ErrorIs(t, k.SetCancelFunc(never), ErrCancelFuncSet)
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.Equal(t, 1, calls)
	require.ErrorIs(t, k.SetCancelFunc(never), ErrCancelFuncSet)
	require.True(t, k.Cancelled())
	require.Equal(t, Delivered, k.Complete(nil, Cancelled, 0))
	require.True(t, f.event(k).CancelAsked)

	// While the callback is being stored.
	k = f.submit()
	a := &f.table.slot(0).word
	require.Equal(t, armStore, armBegin(a, k.ID()))
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.ErrorIs(t, k.SetCancelFunc(never), ErrCancelFuncSet)
	require.Equal(t, armRun, armFinish(a), "the registrar runs it")
	cancelFinish(a)
	require.Equal(t, Delivered, k.Complete(nil, Cancelled, 0))
	f.event(k)
	f.atRest(t)
}

func TestDefectF_ImmediateCallbackHoldsOffCompletion(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	calls := 0
	require.NoError(t, k.SetCancelFunc(func(k Kiocb) {
		calls++
		require.Equal(t, Left, k.Complete(f.lanes[0], Cancelled, 3))
		require.Empty(t, f.events(), "delivered while the callback runs")
		require.Equal(t, 1, f.InFlight())
		require.True(t, k.Cancelled())
	}))
	require.Equal(t, 1, calls)
	ev := f.event(k)
	require.Equal(t, []any{Cancelled, int64(3)}, []any{ev.Status, ev.N})
	f.atRest(t)
}

func TestDefectG_LateRegistrationIsRefused(t *testing.T) {
	f := newFixture(t, 1, 1)
	never := func(Kiocb) { t.Error("called back on a finished kiocb") }
	for _, cancelled := range []bool{false, true} {
		k := f.submit()
		if cancelled {
			f.Cancel(k.ID())
		}
		a := &f.table.slot(0).word
		completeBegin(a, k.ID()) // completed, and not yet posted
		require.ErrorIs(t, k.SetCancelFunc(never), ErrCompleted, "DONE")
		require.Equal(t, cancelled, k.Cancelled(), "completed is not cancelled")
		require.Equal(t, TooLate, f.Cancel(k.ID()))
		f.post(nil, k.ID().index())
		require.Len(t, f.events(), 1)
		require.ErrorIs(t, k.SetCancelFunc(never), ErrCompleted, "FREE")
		require.Equal(t, NotFound, f.Cancel(k.ID()))

		next := f.submit()
		require.ErrorIs(t, k.SetCancelFunc(never), ErrCompleted, "used again")
		require.Equal(t, Accepted, f.Cancel(next.ID()))
		next.Complete(nil, Cancelled, 0)
		f.event(next)
	}
	f.atRest(t)
}

func TestDefectH_FailedSubmitLeavesNothing(t *testing.T) {
	nothing := func(f *fixture) {
		t.Helper()
		require.Zero(t, f.CancelAll(), "I/Os that can be cancelled")
		f.atRest(t)
	}
	f := newFixture(t, 1, 1)
	f.table.alloc = func() *page { return nil }
	_, err := f.Submit(f.lanes[0], &f.holder, IO{})
	require.ErrorIs(t, err, ErrNoMemory)
	nothing(f)

	f.table.alloc = newPage
	k := f.submit()
	_, err = f.Submit(f.lanes[0], &f.holder, IO{})
	require.ErrorIs(t, err, ErrFull)
	k.Complete(nil, OK, 0)
	f.event(k)
	nothing(f)

	// Shutdown comes in the middle of a submit: it succeeds, and is cancelled, or
	// it fails and leaves nothing.
	f = newFixture(t, 1, 1)
	f.table.alloc = func() *page { f.Shutdown(); return newPage() }
	_, err = f.Submit(f.lanes[0], &f.holder, IO{})
	if err == nil {
		require.True(t, f.last().Cancelled())
		f.last().Complete(nil, Cancelled, 0)
		require.Len(t, f.events(), 1)
	}
	nothing(f)
	_, err = f.Submit(f.lanes[0], &f.holder, IO{})
	require.ErrorIs(t, err, ErrClosed)
	nothing(f)
}

func TestDefectI_CompleteClaimsBeforeItLeaves(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	require.NoError(t, k.SetCancelFunc(func(k Kiocb) {
		require.Equal(t, Left, k.Complete(nil, OK, 1))
		require.Equal(t, Stale, k.Complete(nil, IOError, 2), "the first one has the claim")
		require.Empty(t, f.events())
	}))
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.Equal(t, Stale, k.Complete(nil, IOError, 3))
	ev := f.event(k)
	require.Equal(t, []any{OK, int64(1)}, []any{ev.Status, ev.N})
	require.EqualValues(t, 2, f.Stats().StaleCompletes)
	f.atRest(t)
}

func TestDefectJ_ThreeAnswers(t *testing.T) {
	f := newFixture(t, 1, 1)
	require.Equal(t, NotFound, f.Cancel(0), "the zero ID")
	require.Equal(t, NotFound, f.Cancel(makeID(1, 0)), "never submitted")
	k := f.submit()
	require.Equal(t, NotFound, f.Cancel(makeID(k.ID().gen()+1, 0)), "another generation")
	require.Equal(t, Accepted, f.Cancel(k.ID()))
	require.Equal(t, Accepted, f.Cancel(k.ID()), "accepted before")
	k.Complete(nil, Cancelled, 0)
	require.Equal(t, TooLate, f.Cancel(k.ID()), "its event waits")
	f.event(k)
	require.Equal(t, NotFound, f.Cancel(k.ID()), "delivered")

	k = f.submit()
	require.NoError(t, k.SetCancelFunc(func(Kiocb) {}))
	a := &f.table.slot(0).word
	completeBegin(a, k.ID())
	require.Equal(t, TooLate, f.Cancel(k.ID()), "its event is on its way")
	f.post(nil, k.ID().index())
	f.event(k)

	k = f.submit()
	require.Equal(t, armStore, armBegin(a, k.ID()))
	require.Equal(t, Left, k.Complete(nil, OK, 0))
	require.Equal(t, TooLate, f.Cancel(k.ID()), "its result is left for the registrar")
	require.Equal(t, armDeliver, armFinish(a))
	f.post(nil, k.ID().index())
	require.False(t, f.event(k).CancelAsked)

	require.Equal(t, []string{"accepted", "too late", "not found"},
		[]string{Accepted.String(), TooLate.String(), NotFound.String()})
}

func TestDefectK_UnpublishedIsNotFound(t *testing.T) {
	f := newFixture(t, 1, 1)
	first := makeID(1, 0)
	f.table.alloc = func() *page {
		require.Equal(t, NotFound, f.Cancel(first), "no page yet")
		return newPage()
	}
	k := f.submit()
	require.Equal(t, first, k.ID())
	require.False(t, k.Cancelled(), "the cancel from before was kept")
	k.Complete(nil, OK, 0)
	require.False(t, f.event(k).CancelAsked)

	second := makeID(2, 0)
	require.Equal(t, NotFound, f.Cancel(second), "the slot is free")
	k = f.submit()
	require.Equal(t, second, k.ID())
	require.False(t, k.Cancelled(), "the cancel from before was kept")
	k.Complete(nil, OK, 0)
	f.event(k)
	f.atRest(t)
}

func TestDefectL_CompleteNeverWaits(t *testing.T) {
	f := newFixture(t, 1, 1)
	k := f.submit()
	var mu sync.Mutex // the driver's, which both sides take
	running, cancelled := make(chan struct{}), make(chan CancelResult)
	require.NoError(t, k.SetCancelFunc(func(Kiocb) {
		close(running)
		mu.Lock()
		defer mu.Unlock()
	}))
	mu.Lock()
	go func() { cancelled <- f.Cancel(k.ID()) }()
	<-running
	completed := make(chan Completion)
	go func() { completed <- k.Complete(f.lanes[0], OK, 5) }()
	select {
	case how := <-completed:
		require.Equal(t, Left, how)
	case <-time.After(10 * time.Second):
		t.Fatal("Complete waits for the callback, which waits for the completer's lock")
	}
	require.Empty(t, f.events(), "delivered while the callback runs")
	mu.Unlock()
	require.Equal(t, Accepted, <-cancelled)
	ev := f.event(k)
	require.Equal(t, []any{OK, int64(5), true}, []any{ev.Status, ev.N, ev.CancelAsked})
	f.atRest(t)
}

func TestDefectM_SlotIsFreeFirst(t *testing.T) {
	// The handler is the first that the world sees of the event.
	fakes, lanes := fakeLanes(1)
	l := fakes[0]
	var c *Context
	handled := 0
	c, err := New(Options{Capacity: 1, Lanes: lanes, OnEvents: func(lane.Lane, []Event) {
		handled++
		require.Equal(t, wordOf(2, stateFree), c.word(0), "free, and a new generation, before the event")
		c.atRest(t)
	}})
	require.NoError(t, err)
	var h holder
	_, err = c.Submit(l, &h, IO{})
	require.NoError(t, err)
	require.Equal(t, Delivered, h.last().Complete(l, OK, 0))
	require.Equal(t, 1, c.places(), "the context is held until the event is reaped")
	l.run()
	require.Equal(t, 1, handled)

	// And Close, which waits for the last reference.
	f := newFixture(t, 1, 1)
	k := f.submit()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	require.True(t, errors.Is(f.Close(ctx), context.Canceled), "it has an I/O in flight")
	k.Complete(f.lanes[0], OK, 0)
	require.NoError(t, f.Close(context.Background()))
	f.event(k)
	f.atRest(t)
}
