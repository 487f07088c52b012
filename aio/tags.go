package aio

import (
	"math/bits"
	"sync/atomic"

	"blksim/internal/step"
)

// tagPool hands out the indexes of kiocbs.
//
// A shared bitmap holds the free tags in groups of 32. Each lane has a cache:
// one word with a group's number and which of its tags the cache holds, so that
// a lane takes any number of tags of a group with one compare-and-swap of its
// own word, and goes to the shared bitmap once for 32 tags. Because the whole
// cache is one word, a lane that finds neither a cached nor a shared tag can take
// half of what another lane's cache holds by the same compare-and-swap: a free
// tag is always found, also when there are fewer tags than lanes.
//
// Tags always go back to the shared bitmap. Take is for a caller that holds a
// reservation (Context.reserve), so that some tag is free; the only wait is for
// tags that are just on their way from the bitmap to another lane's cache.
type tagPool struct {
	free   []atomic.Uint32 // one bit a tag; 1: free and in no cache
	caches []tagCache
}

type tagCache struct {
	word atomic.Uint64 // group<<32 | mask of its tags that are held
	next uint32        // where the lane looks in the bitmap next; its own
	_    [52]byte      // a cache line each
}

const groupTags = 32

func newTagPool(capacity, lanes int) tagPool {
	p := tagPool{
		free:   make([]atomic.Uint32, (capacity+groupTags-1)/groupTags),
		caches: make([]tagCache, lanes),
	}
	for g := range p.free {
		n := min(capacity-g*groupTags, groupTags)
		p.free[g].Store(uint32(1<<n - 1))
	}
	for i := range p.caches {
		p.caches[i].next = uint32(i * len(p.free) / lanes)
	}
	return p
}

// lowest returns the lowest n bits that are set in mask.
func lowest(mask uint32, n int) uint32 {
	if n >= bits.OnesCount32(mask) {
		return mask
	}
	rest := mask
	for range n {
		rest &= rest - 1
	}
	return mask &^ rest
}

// take gives lane li between 1 and want tags of one group: tag = group*32 + bit.
// On lane li; the caller holds reservations for want tags.
func (p *tagPool) take(li, want int) (group, mask uint32) {
	c := &p.caches[li]
	for {
		step.Read(&c.word)
		w := c.word.Load()
		if held := uint32(w); held != 0 {
			m := lowest(held, want)
			step.CAS(&c.word, w)
			if c.word.CompareAndSwap(w, w&^uint64(m)) {
				return uint32(w >> 32), m
			}
			continue // stolen from
		}
		if group, mask = p.refill(c); mask == 0 {
			group, mask = p.steal(li)
		}
		if mask == 0 {
			step.Yield()
			continue
		}
		// Only what is left goes into the cache. If all did, the one tag that was
		// found could be stolen before it is taken, and stolen back, without end.
		m := lowest(mask, want)
		if rest := mask &^ m; rest != 0 {
			// Nobody else writes an empty cache, so a store is enough.
			step.Write(&c.word)
			c.word.Store(uint64(group)<<32 | uint64(rest))
		}
		return group, m
	}
}

// refill takes one group's free tags from the bitmap, for c, which is empty.
func (p *tagPool) refill(c *tagCache) (group, mask uint32) {
	n := uint32(len(p.free))
	for i := range n {
		g := c.next + i
		if g >= n {
			g -= n
		}
		step.Read(&p.free[g])
		if p.free[g].Load() == 0 {
			continue
		}
		step.Write(&p.free[g])
		if mask := p.free[g].Swap(0); mask != 0 {
			// Look here first the next time: the tags that come back are of
			// slots that are warm, and no more slots are touched than needed.
			c.next = g
			return g, mask
		}
	}
	return 0, 0
}

// steal takes half of what some other lane's cache holds, at least one tag, for
// lane li, whose cache is empty.
func (p *tagPool) steal(li int) (group, mask uint32) {
	for i := 1; i < len(p.caches); i++ {
		victim := &p.caches[(li+i)%len(p.caches)]
		step.Read(&victim.word)
		w := victim.word.Load()
		for uint32(w) != 0 {
			held := uint32(w)
			m := lowest(held, (bits.OnesCount32(held)+1)/2)
			step.CAS(&victim.word, w)
			if victim.word.CompareAndSwap(w, w&^uint64(m)) {
				return uint32(w >> 32), m
			}
			step.Read(&victim.word)
			w = victim.word.Load()
		}
	}
	return 0, 0
}

// give returns a tag. Its kiocb is FREE and of a new generation already. Any
// goroutine.
func (p *tagPool) give(tag uint32) {
	a := &p.free[tag/groupTags]
	step.Write(a)
	a.Or(1 << (tag % groupTags))
}

// count is the number of tags in the bitmap and the caches: exact while no lane
// takes or gives.
func (p *tagPool) count() int {
	n := 0
	for i := range p.free {
		n += bits.OnesCount32(p.free[i].Load())
	}
	for i := range p.caches {
		n += bits.OnesCount32(uint32(p.caches[i].word.Load()))
	}
	return n
}
