//go:build interleave

package aio

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/explore"
	"blksim/internal/step"
)

// Scenarios about what lanes share when they submit: tags, pages, places.

// pool is a tag pool with what the actors of a scenario took.
type pool struct {
	tr *explore.Trial
	tagPool
	capacity int
	took     map[uint32]int // by tag; only Final looks at it
}

func newPool(tr *explore.Trial, capacity, lanes int) *pool {
	p := &pool{tr: tr, capacity: capacity, took: map[uint32]int{}}
	p.init(capacity, lanes)
	for i := range lanes {
		tr.Name(&p.caches[i].word, fmt.Sprint("cache ", i))
	}
	tr.Name(&p.warm, "warm tags")
	for g := range p.free {
		tr.Name(&p.free[g], fmt.Sprint("free ", g))
	}
	tr.Invariant(func() { checkTags(tr, &p.tagPool, nil) })
	tr.Final(func() {
		held := 0
		for tag, n := range p.took {
			if n > 1 {
				tr.Failf("S10: tag %d was taken by %d", tag, n)
			}
			held += n
		}
		if n := p.count(); n+held != p.capacity {
			tr.Failf("S10: %d tags in the pool and %d taken, of %d", n, held, p.capacity)
		}
	})
	return p
}

// get takes want tags on lane li.
func (p *pool) get(li, want int) {
	for want > 0 {
		group, mask := p.take(li, want)
		p.tr.Notef("lane %d took %#x of group %d", li, mask, group)
		if n := bits.OnesCount32(mask); n == 0 || n > want {
			p.tr.Failf("take(%d) took %d", want, n)
		}
		for ; mask != 0; mask &= mask - 1 {
			p.took[group*groupTags+uint32(bits.TrailingZeros32(mask))]++
			want--
		}
	}
}

// put returns a tag that the setup took.
func (p *pool) put(tag uint32) {
	p.took[tag]--
	p.give(tag/groupTags, 1<<(tag%groupTags))
}

// hoard leaves all free tags, of the one group that there is, in lane li's cache.
func (p *tagPool) hoard(li int) {
	_, mask := p.refill(&p.caches[li])
	p.caches[li].word.Store(uint64(mask))
}

func TestTakeFromBitmap(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 2, 3)
		tr.Actor("lane 0", func() { p.get(0, 1) })
		tr.Actor("lane 1", func() { p.get(1, 1) })
	})
}

func TestTakeMeetsGive(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 2, 3) // fewer tags than lanes, and one of them is out
		p.get(2, 1)
		tr.Actor("lane 0", func() { p.get(0, 1) })
		tr.Actor("lane 1", func() { p.get(1, 1) })
		tr.Actor("give", func() { p.put(0) })
	})
}

func TestTakeByStealing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 3, 4)
		p.hoard(2)
		p.get(2, 1)
		tr.Actor("lane 0", func() { p.get(0, 1) })
		tr.Actor("lane 1", func() { p.get(1, 1) })
		tr.Actor("give", func() { p.put(0) })
	})
}

// Three lanes with as many tags as they want, all found in the bitmap by one of
// them: while that one has them in hand, the others wait, and do not go on for ever
// stealing one tag from each other.
func TestThreeTakeFromBitmap(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 3, 3)
		for li := range 3 {
			tr.Actor(fmt.Sprint("lane ", li), func() { p.get(li, 1) })
		}
	})
}

// The owner of a cache takes from it while two others steal from it.
func TestTakeWhileStolenFrom(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 4, 3)
		p.hoard(2)
		tr.Actor("lane 0", func() { p.get(0, 1) })
		tr.Actor("lane 1", func() { p.get(1, 1) })
		tr.Actor("owner", func() { p.get(2, 2) })
	})
}

func TestTakeManyFromTwoGroups(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, groupTags+2, 2)
		p.get(0, groupTags-1) // one tag left of group 0, two of group 1
		tr.Actor("lane 0", func() { p.get(0, 2) })
		tr.Actor("lane 1", func() { p.get(1, 1) })
		tr.Actor("give", func() { p.put(3) })
	})
}

// Tags of one group come back at once, and nobody's cache takes them together.
func TestGiveMeetsGive(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 3, 1)
		p.get(0, 3)
		tr.Actor("give 0", func() { p.put(0) })
		tr.Actor("give 1", func() { p.put(1) })
		tr.Actor("lane 0", func() { p.get(0, 1) })
	})
}

// Two tags of one group come back to the bitmap, since nobody's cache has others.
func TestGiveMeetsGiveInTheBitmap(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 2*groupTags, 1)
		p.get(0, 2*groupTags)
		p.put(groupTags)
		tr.Actor("give 0", func() { p.put(0) })
		tr.Actor("give 1", func() { p.put(1) })
	})
}

// What came back is there for one of two lanes; the other finds the rest.
func TestTakeWarm(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, groupTags+1, 2)
		p.get(0, groupTags)
		p.put(0)
		tr.Actor("lane 0", func() { p.get(0, 1) })
		tr.Actor("lane 1", func() { p.get(1, 1) })
	})
}

// Tags of two empty groups, whose hints are out of date, come back while two lanes
// look for them: one group's go to nobody's cache, and the other's to the bitmap.
func TestGiveToTwoGroups(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		p := newPool(tr, 3*groupTags, 2)
		p.get(0, 3*groupTags)
		tr.Actor("give to 0", func() { p.put(0) })
		tr.Actor("give to 2", func() { p.put(2 * groupTags) })
		tr.Actor("lane 0", func() { p.get(0, 1) })
		tr.Actor("lane 1", func() { p.get(1, 1) })
	})
}

// Two lanes submit the first I/Os of a page, and a walker looks at it meanwhile.
func TestPageIsInstalledOnce(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, pageSlots, 2)
		r.shut = true
		made := 0
		r.c.table.alloc = func() *page { made++; return newPage() }
		a, b := r.watch(), r.watch()
		tr.Actor("lane 0", func() { a.submit(0, nil); a.complete(r.lanes[0], OK, 1) })
		tr.Actor("lane 1", func() { b.submit(1, nil) })
		tr.Actor("walk", func() {
			for _, index := range []uint32{0, groupTags} { // the first of each lane
				p := r.c.table.find(index)
				if p == nil {
					continue
				}
				if w := load(&p.slots[index].word); wordGen(w) > 1 {
					tr.Failf("S11: a slot that is not new: %#x", w)
				}
				r.c.Cancel(makeID(1, index))
			}
		})
		tr.Final(func() {
			if made < 1 || made > 2 {
				tr.Failf("S11: %d pages were made", made)
			}
			pa, _ := a.k.page()
			pb, _ := b.k.page()
			require.Same(tr, pa, pb)
		})
	})
}

// One of two lanes gets no memory for the page.
func TestFailedPageLosesNoTag(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 2)
		calls := 0
		r.c.table.alloc = func() *page {
			step.Write(&calls)
			if calls++; calls == 1 {
				return nil
			}
			return newPage()
		}
		a, b := r.watch(), r.watch()
		tr.Actor("lane 0", func() { a.submit(0, nil) })
		tr.Actor("lane 1", func() { b.submit(1, nil) })
		tr.Final(func() {
			for _, w := range []*watch{a, b} {
				if w.refused != nil {
					require.ErrorIs(tr, w.refused, ErrNoMemory)
				}
			}
			require.False(tr, a.refused != nil && b.refused != nil, "both were refused")
		})
	})
}

// One place, one tag, three lanes: the tag is found wherever it is, and nobody is
// let in twice.
func TestOnePlaceThreeLanes(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 3)
		r.c.tags.hoard(2)
		ws := []*watch{r.watch(), r.watch(), r.watch()}
		for i, w := range ws {
			tr.Actor(fmt.Sprint("lane ", i), func() { w.submit(i, nil) })
		}
		tr.Final(func() {
			in := 0
			for _, w := range ws {
				if w.refused == nil {
					in++
				} else {
					require.ErrorIs(tr, w.refused, ErrFull)
				}
			}
			require.Equal(tr, 1, in)
		})
	})
}

// A batch that gets only part of the room, against a single submit.
func TestBatchMeetsSubmit(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 2)
		var h holder
		n, w := 0, r.watch()
		tr.Actor("batch", func() {
			ids := make([]ID, 2)
			got, err := r.c.SubmitBatch(r.lanes[0], &h, []IO{{Data: 1}, {Data: 2}}, ids)
			if n = got; got < 2 {
				require.ErrorIs(tr, err, ErrFull)
			}
			for i, k := range h.ks {
				require.Equal(tr, ids[i], k.ID())
				require.Equal(tr, Delivered, k.Complete(nil, OK, 0))
			}
		})
		tr.Actor("single", func() {
			if w.submit(1, nil); w.refused == nil {
				w.complete(r.lanes[1], OK, 7)
			}
		})
		tr.Final(func() {
			in := n
			if w.refused == nil {
				in++
			}
			require.Len(tr, h.ks, n)
			require.Len(tr, r.evs, in)
			require.GreaterOrEqual(tr, in, 2)
		})
	})
}
