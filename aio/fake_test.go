package aio

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/internal/step"
)

// fakeLane is a lane that a test runs by hand.
type fakeLane struct {
	index         int
	posted, spare []func()
	onPost        func() // if set, is called in the middle of Post
}

var _ lane.Lane = (*fakeLane)(nil)

func (l *fakeLane) Index() int                 { return l.index }
func (l *fakeLane) Now() lane.Time             { return 0 }
func (l *fakeLane) NewTimer(func()) lane.Timer { panic("aio has no use for timers") }

// Post keeps f for run.
func (l *fakeLane) Post(f func()) {
	step.Write(l)
	l.posted = append(l.posted, f)
	if l.onPost != nil {
		l.onPost()
	}
}

// run runs what is posted, and what that posts, until there is no more.
func (l *fakeLane) run() {
	for len(l.posted) > 0 {
		fs := l.posted
		l.posted, l.spare = l.spare[:0], nil
		for _, f := range fs {
			f()
		}
		l.spare = fs
	}
}

func fakeLanes(n int) (fakes []*fakeLane, lanes []lane.Lane) {
	for i := range n {
		fakes = append(fakes, &fakeLane{index: i})
		lanes = append(lanes, fakes[i])
	}
	return fakes, lanes
}

// targetFunc is a target that does f.
type targetFunc func(l lane.Lane, k Kiocb)

func (f targetFunc) Start(l lane.Lane, k Kiocb) { f(l, k) }

// holder is a target that keeps its I/Os for the test to complete.
type holder struct{ ks []Kiocb }

func (h *holder) Start(_ lane.Lane, k Kiocb) { h.ks = append(h.ks, k) }

// last is the I/O started last.
func (h *holder) last() Kiocb { return h.ks[len(h.ks)-1] }

// null is a target that completes at once.
type null struct{}

func (null) Start(l lane.Lane, k Kiocb) { k.Complete(l, OK, k.Len()) }

// nullBatch completes batches at once.
type nullBatch struct{ null }

func (nullBatch) StartBatch(l lane.Lane, ks []Kiocb) {
	for _, k := range ks {
		k.Complete(l, OK, 0)
	}
}

// fixture is a context on fake lanes with a target that holds.
type fixture struct {
	t *testing.T
	*Context
	lanes []*fakeLane
	holder
}

func newFixture(t *testing.T, capacity, lanes int) *fixture {
	f := &fixture{t: t}
	var ls []lane.Lane
	f.lanes, ls = fakeLanes(lanes)
	var err error
	f.Context, err = New(Options{Capacity: capacity, Lanes: ls})
	require.NoError(t, err)
	return f
}

// submit starts one I/O on lane 0, which the holder keeps.
func (f *fixture) submit() Kiocb {
	f.t.Helper()
	id, err := f.Submit(f.lanes[0], &f.holder, IO{Op: OpWrite, Len: 512, Buf: make([]byte, 512), Data: uint64(len(f.ks))})
	require.NoError(f.t, err)
	require.Equal(f.t, id, f.last().ID())
	return f.last()
}

// events reaps what there is.
func (f *fixture) events() []Event {
	f.t.Helper()
	evs := make([]Event, f.Capacity()+1)
	n, err := f.Events(context.Background(), 0, evs)
	require.NoError(f.t, err)
	return evs[:n]
}

// event reaps the one event that there is to be, k's.
func (f *fixture) event(k Kiocb) Event {
	f.t.Helper()
	evs := f.events()
	require.Len(f.t, evs, 1)
	require.Equal(f.t, k.ID(), evs[0].ID)
	return evs[0]
}

// word is the cancel word of an index, and 0 if its page was never made.
func (c *Context) word(index uint32) uint64 {
	if p := c.table.find(index); p != nil {
		return p.slots[index%pageSlots].word.Load()
	}
	return 0
}

// atRest checks that nothing is in flight and nothing was lost: every tag is in
// the pool, every slot is free and holds nothing of its last I/O.
func (c *Context) atRest(t require.TestingT) {
	require.EqualValues(t, 0, c.places(), "places taken")
	require.Equal(t, c.capacity, c.tags.count(), "tags")
	for i := range uint32(c.capacity) {
		if p := c.table.find(i); p != nil {
			s := &p.slots[i%pageSlots]
			require.EqualValues(t, stateFree, s.word.Load()&lowMask, "state and flags of slot %d", i)
			require.Nil(t, s.fn, "callback of slot %d", i)
			require.Nil(t, s.buf, "buffer of slot %d", i)
		}
	}
}

var background = context.Background()
