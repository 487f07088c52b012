package nvme

// A scatter lays several buffers onto the data addresses of a slot.
//
// PRPs can describe any one buffer, but of several only those that meet at page
// boundaries (Base 4.1.1: only the first page may begin, and only the last may
// end, within a page). Instead of a limit that every user of the driver would
// have to know, it does what it takes:
//
//   - The buffers lie one behind the other, the first so that it ends at a page
//     boundary. Two buffers, and any run of buffers of whole pages, thus need no
//     copy.
//   - A page that is still made of more than one buffer, or whose bytes are not
//     aligned to 4 in memory (a data pointer is, in its two lowest bits), is
//     bounced: the controller sees a page of the scatter's own, and its data is
//     copied once. Some bounce pages are kept for the next use.
//
// A limit in the manner of Linux's virt_boundary_mask was the alternative: it
// makes every layer above split what it has just merged.
//
// The queue's lane owns it and the controller's looks through window, in turns;
// see [memory].
type scatter struct {
	// pages[i] is the memory at page i of the window up to the end of its
	// piece, which may be more than a page; page 0 begins at offset first.
	pages   [][]byte
	first   int
	bounced []int32 // the pages that are copies, in order
	bounce  []byte  // their memory
}

// keepBounce is how many bytes of bounce pages a slot keeps for its next use.
const keepBounce = 16 * pageSize

// attach maps bufs, n bytes in all. toDevice says which way the data goes.
func (s *scatter) attach(bufs [][]byte, n int, toDevice bool) {
	s.first = 0
	if end := -len(bufs[0]) & (pageSize - 1); len(bufs) > 1 && end&3 == 0 {
		s.first = end
	}
	s.layOut(bufs, n)
	if len(s.bounced) > 0 {
		s.makeBounce(bufs, n, toDevice)
	}
}

// layOut fills pages; a page that must be bounced stays nil.
func (s *scatter) layOut(bufs [][]byte, n int) {
	at := cursor{bufs: bufs}
	for done := 0; done < n; {
		off := (s.first + done) & (pageSize - 1)
		want := min(pageSize-off, n-done)
		piece := at.piece()
		if len(piece) < want || !isAligned(piece) {
			s.bounced = append(s.bounced, int32(len(s.pages)))
			s.pages = append(s.pages, nil)
			at.skip(want)
			done += want
			continue
		}
		run := len(piece)
		if done+run < n {
			// The page that the run ends in, if it ends within one, belongs to
			// the next buffer too: the window must not show it here.
			run = (off+run)&^(pageSize-1) - off
		}
		for begin, next := 0, pageSize-off; begin < run; begin, next = next, next+pageSize {
			s.pages = append(s.pages, piece[begin:run])
		}
		at.skip(run)
		done += run
	}
}

// makeBounce gives memory to the pages that layOut left nil.
func (s *scatter) makeBounce(bufs [][]byte, n int, toDevice bool) {
	if need := len(s.bounced) * pageSize; len(s.bounce) < need {
		s.bounce = aligned(need)
	}
	at := cursor{bufs: bufs}
	done := 0
	for k, page := range s.bounced {
		begin, end := s.extent(int(page), n)
		b := s.bounce[k*pageSize:][:end-begin]
		if toDevice {
			at.skip(begin - done)
			at.copyTo(b)
			done = end
		}
		s.pages[page] = b
	}
}

// extent is the part of the n bytes of data that lies on a page.
func (s *scatter) extent(page, n int) (begin, end int) {
	return max(page*pageSize-s.first, 0), min((page+1)*pageSize-s.first, n)
}

// copyBack copies what the device put on bounce pages to bufs.
func (s *scatter) copyBack(bufs [][]byte, n int) {
	at := cursor{bufs: bufs}
	done := 0
	for _, page := range s.bounced {
		begin, end := s.extent(int(page), n)
		at.skip(begin - done)
		at.copyFrom(s.pages[page])
		done = end
	}
}

func (s *scatter) detach() {
	clear(s.pages)
	s.pages, s.bounced = s.pages[:0], s.bounced[:0]
	if len(s.bounce) > keepBounce {
		s.bounce = nil
	}
}

// window returns the n bytes at an offset of the slot's data addresses.
func (s *scatter) window(off, n int) ([]byte, bool) {
	page := off >> pageShift
	if page >= len(s.pages) {
		return nil, false
	}
	off &= pageSize - 1
	if page == 0 {
		if off < s.first {
			return nil, false
		}
		off -= s.first
	}
	return cut(s.pages[page], off, n)
}

// cursor is a place in a list of buffers.
type cursor struct {
	bufs [][]byte
	off  int // in bufs[0]
}

// piece is what is left of the buffer that the cursor is in; the list must not
// be at its end.
func (c *cursor) piece() []byte {
	for c.off == len(c.bufs[0]) {
		c.bufs, c.off = c.bufs[1:], 0
	}
	return c.bufs[0][c.off:]
}

func (c *cursor) skip(n int) {
	for n > 0 {
		k := min(n, len(c.piece()))
		c.off += k
		n -= k
	}
}

func (c *cursor) copyTo(b []byte) {
	for len(b) > 0 {
		k := copy(b, c.piece())
		c.off += k
		b = b[k:]
	}
}

func (c *cursor) copyFrom(b []byte) {
	for len(b) > 0 {
		k := copy(c.piece(), b)
		c.off += k
		b = b[k:]
	}
}
