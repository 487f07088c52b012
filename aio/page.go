package aio

import (
	"sync/atomic"

	"blksim/aio/lane"
	"blksim/internal/step"
)

const (
	pageShift = 10
	pageSlots = 1 << pageShift // kiocbs a page
)

// A page holds pageSlots kiocbs. Pages are made when an index in them is first
// used, and stay until the context goes. They are large objects of the allocator,
// which begin at a page of memory, so that each slot is one line of the cache.
type page struct {
	slots   [pageSlots]slot
	private [pageSlots]any   // the targets'; kept across generations
	times   [pageSlots]Times // if slot.result says that there are any; last, so that the collector does not look at them
}

func newPage() *page { return new(page) }

// slot is an I/O, in one line of the cache: whoever submits, completes, cancels or
// reaps it needs most of it, and an I/O that goes to another core, or that is
// cancelled as one of very many, costs one line and not three.
//
// Its submitter writes it before the word says LIVE; then it belongs to the target
// until Complete, and then to the reaper.
type slot struct {
	word   cancelWord
	fn     CancelFunc // written in ARMING, read in CANCELLING
	buf    *byte      // the first byte of the buffer, which is as long as the extent
	off    int64
	extent int64 // length<<extentShift | Flags<<opBits | Op
	data   uint64
	result int64 // n<<resultShift | whether there are times | Status

	deadline lane.Time
}

const (
	opBits      = 8 // of slot.extent
	extentShift = 12

	hasTimes    = 1 << 8 // of slot.result, above the Status
	resultShift = 10

	maxLen = 1<<(63-extentShift) - 1
)

func (s *slot) op() Op        { return Op(s.extent) }
func (s *slot) flags() Flags  { return Flags(s.extent>>opBits) & (1<<(extentShift-opBits) - 1) }
func (s *slot) length() int64 { return s.extent >> extentShift }

// pageTable is the array of lazily made pages. Pointers are set once, by a CAS, and
// only to pages that are ready for use.
type pageTable struct {
	pages []atomic.Pointer[page]
	alloc func() *page // newPage; nil results are out of memory
}

func newPageTable(capacity int, alloc func() *page) pageTable {
	return pageTable{pages: make([]atomic.Pointer[page], (capacity+pageSlots-1)/pageSlots), alloc: alloc}
}

// slot returns an index's, whose page is made.
func (t *pageTable) slot(index uint32) *slot {
	return &t.pages[index>>pageShift].Load().slots[index&(pageSlots-1)]
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
