package nvme

import "blksim/device/nvme/spec"

// subq is a submission queue. The lane owns it.
type subq struct {
	id      uint16
	admin   bool
	ring    []spec.SQE // the host's memory
	entries uint32
	head    uint32 // next to be fetched
	tail    uint32 // one past the last, by the doorbell
	cq      *compq

	class  class
	next   *subq // in the arbitration ring of its class
	active bool  // it is there
	credit int   // what is left of its burst

	executing int        // fetched and not yet posted
	deleting  *command   // the Delete command that waits for executing to reach 0
	marks     []*command // by entry: the Abort that wants it; nil until the first
	marked    int        // how many there are
}

// pending is the number of unfetched commands.
func (q *subq) pending() uint32 { return distance(q.head, q.tail, q.entries) }

// after is the entry that follows entry i.
func (q *subq) after(i uint32) uint32 {
	if i++; i == q.entries {
		return 0
	}
	return i
}

// compq is a completion queue. The lane owns it; the entries go to the host by
// their phase bits.
type compq struct {
	id      uint16
	ring    []spec.CQE // the host's memory
	entries uint32
	head    uint32 // next to be consumed by the host, by the doorbell
	tail    uint32 // next to be written
	phase   bool
	vector  int // -1: no interrupts
	users   int // submission queues that complete here

	first, last *command // completed and waiting for room
}

// full says whether another entry would overwrite one that the host has not
// consumed. A queue holds one less than its entries.
func (q *compq) full() bool {
	next := q.tail + 1
	if next == q.entries {
		next = 0
	}
	return next == q.head
}

// publish writes the next entry, for which there is room.
func (q *compq) publish(sq *subq, result uint64, cid uint16, st spec.Status) {
	q.ring[q.tail].Publish(result, uint16(sq.head), sq.id, spec.MakeDword3(cid, q.phase, st))
	q.advance()
}

func (q *compq) advance() {
	if q.tail++; q.tail == q.entries {
		q.tail = 0
		q.phase = !q.phase
	}
}

// distance is how far it is from a to b in a ring of n.
func distance(a, b, n uint32) uint32 {
	if b >= a {
		return b - a
	}
	return b + n - a
}

// cmdState is where a command is.
type cmdState uint8

const (
	cmdFree       cmdState = iota
	cmdRunning             // being decoded
	cmdExecuting           // with the medium
	cmdFused               // its partner is with the medium
	cmdHeld                // an event request that waits for an event
	cmdWaiting             // an Abort or a Delete that waits for other commands
	cmdCompleting          // waits for room in its completion queue
)

// command is a fetched command. There is a fixed number of them.
type command struct {
	op     Op
	sq     *subq
	cid    uint16
	opcode uint8
	state  cmdState
	slot   uint32
	status spec.Status
	result uint64

	nsid       uint32
	ns         *namespace // of an I/O command that names one
	lba        uint64     // the first block of one that has such; for the error log
	prp1, prp2 uint64     // the data pointer: PRPs, or an SGL descriptor
	sgl        bool

	next *command // in a compq's waiting list

	abort     *command // the Abort that made this one end and answers after it
	victim    uint16   // of an Abort: the command id that it wants
	cancel    *command // the Cancel that made this one end
	cancelled int      // of a Cancel: how many it made end
	deferred  bool     // a Cancel wants it at its next stage
	partner   *command // of a fused pair: the other one

	stage  int    // of a Copy: the range that it is at
	target Extent // and where the data goes to
	forced bool   // and whether it is to be on the medium then
}

// slotPool hands out commands, the last one freed first: it is the one that is
// still in the processor's cache.
type slotPool struct {
	cmds    []command
	keys    []uint32 // by slot: queue and command id, or noKey; apart from cmds so that a search is a short scan
	free    []uint32
	reserve int // slots that are kept for Cancel
	peak    int
}

const noKey = 0xffff_ffff // no queue has the id ffffh

func newSlotPool(n, reserve int) slotPool {
	n += reserve
	p := slotPool{cmds: make([]command, n), keys: make([]uint32, n), free: make([]uint32, n), reserve: reserve}
	for i := range p.cmds {
		p.cmds[i].slot = uint32(i)
		p.cmds[i].op.Slot = i
	}
	p.reset()
	return p
}

// reset frees all commands.
func (p *slotPool) reset() {
	n := len(p.cmds)
	p.free = p.free[:n]
	for i := range p.cmds {
		p.free[i] = uint32(n - 1 - i)
		p.keys[i] = noKey
		p.cmds[i].state = cmdFree
		p.cmds[i].abort, p.cmds[i].cancel, p.cmds[i].partner = nil, nil, nil
	}
}

// room is how many commands may be fetched, beside Cancels.
func (p *slotPool) room() int { return len(p.free) - p.reserve }

// next is the slot that get would give; there is one.
func (p *slotPool) next() *command { return &p.cmds[p.free[len(p.free)-1]] }

// passed accounts for a command that needed a slot for no time.
func (p *slotPool) passed() {
	if used := len(p.cmds) - len(p.free) + 1; used > p.peak {
		p.peak = used
	}
}

func (p *slotPool) get(q *subq, cid uint16) *command {
	n := len(p.free) - 1
	i := p.free[n]
	p.free = p.free[:n]
	if used := len(p.cmds) - n; used > p.peak {
		p.peak = used
	}
	p.keys[i] = uint32(q.id)<<16 | uint32(cid)
	c := &p.cmds[i]
	c.sq, c.cid, c.state = q, cid, cmdRunning
	c.status, c.result = spec.Success, 0
	c.lba = 0
	c.ns, c.cancel, c.partner, c.deferred = nil, nil, nil, false
	return c
}

func (p *slotPool) put(c *command) {
	c.state = cmdFree
	p.keys[c.slot] = noKey
	p.free = append(p.free, c.slot) // within its capacity
}
