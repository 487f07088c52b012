package nvme

import (
	"sync/atomic"

	"blksim/aio/lane"
	"blksim/device/nvme"
)

// interrupts is the host's interrupt controller: a vector for each queue, by
// queue identifier. An entry is set before the controller hears of the vector.
type interrupts struct{ vectors []*vector }

var _ nvme.Interrupter = (*interrupts)(nil)

// Raise implements [nvme.Interrupter]; it runs on the controller's lane. A
// vector that nobody listens to is ignored, as hardware would.
func (x *interrupts) Raise(v int) {
	if v >= 0 && v < len(x.vectors) && x.vectors[v] != nil {
		x.vectors[v].raise()
	}
}

// A vector brings an interrupt to the lane of its queue. An interrupt that finds
// one still on its way is dropped, so a burst of completions costs one post.
type vector struct {
	lane   lane.Lane
	handle func() // bound once

	// posted is set on the controller's lane with the post, and cleared on the
	// queue's lane before it looks at the completion queue. A completion that
	// the look misses was therefore published after the clearing, and its own
	// interrupt posts again.
	posted atomic.Bool
}

func (v *vector) raise() {
	if !v.posted.Load() && !v.posted.Swap(true) {
		v.lane.Post(v.handle)
	}
}

// acknowledge is the first thing that the handler does.
func (v *vector) acknowledge() { v.posted.Store(false) }
