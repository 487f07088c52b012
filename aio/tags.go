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
// Tags that are reaped go back together, all of a group at once: into a cache that is
// nobody's, where the next lane in need finds them, or if there are others in it into
// the shared bitmap. A second bitmap tells in which groups to look. Take is for a caller that
// holds a reservation (Context.reserve), so that some tag is free; the only wait is
// for tags that are just on their way: from a reaper to the bitmap, or from there to
// another lane's cache.
type tagPool struct {
	free   []atomic.Uint32 // one bit a tag; 1: free and in no cache
	some   []atomic.Uint64 // one bit a group; 1: it may have free tags
	warm   atomic.Uint64   // nobody's cache, in the form of tagCache.word
	_      [56]byte
	caches []tagCache
}

type tagCache struct {
	word atomic.Uint64 // group<<32 | mask of its tags that are held
	next uint32        // the group where the lane looks first; its own
	_    [52]byte      // a cache line each
}

const groupTags = 32

// init fills the pool.
func (p *tagPool) init(capacity, lanes int) {
	p.free = make([]atomic.Uint32, (capacity+groupTags-1)/groupTags)
	p.some = make([]atomic.Uint64, (capacity+groupTags*64-1)/(groupTags*64))
	p.caches = make([]tagCache, lanes)
	for g := range p.free {
		n := min(capacity-g*groupTags, groupTags)
		p.free[g].Store(uint32(1<<n - 1))
		p.some[g/64].Or(1 << (g % 64))
	}
	for i := range p.caches {
		p.caches[i].next = uint32(i * len(p.free) / lanes)
	}
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
	// First what came back last: these slots are warm. Then where it last found
	// some, so that no more slots are touched than needed.
	step.Read(&p.warm)
	if uint32(p.warm.Load()) != 0 {
		step.Write(&p.warm)
		if w := p.warm.Swap(0); uint32(w) != 0 {
			return uint32(w >> 32), uint32(w)
		}
	}
	if mask = p.grab(c.next); mask != 0 {
		return c.next, mask
	}
	for i := range uint32(len(p.some)) {
		n := c.next/64 + i
		if n >= uint32(len(p.some)) {
			n -= uint32(len(p.some))
		}
		a := &p.some[n]
		step.Read(a)
		for hints := a.Load(); hints != 0; {
			bit := hints & -hints
			group = n*64 + uint32(bits.TrailingZeros64(bit))
			if mask = p.grab(group); mask != 0 {
				c.next = group
				return group, mask
			}
			step.Write(a)
			hints = a.And(^bit) &^ bit
			// Who gave tags in between has seen the bit, and left it.
			if mask = p.grab(group); mask != 0 {
				c.next = group
				return group, mask
			}
		}
	}
	return 0, 0
}

// grab takes all free tags of a group.
func (p *tagPool) grab(group uint32) (mask uint32) {
	a := &p.free[group]
	step.Read(a)
	if a.Load() == 0 {
		return 0
	}
	step.Write(a)
	return a.Swap(0)
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

// give returns tags of one group. Their kiocbs are FREE and of a new generation
// already. Any goroutine.
func (p *tagPool) give(group, mask uint32) {
	step.Read(&p.warm)
	w := p.warm.Load()
	if uint32(w) == 0 || uint32(w>>32) == group {
		step.Write(&p.warm)
		if p.warm.CompareAndSwap(w, uint64(group)<<32|uint64(uint32(w)|mask)) {
			return
		}
	}
	a := &p.free[group]
	step.Write(a)
	if a.Or(mask) == 0 {
		p.hint(group)
	}
}

// hint notes that a group may have free tags.
func (p *tagPool) hint(group uint32) {
	a, bit := &p.some[group/64], uint64(1)<<(group%64)
	step.Read(a)
	if a.Load()&bit == 0 {
		step.Write(a)
		a.Or(bit)
	}
}

// count is the number of tags in the bitmap and the caches: exact while no lane
// takes or gives.
func (p *tagPool) count() int {
	n := bits.OnesCount32(uint32(p.warm.Load()))
	for i := range p.free {
		n += bits.OnesCount32(p.free[i].Load())
	}
	for i := range p.caches {
		n += bits.OnesCount32(uint32(p.caches[i].word.Load()))
	}
	return n
}
