package aio

import (
	"math/bits"
	"unsafe"

	"blksim/aio/lane"
	"blksim/internal/step"
)

// IO is one I/O to submit.
type IO struct {
	Op    Op
	Flags Flags
	Off   int64  // first byte
	Len   int64  // bytes; len(Buf) if there is a Buf; less than 2 PiB
	Buf   []byte // the data; the target's until the event
	Data  uint64 // comes back in the event

	// Deadline is when the target cancels the I/O by itself, as Context.Cancel
	// would, on the clock of its lanes; 0: never. Targets that do not keep
	// deadlines say so.
	Deadline lane.Time
}

// Submit starts one I/O on t. It is called on lane l, one of Options.Lanes, and
// never waits. On an error nothing was started and there will be no event; else
// there will be exactly one. The I/O may have completed when Submit returns.
func (c *Context) Submit(l lane.Lane, t Target, io IO) (ID, error) {
	p := c.port(l)
	if p == nil {
		panic("aio: Submit on a lane that the context does not have")
	}
	if !io.wellFormed() {
		return 0, ErrLength
	}
	if _, err := c.reserve(1); err != nil {
		return 0, err
	}
	group, mask := c.tags.take(p.index, 1)
	pg := c.table.need(group * groupTags) // a group's slots are on one page
	if pg == nil {
		c.tags.give(group, mask)
		c.unreserve(1)
		return 0, ErrNoMemory
	}
	k := [1]Kiocb{{c: c}}
	c.publish(pg, group, mask, unsafe.Slice(&io, 1), k[:])
	t.Start(l, k[0])
	if c.isClosed() { // after the publication: either Shutdown's walk sees the I/O, or we see this
		c.cancel(l, k[0].id)
	}
	return k[0].id, nil
}

// SubmitBatch starts ios on t, in order, as many as there is room for, and
// returns how many; ids[i] is then the ID of ios[i], where ids is long enough.
// The error says why it stopped early. See Submit.
func (c *Context) SubmitBatch(l lane.Lane, t Target, ios []IO, ids []ID) (int, error) {
	p := c.port(l)
	if p == nil {
		panic("aio: SubmitBatch on a lane that the context does not have")
	}
	want := 0
	for want < len(ios) && ios[want].wellFormed() {
		want++
	}
	n, err := 0, error(nil)
	if want > 0 {
		n, err = c.reserve(want)
	}
	if err != nil {
		return 0, err
	}
	for len(p.batch) < n {
		p.batch = append(p.batch, Kiocb{c: c})
	}
	batch := p.batch
	done := 0
	for done < n {
		group, mask := c.tags.take(p.index, n-done)
		pg := c.table.need(group * groupTags)
		if pg == nil {
			c.tags.give(group, mask)
			c.unreserve(n - done)
			return p.start(t, batch[:done], ids), ErrNoMemory
		}
		done += c.publish(pg, group, mask, ios[done:], batch[done:])
	}
	batch = batch[:n]
	p.start(t, batch, ids)
	switch {
	case n < want:
		return n, ErrFull
	case n < len(ios):
		return n, ErrLength
	}
	return n, nil
}

// start hands a published batch to its target, unless it is empty.
func (p *port) start(t Target, batch []Kiocb, ids []ID) int {
	if len(batch) == 0 {
		return 0
	}
	// The batch is ours again only after the target has returned, and the
	// target may submit: take it off the port meanwhile.
	p.batch = nil
	for i := range min(len(ids), len(batch)) {
		ids[i] = batch[i].id
	}
	p.corked++
	if bt, ok := t.(BatchTarget); ok {
		bt.StartBatch(p.lane, batch)
	} else {
		for _, k := range batch {
			t.Start(p.lane, k)
		}
	}
	p.uncork()
	if p.c.isClosed() {
		for _, k := range batch {
			p.c.cancel(p.lane, k.id)
		}
	}
	p.batch = batch
	return len(batch)
}

// publish fills the slots of a group's tags, all on page p, from as many of ios, and
// makes them LIVE. It writes their IDs to ks and returns how many there are.
func (c *Context) publish(p *page, group, mask uint32, ios []IO, ks []Kiocb) int {
	n := bits.OnesCount32(mask)
	ios, ks = ios[:n], ks[:n]
	for at := range ios {
		tag := group*groupTags + uint32(bits.TrailingZeros32(mask))
		mask &= mask - 1
		io, s := &ios[at], &p.slots[tag&(pageSlots-1)]
		step.Write(&s.off)
		s.off, s.extent = io.Off, io.Len<<extentShift|int64(io.Flags)<<opBits|int64(io.Op)
		s.data, s.deadline, s.result = io.Data, io.Deadline, 0
		step.Write(&s.fn)
		s.buf = unsafe.SliceData(io.Buf)
		gen := max(wordGen(s.word.Load()), 1) // ours alone: the tag is
		ks[at].id, ks[at].slot = makeID(gen, tag), s
		step.Write(&s.word)
		s.word.Store(wordOf(gen, stateLive))
	}
	return n
}

// wellFormed says whether the buffer, if there is one, is as long as the extent.
func (io *IO) wellFormed() bool {
	return (io.Buf == nil || int64(len(io.Buf)) == io.Len) && uint64(io.Len+maxLen) <= 2*maxLen
}
