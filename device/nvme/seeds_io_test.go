package nvme_test

import (
	"slices"

	"blksim/device/nvme/spec"
	"blksim/sim/faultplan"
)

// take finds a region that nobody uses; -1 if a few looks find none.
func (h *seedHost) take() int {
	for range 4 {
		if i := h.rnd.IntN(seedRegions); !h.regions[i].busy {
			h.regions[i].busy = true
			return i
		}
	}
	return -1
}

// seedBuffer is the buffer of a command: one for each region, and one more for
// the second command of a fused pair.
func seedBuffer(region, which int) uint64 {
	return busBase + 64<<10 + uint64(2*region+which)*4096
}

// submitIO submits a random I/O command.
func (h *seedHost) submitIO(q int) {
	i := h.take()
	if i < 0 {
		return
	}
	c := seedCommand{region: i, source: -1, buf: seedBuffer(i, 0), value: byte(1 + h.rnd.IntN(255))}
	ops := []uint8{spec.IORead, spec.IORead, spec.IOWrite, spec.IOWrite, spec.IOWrite, spec.IOCompare, spec.IOWriteZeroes,
		spec.IODatasetManagement, spec.IOVerify, spec.IOCopy, spec.IOFlush}
	c.e = h.command(q, ops[h.rnd.IntN(len(ops))])
	c.e.SetSLBA(uint64(i * seedBlocks))
	c.e.SetCDW12(seedBlocks - 1)
	c.e.SetPRPs(c.buf, 0)
	b := h.mem.at(c.buf, 4096)
	switch c.e.Opcode() {
	case spec.IOWrite:
		fill(b, c.value)
		if h.rnd.IntN(4) == 0 {
			c.e.SetCDW12(seedBlocks - 1 | spec.RWForceUnit)
		}
	case spec.IORead:
		fill(b, 0xdb)
	case spec.IOCompare:
		fill(b, h.regions[i].may[0])
		if h.rnd.IntN(2) == 0 {
			h.submitPair(q, c)
			return
		}
	case spec.IOWriteZeroes:
		c.value = 0
	case spec.IODatasetManagement:
		c.value = 0
		spec.PutDSMRange(b, uint64(i*seedBlocks), seedBlocks)
		c.e.SetCDW10(0)
		c.e.SetCDW11(spec.DSMDeallocate)
	case spec.IOCopy:
		if c.source = h.take(); c.source < 0 {
			h.regions[i].busy = false
			return
		}
		for k := range seedBlocks { // in pieces, so that there are stages
			spec.PutCopyRange(b[k*spec.CopyRangeSize:], uint64(c.source*seedBlocks+k), 1)
		}
		c.e.SetCDW12(seedBlocks - 1)
	case spec.IOFlush:
		h.regions[i].busy = false
		c.region = -1
	}
	h.submitSeed(q, c)
}

// submitPair submits a fused Compare and Write of c's region.
func (h *seedHost) submitPair(q int, c seedCommand) {
	w := c
	w.e = h.command(q, spec.IOWrite)
	w.buf = seedBuffer(c.region, 1)
	w.e.SetSLBA(c.e.SLBA())
	w.e.SetCDW12(seedBlocks - 1)
	w.e.SetPRPs(w.buf, 0)
	fill(h.mem.at(w.buf, 4096), w.value)
	c.e.SetFuse(spec.FuseFirst)
	w.e.SetFuse(spec.FuseSecond)
	c.region = -1 // the write is what changes the region, and ends last
	h.submitSeed(q, c)
	h.submitSeed(q, w)
}

// note adds to the trace.
func (h *seedHost) note(vs ...uint64) {
	for _, v := range vs {
		h.hash = (h.hash ^ v) * 0x100000001b3
	}
}

// reapSeed consumes the completions of a queue.
func (h *seedHost) reapSeed(q int) {
	x := &h.queues[q]
	n := 0
	for ; ; n++ {
		e := spec.CQEAt(h.mem.at(x.cq, x.entries*16), x.head)
		d := e.Poll()
		if d.Phase() != x.phase {
			break
		}
		if x.head++; x.head == x.entries {
			x.head, x.phase = 0, !x.phase
		}
		x.sqhd = int(e.SQHead())
		h.note(uint64(h.w.Now()), uint64(q), uint64(d), uint64(e.Result()))
		i := slices.IndexFunc(x.out, func(c seedCommand) bool { return c.e.CID() == d.CID() })
		if i < 0 && (h.faults.Has(faultplan.Duplicate) || h.faults.Has(faultplan.Late)) {
			h.stats.Strays++
			continue
		}
		if i < 0 {
			h.t.Errorf("queue %d: command %#x completed, and is not out: %v", q, d.CID(), d.Status())
			continue
		}
		c := x.out[i]
		x.out = slices.Delete(x.out, i, i+1)
		h.stats.Completions++
		h.count(q, &c, d.Status(), e.Result())
		h.settleSeed(q, &c, d.Status())
	}
	if n > 0 {
		h.c.Write32(spec.CQHeadDoorbell(uint16(q), 0), uint32(x.head))
	}
}

// count keeps account of what a completion says about aborts.
func (h *seedHost) count(q int, c *seedCommand, st spec.Status, result uint32) {
	switch {
	case st.Code() == spec.AbortRequested:
		h.told.ended++
	case q == 0 && c.e.Opcode() == spec.AdminAbort && st.OK() && result&spec.AbortNotDone == 0:
		h.told.aborted++
	case q > 0 && c.e.Opcode() == spec.IOCancel && st.OK():
		aborted, deferred := spec.CancelCounts(result)
		h.told.counted += uint64(aborted)
		h.told.eligible += uint64(deferred)
	}
}

// settleSeed holds what a command's end says against the books.
func (h *seedHost) settleSeed(q int, c *seedCommand, st spec.Status) {
	if !allowed(q == 0, &c.e, st.Code()) {
		h.t.Errorf("queue %d: opcode %#x ended with %v", q, c.e.Opcode(), st)
	}
	media := st.Code() == spec.UnrecoveredRead || st.Code() == spec.WriteFault
	if media {
		h.stats.MediaErrors++
	}
	if c.region < 0 {
		return
	}
	r := &h.regions[c.region]
	switch op := c.e.Opcode(); {
	case op == spec.IORead && st.OK() && h.doubtful(c):
	case op == spec.IORead && st.OK():
		b := h.mem.at(c.buf, 4096)
		if !r.forgotten && (!all(b, b[0]) || b[0] != r.may[0] && b[0] != r.may[1]) {
			h.t.Errorf("region %d: read %x, want %x", c.region, b[:8], r.may)
		}
		r.may, r.forgotten = [2]byte{b[0], b[0]}, !all(b, b[0])
	case op == spec.IORead:
		if b := h.mem.at(c.buf, 4096); st.Code() == spec.AbortRequested && !all(b, 0xdb) {
			h.t.Errorf("region %d: an aborted read has changed the buffer", c.region)
		}
	case op == spec.IOCompare || op == spec.IOVerify:
	case op == spec.IOCopy:
		h.regions[c.source].busy = false
		if s := &h.regions[c.source]; st.OK() {
			r.may = s.may
			r.forgotten = s.forgotten || s.may[0] != s.may[1] || h.doubtful(c)
		}
	case st.OK():
		r.may, r.forgotten = [2]byte{c.value, c.value}, false
	case media:
		h.unknown(c)
		return
	}
	r.busy = false
}

// unknown is the end of a command of which nothing is known: a region that it
// writes may hold the old value or the new one.
func (h *seedHost) unknown(c *seedCommand) {
	if c.source >= 0 {
		h.regions[c.source].busy = false
	}
	if c.region < 0 {
		return
	}
	r := &h.regions[c.region]
	r.busy = false
	switch c.e.Opcode() {
	case spec.IOWrite, spec.IOWriteZeroes, spec.IODatasetManagement:
		// A reset or a fault changes all of the command's blocks or none: data moves
		// in one moment (package comment).
		if r.may[0] == r.may[1] {
			r.may[1] = c.value
			return
		}
		r.may = [2]byte{r.may[0], c.value}
		h.readBack(c.region)
	case spec.IOCopy:
		h.readBack(c.region)
	}
}

// readBack forgets what a region may hold: more than the books can say.
func (h *seedHost) readBack(i int) { h.regions[i].forgotten = true }

// readAll reads every region back at the end.
func (h *seedHost) readAll() {
	for i := range h.regions {
		if failed(h.t) {
			return
		}
		r := &h.regions[i]
		c := seedCommand{region: i, source: -1, buf: seedBuffer(i, 0)}
		c.e = h.command(3, spec.IORead)
		c.e.SetSLBA(uint64(i * seedBlocks))
		c.e.SetCDW12(seedBlocks - 1)
		c.e.SetPRPs(c.buf, 0)
		r.busy = true
		h.submitSeed(3, c)
		for h.left() > 0 && !failed(h.t) {
			h.step(seedAbort / 20)
		}
	}
}
