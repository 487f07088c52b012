//go:build interleave

package lane

import (
	"testing"

	"blksim/internal/explore"
)

// Scenarios about posting. That a wake-up is lost shows as a lane that is stuck:
// it waits for a token, and nobody is left to send one.

// Each post finds the lane running, about to park, or parked.
func TestPostMeetsPark(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 3)
		tr.Actor("post", func() {
			for range 3 {
				r.post("a", 0, nil)
			}
		})
	})
}

// Two senders against the drain: each keeps its order, and nothing is lost.
func TestPostersMeetDrain(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 4)
		for _, name := range []string{"a", "b"} {
			tr.Actor(name, func() {
				r.post(name, 0, nil)
				r.post(name, 0, nil)
			})
		}
	})
}

func TestThreePostersMeetPark(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 3)
		for _, name := range []string{"a", "b", "c"} {
			tr.Actor(name, func() { r.post(name, 0, nil) })
		}
	})
}

// What a function posts to its own lane, with another sender beside it, runs later,
// never inline, and after the rest of the batch, which stays as it was.
func TestPostDuringDrain(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 6)
		r.post("setup", 0, func() {
			r.post("lane", 0, func() { r.post("lane", 0, nil) })
			r.post("lane", 0, nil)
		})
		r.post("setup", 0, nil)
		tr.Actor("post", func() { r.post("a", 0, nil) })
	})
}

// Two lanes post to each other, each of which may be parked.
func TestLanesPostToEachOther(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 4)
		r.post("setup", 0, func() {
			r.post("lane 0", 1, func() { r.post("lane 1", 0, nil) })
			r.post("lane 0", 1, nil)
		})
	})
}

// A batch that takes more than one turn, with posts between the turns.
func TestPostMeetsALongBatch(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		for range turn {
			r.post("a", 0, nil)
		}
		r.post("a", 0, func() { r.last, r.count = 3, 0 }) // itself is one
		tr.Actor("a", func() {
			r.post("a", 0, nil)
			r.post("a", 0, nil)
		})
	})
}
