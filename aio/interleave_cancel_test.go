//go:build interleave

package aio

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/explore"
	"blksim/internal/step"
)

// Scenarios about one slot: what a target does with its kiocb against who cancels
// it. What they check is in rig.invariant, rig.judge and watch, with the numbers
// of the rules.

// every runs s under every schedule.
func every(t *testing.T, s explore.Scenario) {
	t.Helper()
	explore.Run(t, explore.Config{}, s)
}

func TestRegisterCancelComplete(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		tr.Actor("register", func() { w.register(nil) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(r.lanes[0], OK, 7) })
	})
}

// reuse adds an actor that submits into the one slot that there is, as soon as its
// tag is back, with the actors of the I/O before still under way. complete
// registers and completes that one as well.
func reuse(r *rig, lane int, complete bool) *watch {
	r.keep(r.c.capacity - 1)
	next := r.watch()
	r.tr.Actor("reuse", func() {
		r.poll()
		next.submit(lane, func(*watch) {
			if next.k.Cancelled() {
				r.tr.Failf("S9: cancelled from the start")
			}
		})
		if complete {
			next.register(nil)
			next.complete(nil, MediaError, 9)
		}
	})
	return next
}

func TestRegisterCancelCompleteReuse(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		tr.Actor("register", func() { w.register(nil) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		reuse(r, 0, false)
	})
}

// The same, with the completer as who submits the next, as a target's lane does
// that is asked for more.
func TestCompleterReusesTheSlot(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w, next := r.submit(0, nil), r.watch()
		tr.Actor("register", func() { w.register(nil) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() {
			w.complete(r.lanes[0], OK, 7)
			r.reap(1)
			next.submit(0, nil)
			if next.k.Cancelled() {
				tr.Failf("S9: cancelled from the start")
			}
			next.complete(r.lanes[0], OK, 8)
		})
	})
}

// A canceller and a target that are one generation late, and everything they can
// do: the next I/O knows nothing of it.
func TestStaleHandlesTouchNothing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		next := reuse(r, 0, true)
		tr.Actor("stale target", func() {
			w.complete(nil, OK, 7)
			w.register(nil)
			if w.k.TryStart() {
				tr.Failf("S5: a stale TryStart was let through")
			}
			w.k.Requeue()
			w.complete(nil, IOError, 0)
		})
		tr.Actor("cancel", func() { w.cancel(); w.cancel() })
		tr.Final(func() {
			require.Equal(tr, []error{nil}, next.regs)
			require.Equal(tr, []end{{Delivered, MediaError, 9}}, next.ends)
		})
	})
}

func TestOneOfTwoRegistrationsIsTaken(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		tr.Actor("register 1", func() { w.register(nil) })
		tr.Actor("register 2", func() { w.register(nil) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
	})
}

func TestOneOfTwoCompletionsIsTaken(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		tr.Actor("register", func() { w.register(nil) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete 1", func() { w.complete(r.lanes[0], OK, 7) })
		tr.Actor("complete 2", func() { w.complete(nil, IOError, 0) })
	})
}

func TestTwoCancellersOneCallback(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		tr.Actor("register", func() { w.register(nil) })
		tr.Actor("cancel 1", w.cancel)
		tr.Actor("cancel 2", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
	})
}

// The callback completes the I/O, as a driver that finds it in its own queue may,
// and the device completes it too.
func TestCallbackCompletes(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		tr.Actor("register", func() {
			w.register(func() {
				if w.complete(nil, Cancelled, 0) == Delivered {
					tr.Failf("S3: delivered from inside the callback")
				}
			})
		})
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(r.lanes[0], OK, 7) })
	})
}

// The completer holds the lock that the callback wants. Were it to wait for the
// callback to end, some schedule would get stuck.
func TestCompleteUnderTheCallbacksLock(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		lock := make(chan struct{}, 1)
		lock <- struct{}{}
		unlock := func() { step.Write(lock); lock <- struct{}{} }
		tr.Actor("register", func() { w.register(func() { step.Recv(lock); unlock() }) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() {
			step.Recv(lock)
			w.complete(r.lanes[0], OK, 7)
			unlock()
		})
	})
}

// device is a target that dispatches: the device sees what TryStart lets through.
type device struct {
	w   *watch
	saw bool
}

func (d *device) dispatch() {
	if d.w.k.TryStart() {
		d.saw = true
	}
}

func (d *device) finish() {
	if d.saw {
		d.w.complete(nil, OK, 7)
	} else {
		d.w.complete(nil, Cancelled, 0)
	}
}

func (d *device) judge() {
	tr := d.w.r.tr
	ev := d.w.r.evs[0]
	if ev.Started != d.saw {
		tr.Failf("S6: Started is %v, and the device saw it: %v", ev.Started, d.saw)
	}
	if !ev.Started && ev.CancelAsked && ev.Status != Cancelled {
		tr.Failf("S6: cancelled before its start, and %v", ev.Status)
	}
	if !ev.Started && !ev.CancelAsked {
		tr.Failf("S6: not started, and nobody cancelled")
	}
}

func TestCancelledBeforeItsStartNeverStarts(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		d := device{w: r.submit(0, nil)}
		tr.Actor("device", func() {
			if d.w.k.Cancelled() {
				d.dispatch()
				if d.saw {
					tr.Failf("S6, S9: Cancelled, and then TryStart let it through")
				}
			} else {
				d.dispatch()
			}
			d.finish()
		})
		tr.Actor("register", func() { d.w.register(nil) })
		tr.Actor("cancel 1", d.w.cancel)
		tr.Actor("cancel 2", d.w.cancel)
		tr.Final(d.judge)
	})
}

// All of them at once, and the slot's next I/O.
func TestMisuseAndReuseAtOnce(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		tr.Actor("register", func() { w.register(nil) })
		tr.Actor("register and complete", func() { w.register(nil); w.complete(nil, IOError, 0) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		reuse(r, 0, false)
	})
}

// S9: once true Cancelled stays true while the I/O lasts, a completion does not
// make it true, and it is true of every I/O that was accepted.
func TestCancelledIsMonotone(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		var saw []bool
		tr.Actor("look", func() {
			for range 4 {
				saw = append(saw, w.k.Cancelled())
			}
		})
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		reuse(r, 0, false)
		tr.Final(func() {
			asked := w.r.evs[0].CancelAsked
			changes := 0
			for i, is := range saw {
				if is && !asked {
					tr.Failf("S9: %v, and nobody cancelled", saw)
				}
				if i > 0 && is != saw[i-1] {
					changes++
				}
			}
			if changes > 2 || changes == 2 && saw[0] {
				tr.Failf("S9: %v", saw)
			}
		})
	})
}

// The device had no room: the I/O goes back, and a cancel in between holds it.
func TestRequeuedIsCancellable(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		d := device{w: r.submit(0, nil)}
		asked := false
		tr.Actor("device", func() {
			d.dispatch()
			if d.saw {
				d.w.k.Requeue()
				d.saw = false
				asked = d.w.k.Cancelled()
				d.dispatch()
				if d.saw && asked {
					tr.Failf("S6: started again after the cancel")
				}
			}
			d.finish()
		})
		tr.Actor("register", func() { d.w.register(nil) })
		tr.Actor("cancel", d.w.cancel)
		tr.Final(d.judge)
	})
}

// A target that takes back the start of an I/O that was completed behind its back
// changes nothing of the event.
func TestRequeueAfterCompleteChangesNothing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		require.True(tr, w.k.TryStart())
		w.register(nil)
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() {
			w.complete(nil, OK, 7)
			w.k.Requeue()
		})
		tr.Final(func() { require.True(tr, r.evs[0].Started, "S15: Started") })
	})
}

// What is left out of the other tests changes nothing, tried on the real code: with
// all schedules, starting over after a failed CAS included, the outcomes are those.
func TestReductionKeepsTheOutcomesHere(t *testing.T) {
	outcomes := func(m explore.Reduction) (map[string]bool, explore.Result) {
		seen := map[string]bool{}
		res := explore.Run(t, explore.Config{Reduction: m}, func(tr *explore.Trial) {
			r := newRig(tr, 1, 1)
			w := r.submit(0, nil)
			require.NoError(tr, w.k.SetCancelFunc(func(Kiocb) { w.calls++ }))
			w.regs = []error{nil}
			tr.Actor("cancel", func() { w.answers = append(w.answers, r.c.Cancel(w.k.id)) })
			tr.Actor("complete", func() { w.ends = append(w.ends, end{w.k.Complete(nil, OK, 7), OK, 7}) })
			tr.Final(func() { seen[fmt.Sprint(w.answers, w.ends, w.calls, r.evs)] = true })
		})
		return seen, res
	}
	all, full := outcomes(explore.None)
	for _, m := range []explore.Reduction{explore.States, explore.Races} {
		some, few := outcomes(m)
		require.Equal(t, all, some)
		require.Less(t, few.Schedules, full.Schedules/100)
	}
	require.GreaterOrEqual(t, len(all), 3)
}

// S10 in every state, not only in those of the schedules that are run otherwise.
func TestSlotIsFreeBeforeItsTagIs(t *testing.T) {
	explore.Run(t, explore.Config{Reduction: explore.States}, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		w.register(nil)
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		reuse(r, 0, false)
	})
}
