//go:build interleave

package aio

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/internal/explore"
	"blksim/internal/step"
)

// Scenarios about teardown and about who sleeps: a lost wake-up leaves an actor
// stuck, which the explorer reports.

// Whatever Shutdown meets, no I/O is left that nobody cancels: the device here
// completes nothing that it was not asked to cancel.
func TestShutdownMeetsSubmit(t *testing.T) {
	for _, registers := range []bool{false, true} {
		t.Run(map[bool]string{false: "without callback", true: "with callback"}[registers], func(t *testing.T) {
			every(t, func(tr *explore.Trial) {
				r := newRig(tr, 2, 1)
				r.shut = true
				w := r.watch()
				submitted := 0
				tr.Actor("submit", func() {
					w.submit(0, func(*watch) {
						if registers {
							w.register(nil)
						}
						step.Write(&submitted)
						submitted = 1
					})
					if w.refused != nil {
						require.ErrorIs(tr, w.refused, ErrClosed)
						step.Write(&submitted)
						submitted = 2
					}
				})
				tr.Actor("shutdown", r.c.Shutdown)
				tr.Actor("device", func() {
					for {
						step.Read(&submitted)
						if submitted != 0 {
							break
						}
						step.Yield()
					}
					if submitted == 2 {
						return
					}
					for !w.k.Cancelled() {
						step.Yield()
					}
					w.complete(nil, Cancelled, 0)
				})
				tr.Final(func() {
					if _, err := r.c.Submit(r.lanes[0], null{}, IO{}); err != ErrClosed {
						tr.Failf("S12: submit after Shutdown: %v", err)
					}
				})
			})
		})
	}
}

// The walk against an I/O that completes, and the next one of its slot.
func TestShutdownWalksOverReuse(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		r.shut = true
		w := r.submit(0, nil)
		w.register(nil)
		r.keep(1)
		next := r.watch()
		tr.Actor("shutdown", r.c.Shutdown)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		tr.Actor("reuse", func() {
			r.poll()
			next.submit(0, func(*watch) { next.register(nil) })
			if next.refused == nil {
				for !next.k.Cancelled() {
					step.Yield()
				}
				next.complete(nil, Cancelled, 0)
			}
		})
	})
}

// CancelAll without Shutdown: each I/O it asks was there, and the next generation is
// asked only if it was there when the walk came by.
func TestCancelAllMeetsCancelAndComplete(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		r.shut = true
		a, b := r.submit(0, nil), r.submit(0, nil)
		a.register(nil)
		n := 0
		tr.Actor("cancel all", func() { n = r.c.CancelAll() })
		tr.Actor("cancel", a.cancel)
		tr.Actor("complete", func() {
			a.complete(nil, OK, 7)
			b.complete(nil, OK, 8)
		})
		tr.Final(func() {
			asked := 0
			for _, ev := range r.evs {
				if ev.CancelAsked {
					asked++
				}
			}
			if n > asked {
				tr.Failf("S7: CancelAll asked %d and %d were asked", n, asked)
			}
		})
	})
}

func TestReaperIsWoken(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		a, b := r.submit(0, nil), r.submit(0, nil)
		tr.Actor("reap", func() { r.reap(2) })
		tr.Actor("lane 0", func() { a.complete(r.lanes[0], OK, 1) })
		tr.Actor("outside", func() { b.complete(nil, OK, 2) })
	})
}

// Close ends when the last event is there, whether or not somebody reaps, and a
// reaper gets everything, and then ErrClosed.
func TestCloseMeetsCompleteAndReap(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		r.shut = true
		w := r.submit(0, nil)
		tr.Actor("close", func() {
			require.NoError(tr, r.c.Close(background))
			if word := r.c.word(w.k.id.index()); sameGen(word, w.k.id) && wordState(word) != stateDone {
				tr.Failf("S12: closed with an I/O in flight: %#x", word)
			}
		})
		tr.Actor("complete", func() { w.complete(r.lanes[0], OK, 7) })
		tr.Actor("reap", func() {
			evs := make([]Event, 2)
			r.looks = true
			n, err := r.c.Events(background, 2, evs)
			require.ErrorIs(tr, err, ErrClosed)
			require.Equal(tr, 1, n)
			r.note(evs[:n])
		})
	})
}

// What is reaped while Close counts is not counted twice: it ends when the other
// I/O is over.
func TestCloseCountsWhatIsReapedMeanwhile(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		r.shut = true
		a, b := r.submit(0, nil), r.submit(0, nil)
		a.complete(r.lanes[0], OK, 1)
		tr.Actor("close", func() {
			require.NoError(tr, r.c.Close(background))
			if w := r.c.word(b.k.id.index()); sameGen(w, b.k.id) && wordState(w) != stateDone {
				tr.Failf("S12: closed with an I/O in flight")
			}
		})
		tr.Actor("reap", func() {
			evs := make([]Event, 2)
			r.looks = true
			n, err := r.c.Events(background, 0, evs)
			require.NoError(tr, err)
			r.note(evs[:n])
		})
		tr.Actor("complete", func() { b.complete(r.lanes[0], OK, 2) })
	})
}

// With a handler too, Close ends when the last event is there.
func TestCloseMeetsHandler(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRigOn(tr, 2, 1, func(lane.Lane, []Event) {})
		r.shut, r.unseen = true, true
		a, b := r.submit(0, nil), r.submit(0, nil)
		tr.Actor("close", func() { require.NoError(tr, r.c.Close(background)) })
		tr.Actor("lane 0", func() { a.complete(r.lanes[0], OK, 1) })
		tr.Actor("outside", func() { b.complete(nil, OK, 2) })
	})
}

// A submit for which there is no memory gives its place back, and Close waits for
// that too.
func TestCloseMeetsFailedSubmit(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		r.shut = true
		r.c.table.alloc = func() *page { return nil }
		w := r.watch()
		tr.Actor("submit", func() {
			w.submit(0, nil)
			if w.refused == nil {
				tr.Failf("there is no memory, and the submit did not fail")
			}
		})
		tr.Actor("close", func() { require.NoError(tr, r.c.Close(background)) })
	})
}

// The one event that is left for the canceller to deliver, which is on no lane,
// wakes as any other.
func TestCloseMeetsCallback(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		r.shut = true
		w := r.submit(0, nil)
		w.register(func() { w.complete(nil, Cancelled, 0) })
		tr.Actor("close", func() { require.NoError(tr, r.c.Close(background)) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(r.lanes[0], OK, 7) })
	})
}
