package nvme

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/device/nvme/spec"
	"blksim/driver"
)

// queue is an I/O queue pair. It belongs to the lane that it was opened for.
type queue struct {
	rings  rings
	driver *Driver
	lane   lane.Lane
	format format
	vector vector
	slots  slotTable[driver.Request]
	byTag  []uint16 // the slot of the request that has the tag
	mem    *queueMemory
	aborts []abort // one for each slot, if the queue has Cancel
	stats  *queueStats
	closed bool

	suspended bool // a reset is under way
	cancels   canceller
}

var _ interface {
	driver.Queue
	driver.Committer
	driver.Poller
} = (*queue)(nil)

// format is what a queue needs to know of its namespace.
type format struct {
	nsid    uint32
	shift   uint8 // log2 of the logical block
	ops     driver.OpSet
	longest [aio.NumOps]int64 // bytes of an extent, by operation
}

// The longest extents of the commands without data: the 16-bit NLB of Write
// Zeroes (NVM 3.2.8) and the 32-bit length of a range (NVM 3.2.3).
const (
	maxZeroBlocks    = 1 << 16
	maxDiscardBlocks = 1<<32 - 1
)

var opcodes = [aio.NumOps]uint8{
	aio.OpRead:        spec.IORead,
	aio.OpWrite:       spec.IOWrite,
	aio.OpFlush:       spec.IOFlush,
	aio.OpDiscard:     spec.IODatasetManagement,
	aio.OpWriteZeroes: spec.IOWriteZeroes,
}

// Submit implements [driver.Queue]: it writes r's command into the submission
// queue, where Commit shows it to the controller.
func (q *queue) Submit(r *driver.Request) aio.Status {
	if st := q.check(r); st != aio.OK {
		return st
	}
	index, ok := q.slots.peek()
	if !ok || q.rings.full() || q.suspended {
		q.stats.busy.Add(1)
		return aio.Busy
	}
	var prp1, prp2 uint64
	if r.Op.HasData() {
		m := &q.mem.slots[index]
		first, ok := m.attach(r.Bufs, int(r.Len), r.Op == aio.OpWrite)
		if !ok {
			return aio.Invalid
		}
		if m.data == nil {
			q.stats.bounced.Add(uint64(len(m.scattered.bounced)))
		}
		prp1, prp2 = q.prps(index, first, int(r.Len))
	}
	q.byTag[r.Tag] = uint16(index)
	e := q.rings.push()
	e.Begin(opcodes[r.Op], q.slots.take(r), q.format.nsid)
	switch r.Op {
	case aio.OpRead, aio.OpWrite, aio.OpWriteZeroes:
		e.SetPRPs(prp1, prp2)
		e.SetSLBA(uint64(r.Off) >> q.format.shift)
		cdw12 := uint32(r.Len>>q.format.shift) - 1
		if r.FUA {
			cdw12 |= spec.RWForceUnit
		}
		e.SetCDW12(cdw12)
	case aio.OpDiscard:
		at := index * spec.DSMRangeSize
		spec.PutDSMRange(q.mem.ranges[at:], uint64(r.Off)>>q.format.shift, uint32(r.Len>>q.format.shift))
		e.SetPRPs(busAddress(regionRange, int(q.rings.id), 0, at), 0)
		e.SetCDW10(0) // one range, 0's based
		e.SetCDW11(spec.DSMDeallocate)
	}
	q.stats.submitted++
	return aio.OK
}

// check refuses what no command can express. Whether the extent is on the device
// is for the device to say.
func (q *queue) check(r *driver.Request) aio.Status {
	if !q.format.ops.Has(r.Op) {
		if q.closed {
			return aio.Gone
		}
		return aio.NotSupported
	}
	if r.Op == aio.OpFlush {
		return aio.OK
	}
	// As unsigned numbers, negative ones and 0 - 1 are too large as well.
	partial := uint64(1)<<q.format.shift - 1
	if uint64(r.Len-1) >= uint64(q.format.longest[r.Op]) || uint64(r.Off|r.Len)&(partial|1<<63) != 0 {
		return aio.Invalid
	}
	return aio.OK
}

// Commit implements [driver.Committer]: it rings the tail doorbell, and before it
// the head doorbell if completions were consumed.
func (q *queue) Commit() {
	if !q.rings.unrung || q.suspended {
		return
	}
	q.rings.release()
	q.rings.ring()
	q.stats.countSubmits()
}

// close has the queue take no more requests and complete none.
func (q *queue) close() {
	q.closed = true
	q.format.ops = 0
}
