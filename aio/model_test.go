package aio

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/aio/lane"
)

// modelIO is what the model knows of one I/O: it is in flight until it is done.
type modelIO struct {
	k                    Kiocb
	asked, hasFn, called bool
	started, done        bool
	reaped               bool
	inside               string // what its callback does
}

// model is a context and the simple description of it: no words, no flags, no
// generations, one step at a time.
type model struct {
	t      *rapid.T
	c      *Context
	lanes  []lane.Lane
	ios    []*modelIO // all there ever were
	events map[uint64]Event
	closed bool
	stale  int
}

func newModel(t *rapid.T) *model {
	m := &model{t: t, events: map[uint64]Event{}}
	_, m.lanes = fakeLanes(rapid.IntRange(1, 3).Draw(t, "lanes"))
	var err error
	m.c, err = New(Options{Capacity: rapid.IntRange(1, 70).Draw(t, "capacity"), Lanes: m.lanes})
	require.NoError(t, err)
	return m
}

func (m *model) inFlight() (n int) {
	for _, io := range m.ios {
		if !io.done {
			n++
		}
	}
	return n
}

func (m *model) room() int { return m.c.capacity - m.inFlight() - len(m.events) }

// Start is the target's: the model's I/Os are numbered by their data.
func (m *model) Start(_ lane.Lane, k Kiocb) { m.ios = append(m.ios, &modelIO{k: k}) }

func (m *model) submit(t *rapid.T) {
	l := rapid.SampledFrom(m.lanes).Draw(t, "lane")
	n := rapid.IntRange(1, 40).Draw(t, "n")
	ios, ids := make([]IO, n), make([]ID, n)
	for i := range ios {
		ios[i] = IO{Op: OpRead, Off: int64(len(m.ios) + i), Data: uint64(len(m.ios) + i)}
	}
	want := min(n, m.room())
	var err error
	first, got := len(m.ios), 0
	if n == 1 {
		if ids[0], err = m.c.Submit(l, m, ios[0]); err == nil {
			got = 1
		}
	} else {
		got, err = m.c.SubmitBatch(l, m, ios, ids)
	}
	switch {
	case m.closed:
		require.ErrorIs(t, err, ErrClosed)
		want = 0
	case want < n:
		require.ErrorIs(t, err, ErrFull)
	default:
		require.NoError(t, err)
	}
	require.Equal(t, want, got)
	require.Len(t, m.ios, first+got)
	for i, io := range m.ios[first:] {
		require.Equal(t, ids[i], io.k.ID())
		require.EqualValues(t, first+i, io.k.Off())
		require.False(t, io.k.Cancelled())
	}
}

// any draws an I/O, old or new, but rather new; nil if there is none.
func (m *model) any(t *rapid.T) *modelIO {
	if len(m.ios) == 0 {
		return nil
	}
	from := max(0, len(m.ios)-rapid.SampledFrom([]int{3, 80, len(m.ios)}).Draw(t, "of the last"))
	return m.ios[rapid.IntRange(from, len(m.ios)-1).Draw(t, "io")]
}

// call is what the model expects when io's callback runs.
func (m *model) call(io *modelIO) {
	require.True(m.t, io.asked && io.hasFn && !io.done, "called %+v", io)
	require.False(m.t, io.called, "called twice")
	io.called = true
	require.True(m.t, io.k.Cancelled())
	require.False(m.t, io.k.TryStart())
	switch io.inside {
	case "complete":
		m.complete(io, nil, Cancelled, Left)
	case "cancel":
		m.cancel(io)
	case "register":
		require.ErrorIs(m.t, io.k.SetCancelFunc(func(Kiocb) { m.t.Fatal("refused and called") }), ErrCancelFuncSet)
	}
}

func (m *model) cancel(io *modelIO) {
	want := Accepted
	switch {
	case io.reaped:
		want = NotFound
	case io.done:
		want = TooLate
	default:
		io.asked = true
	}
	require.Equal(m.t, want, m.c.CancelOn(m.lanes[0], io.k.ID()))
	require.Equal(m.t, io.asked && io.hasFn && !io.done || io.called, io.called, "asked, and the callback did not run")
}

func (m *model) register(io *modelIO, inside string) {
	var want error
	switch {
	case io.done:
		want = ErrCompleted
	case io.hasFn:
		want = ErrCancelFuncSet
	default:
		io.hasFn, io.inside = true, inside
	}
	err := io.k.SetCancelFunc(func(k Kiocb) {
		require.NoError(m.t, want)
		require.Equal(m.t, io.k, k)
		m.call(io)
	})
	require.ErrorIs(m.t, err, want)
	if want == nil && io.asked {
		require.True(m.t, io.called, "asked before it registered, and not called")
	}
}

func (m *model) complete(io *modelIO, l lane.Lane, st Status, how Completion) {
	n := int64(len(m.events))
	if io.done {
		how = Stale
		m.stale++
	} else {
		io.done = true
		data := uint64(io.k.Off())
		m.events[data] = Event{ID: io.k.ID(), Data: data, N: n, Status: st, Started: io.started, CancelAsked: io.asked}
	}
	require.Equal(m.t, how, io.k.Complete(l, st, n))
}

func (m *model) reap(t *rapid.T) {
	evs := make([]Event, rapid.IntRange(0, 50).Draw(t, "room"))
	want := min(len(evs), len(m.events))
	n, err := m.c.Events(background, rapid.IntRange(0, want).Draw(t, "min"), evs)
	require.NoError(t, err)
	require.Equal(t, want, n)
	for _, ev := range evs[:n] {
		require.Equal(t, m.events[ev.Data], ev)
		delete(m.events, ev.Data)
		m.ios[ev.Data].reaped = true
	}
}

// check compares all that can be seen.
func (m *model) check(t *rapid.T) {
	require.Equal(t, m.inFlight(), m.c.InFlight())
	require.Equal(t, m.c.capacity-m.inFlight()-len(m.events), m.c.tags.count())
	for _, io := range m.ios {
		require.Equal(t, io.asked && !io.reaped, io.k.Cancelled())
	}
	require.Equal(t, Stats{StaleCompletes: int64(m.stale)}, m.c.Stats())
}

// One goroutine, anything in any order, misuse included: the context does what the
// model does.
func TestContextDoesWhatTheModelDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		on := func(f func(t *rapid.T, io *modelIO)) func(*rapid.T) {
			return func(t *rapid.T) {
				if io := m.any(t); io != nil {
					f(t, io)
				}
			}
		}
		complete := on(func(t *rapid.T, io *modelIO) {
			var l lane.Lane
			if i := rapid.IntRange(-1, len(m.lanes)-1).Draw(t, "lane"); i >= 0 {
				l = m.lanes[i]
			}
			m.complete(io, l, Status(rapid.IntRange(0, NumStatuses-1).Draw(t, "status")), Delivered)
		})
		t.Repeat(map[string]func(*rapid.T){
			"submit":  m.submit,
			"reap":    m.reap,
			"cancel":  on(func(_ *rapid.T, io *modelIO) { m.cancel(io) }),
			"finish":  complete,
			"finish2": complete,
			"register": on(func(t *rapid.T, io *modelIO) {
				m.register(io, rapid.SampledFrom([]string{"", "complete", "cancel", "register"}).Draw(t, "inside"))
			}),
			"start": on(func(t *rapid.T, io *modelIO) {
				want := !io.done && !io.asked
				io.started = io.started || want
				require.Equal(t, want, io.k.TryStart())
			}),
			"requeue": on(func(_ *rapid.T, io *modelIO) {
				io.k.Requeue()
				io.started = false
			}),
			"forged": func(t *rapid.T) {
				id := ID(rapid.Uint64().Draw(t, "id"))
				for _, io := range m.ios {
					if io.k.ID() == id {
						t.Skip("it is one of ours")
					}
				}
				require.Equal(t, NotFound, m.c.Cancel(id))
			},
			"all": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "seldom") != 0 {
					t.Skip("seldom")
				}
				m.everything()
				if rapid.Bool().Draw(t, "close") {
					m.c.Shutdown()
					m.closed = true
				} else {
					require.LessOrEqual(t, m.inFlight(), m.c.CancelAll())
				}
			},
			"": m.check,
		})
	})
}

// everything marks all I/Os as asked, as CancelAll is about to do.
func (m *model) everything() {
	for _, io := range m.ios {
		io.asked = io.asked || !io.done
	}
}
