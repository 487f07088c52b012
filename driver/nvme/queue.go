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
	slots  slotTable // for a tag, or cancels.who
	tags   []tag
	mem    *queueMemory

	dataAddress uint64  // of slot 0
	aborts      []abort // one for each slot, if the queue has Cancel
	stats       *queueStats
	closed      bool

	suspended bool // a reset is under way
	cancels   canceller
}

var _ interface {
	driver.Queue
	driver.Committer
	driver.Poller
} = (*queue)(nil)

// tag is what a queue knows of the request with a tag.
type tag struct {
	request *driver.Request // the same one, from its first use on
	slot    uint16          // that it had last
}

// format is what a queue needs to know of its namespace.
type format struct {
	nsid    uint32
	shift   uint8  // log2 of the logical block
	partial uint64 // the bits that are 0 in offsets and lengths of whole blocks, and the sign
	ops     driver.OpSet
	longest [aio.NumOps]int64 // bytes of an extent, by operation; 0: it has none
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
	if !q.format.holds(r.Op, r.Off, r.Len) {
		if st := q.refusal(r); st != aio.OK {
			return st
		}
	}
	index, ok := q.slots.peek()
	if !ok || q.rings.full() || q.suspended {
		q.stats.busy.Add(1)
		return aio.Busy
	}
	var prp1, prp2 uint64
	if r.Op.HasData() {
		m, n := &q.mem.slots[index], int(r.Len)
		first := 0
		if !m.attachOne(r.Bufs, n) { // the usual case
			if first, ok = m.scatter(r.Bufs, n, r.Op == aio.OpWrite); !ok {
				return aio.Invalid
			}
			q.stats.bounced.Add(uint64(len(m.scattered.bounced)))
		}
		if first == 0 && n <= pageSize {
			prp1 = q.dataAddress | uint64(index)<<slotShift
		} else {
			prp1, prp2 = q.prps(index, first, n)
		}
	}
	if t := &q.tags[r.Tag]; t.request == r {
		t.slot = uint16(index)
	} else {
		*t = tag{r, uint16(index)}
	}
	cid := q.slots.takeNext(index, r.Tag)
	e := q.rings.push()
	if r.Op.HasData() || r.Op == aio.OpWriteZeroes {
		slba, cdw12 := uint64(r.Off)>>(q.format.shift&63), uint32(r.Len>>(q.format.shift&63))-1
		if r.FUA {
			cdw12 |= spec.RWForceUnit
		}
		e.SetTransfer(opcodes[r.Op], cid, q.format.nsid, prp1, prp2, slba, cdw12)
	} else {
		e.Begin(opcodes[r.Op], cid, q.format.nsid)
		if r.Op == aio.OpDiscard {
			q.setRange(e, index, r)
		}
	}
	q.stats.submitted++
	return aio.OK
}

// setRange has e deallocate r's extent.
func (q *queue) setRange(e *spec.SQE, index int, r *driver.Request) {
	at := index * spec.DSMRangeSize
	spec.PutDSMRange(q.mem.ranges[at:], uint64(r.Off)>>q.format.shift, uint32(r.Len>>q.format.shift))
	e.SetPRPs(busAddress(regionRange, int(q.rings.id), 0, at), 0)
	e.SetCDW10(0) // one range, 0's based
	e.SetCDW11(spec.DSMDeallocate)
}

// holds says that a command can express an extent, which Flush has not. Whether it is
// on the device is for the device to say.
func (f *format) holds(op aio.Op, off, n int64) bool {
	// As unsigned numbers, negative ones and 0 - 1 are too large as well.
	return op < aio.NumOps && uint64(n-1) < uint64(f.longest[op]) && uint64(off|n)&f.partial == 0
}

// refusal is why there is no command with r's extent, or OK for Flush.
func (q *queue) refusal(r *driver.Request) aio.Status {
	switch {
	case q.closed:
		return aio.Gone
	case !q.format.ops.Has(r.Op):
		return aio.NotSupported
	case r.Op == aio.OpFlush:
		return aio.OK
	}
	return aio.Invalid
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
	q.format.longest = [aio.NumOps]int64{} // Submit looks at nothing else
}
