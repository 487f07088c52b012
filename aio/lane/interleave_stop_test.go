//go:build interleave

package lane

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/explore"
)

// Scenarios about the end of a group. The rig checks what was accepted and refused.

func TestPostMeetsStop(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		tr.Actor("post", func() {
			for range 3 {
				r.post("a", 0, nil)
			}
		})
		tr.Actor("close", r.close)
	})
}

func TestPostersMeetStop(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		for _, name := range []string{"a", "b"} {
			tr.Actor(name, func() { r.post(name, 0, nil) })
		}
		tr.Actor("close", r.close)
	})
}

// Two close at once: both wait for both lanes.
func TestCloseMeetsClose(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 0)
		r.post("setup", 1, nil)
		tr.Actor("close 1", r.close)
		tr.Actor("close 2", r.close)
	})
}

// What the last functions post to another lane runs there or is refused.
func TestLanesPostToEachOtherAtTheEnd(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 0)
		r.post("setup", 0, func() { r.post("lane 0", 1, nil) })
		r.post("setup", 1, func() { r.post("lane 1", 0, nil) })
		tr.Actor("close", r.close)
	})
}

// Of a batch that takes more than one turn, all runs.
func TestStopMeetsALongBatch(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		for range 2*turn + 1 {
			r.post("a", 0, nil)
		}
		tr.Actor("post", func() { r.post("b", 0, nil) })
		tr.Actor("close", r.close)
	})
}

// do calls Do with a function that has done called on lane last, and judges the
// answer: nil if and only if done was called.
func (r *rig) do(first, last int) {
	called := false
	err := r.r.Do(first, func(done func()) {
		end := func() { called = true; done() }
		if last == first {
			end()
			return
		}
		r.post("do", last, end)
	})
	r.tr.Notef("Do = %v", err)
	if err != nil {
		require.ErrorIs(r.tr, err, ErrClosed)
	}
	if (err == nil) != called {
		r.tr.Failf("Do = %v, done called: %v", err, called)
	}
}

func TestDoMeetsStop(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		tr.Actor("do", func() { r.do(0, 0) })
		tr.Actor("close", r.close)
	})
}

// done is called on another lane than f ran on, which may refuse it.
func TestDoAcrossLanesMeetsStop(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 0)
		tr.Actor("do", func() { r.do(0, 1) })
		tr.Actor("close", r.close)
	})
}

func TestDoThatNobodyFinishesEndsWithTheGroup(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		tr.Actor("do", func() { require.ErrorIs(tr, r.r.Do(0, func(func()) {}), ErrClosed) })
		tr.Actor("close", r.close)
	})
}

// A lane that dies in the middle of its batch takes the other with it, and who
// waits for it learns of that.
func TestLaneThatDiesStopsTheGroup(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 0)
		require.True(tr, r.r.lanes[0].inbox.post(func() { panic(exit{}) }))
		tr.Actor("do", func() {
			err := r.r.Do(1, func(done func()) { r.r.Lane(0).Post(done) })
			require.ErrorIs(tr, err, ErrClosed)
		})
		tr.Actor("post", func() { r.post("a", 1, nil) })
	})
}

// Close meets a lane that dies.
func TestCloseMeetsALaneThatDies(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 0)
		require.True(tr, r.r.lanes[0].inbox.post(func() { panic(exit{}) }))
		tr.Actor("close", r.close)
	})
}
