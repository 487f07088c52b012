package aio

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

func TestOptionsAreChecked(t *testing.T) {
	_, one := fakeLanes(1)
	_, err := New(Options{})
	require.ErrorContains(t, err, "no lanes")
	for _, capacity := range []int{-1, MaxCapacity + 1} {
		_, err = New(Options{Capacity: capacity, Lanes: one})
		require.ErrorContains(t, err, "capacity")
	}
	_, err = New(Options{Lanes: []lane.Lane{one[0], one[0]}})
	require.ErrorContains(t, err, "lane index 0")
	_, err = New(Options{Lanes: []lane.Lane{&fakeLane{index: 256}}})
	require.ErrorContains(t, err, "lane index 256")
	c, err := New(Options{Lanes: one})
	require.NoError(t, err)
	require.Equal(t, 1024, c.Capacity())
	c, err = New(Options{Lanes: []lane.Lane{&fakeLane{index: 255}, &fakeLane{index: 3}}, Capacity: MaxCapacity})
	require.NoError(t, err)
	require.Equal(t, MaxCapacity, c.tags.count())
}

func TestTargetSeesTheIO(t *testing.T) {
	f := newFixture(t, 2, 1)
	buf := []byte("data")
	var seen Kiocb
	id, err := f.Submit(f.lanes[0], targetFunc(func(l lane.Lane, k Kiocb) {
		seen = k
		require.Equal(t, lane.Lane(f.lanes[0]), l)
		require.Equal(t, OpWrite, k.Op())
		require.EqualValues(t, 4096, k.Off())
		require.EqualValues(t, 4, k.Len())
		require.Equal(t, &buf[0], &k.Buf()[0])
		require.Nil(t, k.Private())
		k.SetPrivate("kept")
	}), IO{Op: OpWrite, Off: 4096, Len: 4, Buf: buf, Data: 99})
	require.NoError(t, err)
	require.Equal(t, id, seen.ID())
	require.True(t, seen.TryStart())
	seen.CompleteTimed(f.lanes[0], OK, 4, Times{77, 99})
	require.Equal(t, Event{ID: id, Data: 99, N: 4, Dispatched: 77, Returned: 99, Status: OK, Started: true}, f.event(seen))

	for next := f.submit(); ; next = f.submit() { // private stays with the slot, the times do not
		next.Complete(nil, IOError, 0)
		ev := f.event(next)
		require.Zero(t, ev.Dispatched)
		require.False(t, ev.Started)
		if next.ID().index() == id.index() {
			require.Equal(t, "kept", next.Private())
			break
		}
	}
	f.atRest(t)
}

func TestFullContextTakesAgainOnlyAfterTheReap(t *testing.T) {
	f := newFixture(t, 3, 1)
	for range 3 {
		f.submit()
	}
	_, err := f.Submit(f.lanes[0], &f.holder, IO{})
	require.ErrorIs(t, err, ErrFull)
	n, err := f.SubmitBatch(f.lanes[0], &f.holder, make([]IO, 2), nil)
	require.ErrorIs(t, err, ErrFull)
	require.Zero(t, n)

	f.ks[1].Complete(f.lanes[0], OK, 0)
	_, err = f.Submit(f.lanes[0], &f.holder, IO{})
	require.ErrorIs(t, err, ErrFull, "complete, and its event still has its place in the ring")
	require.Equal(t, 2, f.InFlight())
	f.event(f.ks[1])
	f.submit()
	require.Len(t, f.ks, 4)
	for _, i := range []int{0, 2, 3} {
		f.ks[i].Complete(f.lanes[0], OK, 0)
	}
	require.Len(t, f.events(), 3)
	f.atRest(t)
}

func TestSubmitOnAForeignLanePanics(t *testing.T) {
	f := newFixture(t, 1, 1)
	for _, l := range []lane.Lane{nil, &fakeLane{index: 1}, &fakeLane{index: 300}} {
		require.Panics(t, func() { f.Submit(l, &f.holder, IO{}) })
		require.Panics(t, func() { f.SubmitBatch(l, &f.holder, make([]IO, 1), nil) })
	}
	f.atRest(t)
}

// batches is a target that takes batches.
type batches struct {
	holder
	sizes []int
	f     func(l lane.Lane, ks []Kiocb)
}

func (b *batches) StartBatch(l lane.Lane, ks []Kiocb) {
	b.ks = append(b.ks, ks...)
	b.sizes = append(b.sizes, len(ks))
	if b.f != nil {
		b.f(l, ks)
	}
}

func TestBatchIsInOrderAndWhole(t *testing.T) {
	f := newFixture(t, 100, 2)
	for _, lane := range f.lanes { // the second finds its tags in several groups
		b := &batches{}
		ios, ids := make([]IO, 50), make([]ID, 50)
		for i := range ios {
			ios[i] = IO{Op: OpRead, Off: int64(i), Data: uint64(i)}
		}
		n, err := f.SubmitBatch(lane, b, ios, ids)
		require.NoError(t, err)
		require.Equal(t, 50, n)
		require.Equal(t, []int{50}, b.sizes)
		distinct := map[ID]bool{}
		for i, k := range b.ks {
			require.EqualValues(t, i, k.Off())
			require.Equal(t, ids[i], k.ID())
			distinct[k.ID()] = true
			k.Complete(lane, OK, 0)
		}
		require.Len(t, distinct, 50)
	}
	evs := f.events()
	require.Len(t, evs, 100)
	for i, ev := range evs {
		require.EqualValues(t, i%50, ev.Data)
	}
	f.atRest(t)
}

func TestBatchTakesWhatThereIsRoomFor(t *testing.T) {
	f := newFixture(t, 5, 1)
	f.submit()
	b, ids := &batches{}, []ID{0, 0, 12345}
	n, err := f.SubmitBatch(f.lanes[0], b, make([]IO, 9), ids[:2])
	require.ErrorIs(t, err, ErrFull)
	require.Equal(t, 4, n)
	require.Equal(t, []int{4}, b.sizes)
	require.Equal(t, []ID{b.ks[0].ID(), b.ks[1].ID(), 12345}, ids, "no more IDs than asked for")
	n, err = f.SubmitBatch(f.lanes[0], b, nil, nil)
	require.NoError(t, err)
	require.Zero(t, n)
	for _, k := range append(b.ks, f.ks...) {
		k.Complete(nil, OK, 0)
	}
	require.Len(t, f.events(), 5)
	f.Shutdown()
	n, err = f.SubmitBatch(f.lanes[0], b, make([]IO, 2), nil)
	require.ErrorIs(t, err, ErrClosed)
	require.Zero(t, n)
	require.Equal(t, []int{4}, b.sizes)
	f.atRest(t)
}

// A target that takes batches is not called with an empty one.
func TestFailedBatchStartsNothing(t *testing.T) {
	f := newFixture(t, 4, 1)
	f.table.alloc = func() *page { return nil }
	b := &batches{}
	n, err := f.SubmitBatch(f.lanes[0], b, make([]IO, 2), nil)
	require.ErrorIs(t, err, ErrNoMemory)
	require.Zero(t, n)
	require.Empty(t, b.sizes)
	f.atRest(t)
}

// A target may submit and complete in the middle of its start.
func TestTargetSubmitsFromItsStart(t *testing.T) {
	f := newFixture(t, 8, 1)
	b := &batches{}
	b.f = func(l lane.Lane, ks []Kiocb) {
		mine := ks[0]
		if len(b.sizes) == 1 {
			_, err := f.SubmitBatch(l, b, []IO{{Data: 10}, {Data: 11}}, nil)
			require.NoError(t, err)
		}
		require.Equal(t, mine, ks[0], "the batch was overwritten")
		for _, k := range ks {
			require.Equal(t, Delivered, k.Complete(l, OK, 0))
		}
	}
	n, err := f.SubmitBatch(f.lanes[0], b, []IO{{Data: 0}, {Data: 1}, {Data: 2}}, nil)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, []int{3, 2}, b.sizes)
	require.Len(t, f.events(), 5)
	f.atRest(t)
}
