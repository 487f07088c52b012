//go:build interleave

package lane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/explore"
	"blksim/internal/step"
)

// Scenarios about a lane that waits in an engine's ring.

// well is a Waiter into which actors drop completions. What is in it is one shared
// word, and its token another, as the kernel's completion queue and an eventfd.
type well struct {
	r       *rig
	dropped int
	drawn   int
	last    int // of what is drawn, stops the group; 0: the scenario does
	token   chan struct{}
}

// newWell attaches a well to a lane that does not run yet.
func (r *rig) newWell(lane int) *well {
	w := &well{r: r, token: make(chan struct{}, 1)}
	r.tr.Name(&w.dropped, "well")
	r.tr.Name(w.token, "token")
	l := r.r.lanes[lane]
	l.waiter, l.inbox.waiter = w, w
	return w
}

func (w *well) Poll() (some bool) {
	step.Read(&w.dropped)
	some = w.drawn < w.dropped
	w.drawn = w.dropped
	if some && w.drawn == w.last {
		w.r.r.stop()
	}
	return some
}

func (w *well) Wait(time.Duration) { step.Recv(w.token) }

func (w *well) Wake() {
	step.Write(w.token)
	select {
	case w.token <- struct{}{}:
	default:
	}
}

// drop is a completion: first it is there, then who waits is woken.
func (w *well) drop() {
	step.Write(&w.dropped)
	w.dropped++
	w.Wake()
}

func TestPostMeetsWait(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 3)
		r.newWell(0)
		tr.Actor("post", func() {
			for range 3 {
				r.post("a", 0, nil)
			}
		})
	})
}

// A batch that takes more than one turn runs to its end before the lane waits.
func TestALongBatchMeetsWait(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 2*turn+2)
		r.newWell(0)
		for range 2*turn + 1 {
			r.post("a", 0, nil)
		}
		tr.Actor("post", func() { r.post("b", 0, nil) })
	})
}

// Completions and posts end the same wait; what comes last is seen, too.
func TestPostAndCompletionMeetWait(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		w := r.newWell(0)
		tr.Actor("post", func() { r.post("a", 0, nil) })
		tr.Actor("device", func() { w.drop(); w.drop() })
		tr.Actor("close", r.close)
		tr.Final(func() { require.LessOrEqual(tr, w.drawn, 2) })
	})
}

// Nothing but completions comes, and each is drawn.
func TestCompletionMeetsWait(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		w := r.newWell(0)
		w.last = 3
		tr.Actor("device", func() {
			for range w.last {
				w.drop()
			}
		})
	})
}

func TestStopMeetsWait(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 0)
		r.newWell(0)
		tr.Actor("post", func() { r.post("a", 0, nil) })
		tr.Actor("close", r.close)
	})
}

// A lane attaches and takes off what it waits in between posts, some of which mean
// to wake it in the one before.
func TestAttachMeetsPost(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 4)
		w := &well{r: r, token: make(chan struct{}, 1)}
		tr.Name(&w.dropped, "well")
		tr.Name(w.token, "token")
		l := r.r.lanes[0]
		tr.Actor("a", func() {
			r.post("a", 0, func() { l.Attach(w) })
			r.post("a", 0, func() { l.Attach(nil) })
		})
		tr.Actor("b", func() {
			r.post("b", 0, nil)
			r.post("b", 0, nil)
		})
	})
}
