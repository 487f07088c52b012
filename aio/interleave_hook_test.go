//go:build interleave

package aio

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/internal/explore"
)

// Scenarios about hooks: as those about callbacks, with the function's number in the
// word; and about batches.

// watchHook is the callback of all watches: the number of hooks is limited.
var watchHook = NewHook(func(k Kiocb) {
	w := k.Private().(*watch)
	w.enter(k)
	w.leave()
})

// hook sets the callback.
func (w *watch) hook() {
	err := w.k.SetHook(watchHook)
	w.r.tr.Notef("SetHook(%v) = %v", w.k.id, err)
	w.regs = append(w.regs, err)
}

// startHook sets it and starts the I/O.
func (w *watch) startHook() bool {
	ok := w.k.TryStartHook(watchHook)
	w.r.tr.Notef("TryStartHook(%v) = %v", w.k.id, ok)
	if ok {
		w.regs = append(w.regs, nil)
	}
	return ok
}

// hooked submits an I/O whose callback finds its watch.
func (r *rig) hooked(li int) *watch {
	return r.submit(li, func(w *watch) { w.k.SetPrivate(w) })
}

func TestHookCancelComplete(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.hooked(0)
		tr.Actor("hook", w.hook)
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(r.lanes[0], OK, 7) })
	})
}

func TestHookCancelCompleteReuse(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.hooked(0)
		tr.Actor("hook", w.hook)
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		reuse(r, 0, false)
	})
}

func TestHookOrFunctionIsTaken(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.hooked(0)
		tr.Actor("hook", w.hook)
		tr.Actor("register", func() { w.register(nil) })
		tr.Actor("cancel", w.cancel)
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
	})
}

// What a queue does that gives an I/O to a device with Cancel, in one step.
func TestHookedStartMeetsCancel(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.hooked(0)
		tr.Actor("dispatch", func() {
			if w.startHook() {
				w.complete(r.lanes[0], OK, 7)
				return
			}
			if !w.k.Cancelled() {
				tr.Failf("S6: kept from starting, and not cancelled")
			}
			w.complete(r.lanes[0], Cancelled, 0)
		})
		tr.Actor("cancel 1", w.cancel)
		tr.Actor("cancel 2", w.cancel)
		tr.Final(func() {
			if ev := r.evs[0]; ev.Started != (len(w.regs) == 1) {
				tr.Failf("S6: hooked and started %v, and the event says %v", !ev.Started, ev.Started)
			}
		})
	})
}

// A target that is one generation late.
func TestStaleHooksTouchNothing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.hooked(0)
		next := reuse(r, 0, true)
		tr.Actor("stale target", func() {
			w.complete(nil, OK, 7)
			w.hook()
			if w.k.TryStartHook(watchHook) {
				tr.Failf("S5: a stale TryStartHook was let through")
			}
		})
		tr.Actor("cancel", w.cancel)
		tr.Final(func() {
			require.Equal(tr, []error{nil}, next.regs)
			require.Equal(tr, []end{{Delivered, MediaError, 9}}, next.ends)
		})
	})
}

// What was refused, and why, and that a cancel before the hook is not lost.
func TestHookAfterACancelRuns(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.hooked(0)
		tr.Actor("target", func() {
			w.cancel()
			if w.startHook() {
				tr.Failf("S6: started after a cancel")
			}
			w.hook()
			w.hook()
			w.complete(r.lanes[0], Cancelled, 0)
			w.hook()
		})
		tr.Actor("cancel", w.cancel)
		tr.Final(func() { require.Equal(tr, []error{nil, ErrCancelFuncSet, ErrCompleted}, w.regs) })
	})
}

// The events of a batch are there once it is flushed, for a reader that sleeps.
func TestBatchIsReaped(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w, v := r.submit(0, nil), r.submit(0, nil)
		tr.Actor("complete", func() {
			b := NewBatch(r.lanes[0])
			for i, x := range []*watch{w, v} {
				x.ends = append(x.ends, end{b.Complete(x.k, OK, int64(i), Times{}), OK, int64(i)})
			}
			b.Flush()
		})
		tr.Actor("reap", func() { r.reap(2) })
		tr.Actor("cancel", v.cancel)
	})
}

// A handler gets them as well.
func TestBatchIsHandled(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		var r *rig
		r = newRigOn(tr, 2, 1, func(_ lane.Lane, evs []Event) { r.note(evs) })
		w, v := r.submit(0, nil), r.submit(0, nil)
		tr.Actor("lane", func() {
			r.looks = true
			b := NewBatch(r.lanes[0])
			b.Complete(w.k, OK, 1, Times{})
			b.Complete(v.k, OK, 2, Times{})
			b.Flush()
			w.ends, v.ends = []end{{Delivered, OK, 1}}, []end{{Delivered, OK, 2}}
			r.lanes[0].run()
		})
		tr.Actor("cancel", v.cancel)
	})
}
