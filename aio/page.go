package aio

import (
	"sync/atomic"

	"blksim/aio/lane"
	"blksim/internal/step"
)

const (
	pageShift = 6
	pageSlots = 1 << pageShift // kiocbs a page: 4 KiB of bodies
)

// A page holds pageSlots kiocbs, apart by how they are used: the contended
// words; the bodies, which hold no pointers, so the collector does not look at
// them; and the cold parts, which do. Pages are made when an index in them is
// first used, and stay until the context goes.
type page struct {
	words  *[pageSlots]cancelWord
	bodies *[pageSlots]body
	cold   [pageSlots]cold
}

// body is what an I/O is: 64 bytes, without pointers. Its submitter writes it
// before the word says LIVE; then it belongs to the target until Complete.
type body struct {
	off        int64
	length     int64
	data       uint64
	result     int64     // valid from PENDING on
	dispatched lane.Time // when the target handed it to its device, or 0
	returned   lane.Time // when the device gave it back, or 0
	deadline   lane.Time
	op         Op
	flags      Flags
	status     Status // valid from PENDING on
	_          [5]byte
}

// cold is the part with pointers.
type cold struct {
	buf     []byte
	fn      CancelFunc // written in ARMING, read in CANCELLING
	private any        // the target's; kept across generations
}

// newPage makes a page whose slots are FREE in generation 1.
func newPage() *page {
	p := &page{words: new([pageSlots]cancelWord), bodies: new([pageSlots]body)}
	for i := range p.words {
		p.words[i].Store(wordOf(1, stateFree))
	}
	return p
}

// pageTable is the array of lazily made pages. Slots are set once, by a CAS, and
// only to pages that are ready for use.
type pageTable struct {
	pages []atomic.Pointer[page]
	alloc func() *page // newPage; nil results are out of memory
}

func newPageTable(capacity int, alloc func() *page) pageTable {
	return pageTable{pages: make([]atomic.Pointer[page], (capacity+pageSlots-1)/pageSlots), alloc: alloc}
}

// find returns the page of index, or nil if it was never made or the index is
// out of range. Any goroutine.
func (t *pageTable) find(index uint32) *page {
	n := index >> pageShift
	if int(n) >= len(t.pages) {
		return nil
	}
	step.Read(&t.pages[n])
	return t.pages[n].Load()
}

// need returns the page of index, and makes it first if it must; nil if there is
// no memory for it. Two lanes may race: one page wins, and both use it.
func (t *pageTable) need(index uint32) *page {
	if p := t.find(index); p != nil {
		return p
	}
	p := t.alloc()
	if p == nil {
		return nil
	}
	slot := &t.pages[index>>pageShift]
	step.Write(slot)
	if slot.CompareAndSwap(nil, p) {
		return p
	}
	return t.find(index)
}
