//go:build interleave

package aio

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/internal/explore"
	"blksim/internal/step"
)

// Scenarios about the way of an event to its reader.

// A ring of two that is gone round: nothing is overwritten, lost or seen twice,
// and the order is kept.
func TestRingPushPop(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		var r ring
		const n, size = 4, 2
		room := atomic.Int64{} // as by reservation
		room.Store(size)
		tr.Name(&r.tail, "tail")
		tr.Name(&room, "room")
		r.make(size)
		tr.Actor("push", func() {
			for i := range uint32(n) {
				for {
					step.Read(&room)
					if room.Load() > 0 {
						break
					}
					step.Yield()
				}
				step.Write(&room)
				room.Add(-1)
				if r.stage(i); i%2 == 1 { // in pairs
					r.publish()
				}
			}
		})
		tr.Actor("shift", func() {
			for next := uint32(0); next < n; {
				got := r.waits()
				if got == 0 {
					step.Yield()
				}
				for range got {
					if index := r.shift(r.own); index != next {
						tr.Failf("index %d, want %d", index, next)
					}
					next++
				}
				step.Write(&room)
				room.Add(int64(got))
			}
		})
		tr.Actor("published", func() {
			if n := r.published(); n < 0 || n > 2*size {
				tr.Failf("%d published", n)
			}
		})
	})
}

// Submit, complete and reap on two lanes, with one place: the reservation keeps
// the rings, which have room for one, from being overrun.
func TestReservationBoundsTheRing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 2)
		const each = 1
		for li, l := range r.lanes {
			tr.Actor("lane", func() {
				for range each {
					for {
						_, err := r.c.Submit(l, null{}, IO{Data: uint64(li)})
						if err == nil {
							break
						}
						require.ErrorIs(tr, err, ErrFull)
						step.Yield()
					}
				}
			})
		}
		tr.Actor("reap", func() {
			for range len(r.lanes) * each {
				r.reap(1)
			}
		})
		tr.Final(func() { require.Len(tr, r.evs, len(r.lanes)*each) })
	})
}

// One call of Events meets the I/Os of two groups of tags, and gives back those of
// each.
func TestReapFromTwoGroups(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, groupTags+2, 1)
		r.keep(groupTags - 1)
		a, b, c := r.submit(0, nil), r.submit(0, nil), r.watch()
		require.NotEqual(tr, a.k.id.index()/groupTags, b.k.id.index()/groupTags)
		a.complete(r.lanes[0], OK, 1)
		b.complete(r.lanes[0], OK, 2)
		tr.Actor("reap", func() { r.reap(2) })
		tr.Actor("submit", func() { c.submit(0, nil) })
	})
}

// What a batch completes at once is published together when its target returns,
// and what completes after that again by itself.
func TestBatchCompletesAtOnce(t *testing.T) {
	for name, more := range map[string]int{"alone": 0, "and one more": 1} {
		t.Run(name, func(t *testing.T) {
			every(t, func(tr *explore.Trial) {
				r := newRig(tr, 4, 1)
				w := r.watch()
				tr.Actor("lane 0", func() {
					n, err := r.c.SubmitBatch(r.lanes[0], nullBatch{}, []IO{{Data: 1}, {Data: 2}}, nil)
					require.NoError(tr, err)
					require.Equal(tr, 2, n)
					if more > 0 {
						w.submit(0, nil)
						w.complete(r.lanes[0], OK, 7)
					} else {
						w.refused = ErrFull
					}
				})
				tr.Actor("reap", func() { r.reap(2 + more) })
			})
		})
	}
}

// A slot is used again while its reaper is at it, by whoever gets its tag.
func TestReapMeetsReuse(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		w.register(nil)
		r.keep(1)
		next := r.watch()
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		tr.Actor("reap", r.poll)
		tr.Actor("next", func() {
			next.submit(0, func(*watch) { next.register(nil) })
			next.cancel()
		})
	})
}

// Two deliver outside all lanes at once, and one on a lane.
func TestOutsideRingHasManyProducers(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 3, 1)
		a, b, c := r.submit(0, nil), r.submit(0, nil), r.submit(0, nil)
		tr.Actor("outside 1", func() { a.complete(nil, OK, 1) })
		tr.Actor("outside 2", func() { b.complete(nil, OK, 2) })
		tr.Actor("lane 0", func() { c.complete(r.lanes[0], OK, 3) })
		tr.Actor("reap", func() { r.reap(1) })
	})
}

// With a handler: what is pushed is handled, by the lane, whoever pushed it and
// whenever.
func TestHandlerGetsEveryEvent(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		handled := 0
		var r *rig
		r = newRigOn(tr, 3, 1, func(l lane.Lane, evs []Event) {
			if l != lane.Lane(r.lanes[0]) {
				tr.Failf("handled on %v", l)
			}
			handled += len(evs)
			r.note(evs)
		})
		a, b, c := r.submit(0, nil), r.submit(0, nil), r.submit(0, nil)
		l := r.lanes[0]
		tr.Actor("lane 0", func() {
			a.complete(l, OK, 1)
			for handled < 3 {
				step.Write(l)
				if len(l.posted) == 0 {
					step.Yield()
					continue
				}
				f := l.posted[0]
				l.posted = l.posted[1:]
				f()
			}
		})
		tr.Actor("outside 1", func() { b.complete(nil, OK, 2) })
		tr.Actor("outside 2", func() { c.complete(nil, OK, 3) })
	})
}
