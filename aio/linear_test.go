//go:build !interleave

package aio

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

// recorder runs small windows of concurrent calls on the one slot of a context,
// which at most two I/Os have in turn, and keeps a history of each of the two.
// The calls include all misuse that a target is capable of: before the submit,
// after the completion, twice.
type recorder struct {
	c    *Context
	l    *fakeLane
	over bool

	// A window begins at the gate of all hands. Hands 0 and 1 then meet once more,
	// awake, so that they do run at the same moment where there are two CPUs; the
	// others run when one of these yields, or wherever the scheduler puts them.
	all, pair *gate
	looks     int

	// Of the present window.
	ids    [2]ID
	calls  [2][64]call
	n      [2]atomic.Int32 // of calls
	next   atomic.Int64    // what the next completion passes
	clock  atomic.Int64
	failed atomic.Pointer[string]
}

// recorderHands are the goroutines of a window; hand 0 has the lane.
const recorderHands = 4

// do notes one call: f makes it.
func (r *recorder) do(io int, f func() call) {
	inv := r.clock.Add(1)
	c := f()
	c.inv, c.res = inv, r.clock.Add(1)
	r.note(io, c)
}

func (r *recorder) note(io int, c call) {
	r.calls[io][r.n[io].Add(1)-1] = c
}

func (r *recorder) kiocb(io int) Kiocb { return Kiocb{r.c, r.ids[io], r.c.table.slot(0)} }

func (r *recorder) cancel(io int) {
	r.do(io, func() call { return call{what: callCancel, cancel: r.c.Cancel(r.ids[io])} })
}

func (r *recorder) start(io int) {
	r.do(io, func() call { return call{what: callStart, yes: r.kiocb(io).TryStart()} })
}

func (r *recorder) cancelled(io int) {
	r.do(io, func() call { return call{what: callCancelled, yes: r.kiocb(io).Cancelled()} })
}

func (r *recorder) complete(io int, l lane.Lane) {
	r.do(io, func() call {
		n := r.next.Add(1)
		return call{what: callComplete, complete: r.kiocb(io).Complete(l, OK, n), n: n}
	})
}

// register registers a callback that is noted, and that does what it is told.
func (r *recorder) register(io, inside int) {
	r.do(io, func() call {
		return call{what: callRegister, err: r.kiocb(io).SetCancelFunc(func(Kiocb) {
			r.do(io, func() call { return call{what: callEnter} })
			switch inside {
			case 0:
				r.complete(io, nil)
			case 1:
				r.cancel(io)
				r.start(io)
			case 2:
				runtime.Gosched()
			}
			r.do(io, func() call { return call{what: callLeave} })
		})}
	})
}

// submit submits the I/O io, if the slot is its own by now. It is over when the
// target has it.
func (r *recorder) submit(io int) {
	var evs [1]Event
	if io == 1 {
		r.reap(evs[:])
	}
	inv := r.clock.Add(1)
	began := false
	_, err := r.c.Submit(r.l, targetFunc(func(_ lane.Lane, k Kiocb) {
		began = true
		res := r.clock.Add(1)
		if k.ID() != r.ids[io] {
			text := k.ID().String()
			r.failed.Store(&text)
		}
		r.note(io, call{what: callSubmit, inv: inv, res: res})
	}), IO{Op: OpRead})
	if (err == nil) != began || err != nil && err != ErrFull {
		text := "submit"
		r.failed.Store(&text)
	}
}

// reap notes the events that are there.
func (r *recorder) reap(evs []Event) {
	inv := r.clock.Add(1)
	n, _ := r.c.Events(background, 0, evs)
	res := r.clock.Add(1)
	for _, ev := range evs[:n] {
		io := 0
		if ev.ID == r.ids[1] {
			io = 1
		} else if ev.ID != r.ids[0] {
			text := "event of " + ev.ID.String()
			r.failed.Store(&text)
		}
		r.note(io, call{what: callEvent, inv: inv, res: res, n: ev.N, started: ev.Started, asked: ev.CancelAsked})
	}
}

// hand is what goroutine h does in one window.
func (r *recorder) hand(h int, rng *rand.Rand) {
	var evs [2]Event
	if h < 2 {
		r.pair.wait(r.looks)
	}
	if h == 0 {
		r.submit(0)
	}
	for range 1 + rng.IntN(5) {
		spin(rng.IntN(100))
		if rng.IntN(3) == 0 {
			runtime.Gosched()
		}
		io := rng.IntN(8) / 7 // the second seldom
		switch what := rng.IntN(16); {
		case h == 1 && what < 10, what < 4: // hand 1 cancels most of the time
			r.cancel(io)
		case what < 6:
			r.start(io)
		case what < 9:
			r.register(io, rng.IntN(4))
		case what < 12 && h == 0:
			r.complete(io, r.l)
		case what < 12:
			r.complete(io, nil)
		case what < 13:
			r.cancelled(io)
		default:
			r.reap(evs[:])
		}
	}
	if h == 0 && rng.IntN(2) == 0 {
		r.submit(1)
	}
}

// begin clears the table for the next window.
func (r *recorder) begin() {
	gen := max(wordGen(r.c.word(0)), 1)
	for io := range r.ids {
		r.ids[io] = makeID(gen+uint64(io), 0)
		r.n[io].Store(0)
	}
}

// finish completes what is in flight and reaps it, on hand 0.
func (r *recorder) finish() {
	var evs [2]Event
	for io := range r.ids {
		if w := r.c.word(0); sameGen(w, r.ids[io]) && wordState(w) != stateFree {
			r.complete(io, r.l)
		}
	}
	r.reap(evs[:])
}

func (r *recorder) history(io int) history { return history(r.calls[io][:r.n[io].Load()]) }

// tally is what the histories contain: a test of races that met none proves
// nothing.
type tally struct {
	histories, overlaps, calls, left int
	answers                          [3]int
}

func (s *tally) count(h history) {
	if len(h) == 0 {
		return
	}
	s.histories++
	overlap := false
	for i, c := range h {
		switch c.what {
		case callCancel:
			s.answers[c.cancel]++
		case callEnter:
			s.calls++
		case callComplete:
			if c.complete == Left {
				s.left++
			}
		}
		for _, d := range h[:i] {
			// In part: not one inside the other, as in a callback.
			overlap = overlap || c.inv < d.inv && d.inv < c.res && c.res < d.res || d.inv < c.inv && c.inv < d.res && d.res < c.res
		}
	}
	if overlap {
		s.overlaps++
	}
}

// What the calls answer is what some order of them, one at a time, would have
// answered.
func TestAnswersAreLinearizable(t *testing.T) {
	windows := 100_000
	if testing.Short() || underRace() {
		windows = 20_000
		t.Logf("-short or -race: %d windows instead of 100000", windows)
	}
	fakes, lanes := fakeLanes(1)
	c, err := New(Options{Capacity: 1, Lanes: lanes})
	require.NoError(t, err)
	_, err = c.Submit(fakes[0], null{}, IO{}) // makes the page, which misuse needs
	require.NoError(t, err)
	_, err = c.Events(background, 1, make([]Event, 1))
	require.NoError(t, err)

	r := &recorder{c: c, l: fakes[0], all: newGate(recorderHands), pair: newGate(2), looks: 10 * keen()}
	seed := uint64(time.Now().UnixNano())
	var wg sync.WaitGroup
	for h := 1; h < recorderHands; h++ {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(h)))
			for {
				if h == 1 {
					r.all.wait(r.looks)
				} else {
					r.all.wait(0)
				}
				if r.over {
					return
				}
				r.hand(h, rng)
			}
		})
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var sum tally
	start := time.Now()
	w := 0
	for ; w < windows && !t.Failed() && (w%256 != 0 || time.Since(start) < patience); w++ {
		r.all.gathered()
		r.begin()
		r.all.wait(0)
		r.hand(0, rng)
		r.all.gathered()
		r.finish()
		for io := range r.ids {
			h := r.history(io)
			sum.count(h)
			if !h.linearizable() {
				t.Errorf("window %d of seed %d: no order of these calls explains the answers:\n%v", w, seed, h)
			}
		}
		if tags := c.tags.count(); tags != 1 { // the next submit would look for it without end
			t.Errorf("window %d of seed %d: %d tags of 1", w, seed, tags)
		}
		if text := r.failed.Load(); text != nil {
			t.Errorf("window %d of seed %d: %s", w, seed, *text)
		}
	}
	took := time.Since(start)
	r.over = true
	r.all.wait(0)
	wg.Wait()
	c.atRest(t)
	t.Logf("%d windows of %d, %+v, in %v", w, windows, sum, took.Round(time.Millisecond))
	require.Positive(t, sum.answers[Accepted])
	require.Positive(t, sum.answers[NotFound])
	require.Positive(t, sum.calls)
	require.Positive(t, sum.left)
	if !oneCPU() {
		require.Positive(t, sum.overlaps, "no two calls overlapped")
	}
}
