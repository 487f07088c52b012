package nvme

import (
	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// rings is a submission queue and its completion queue (Base 3.3). Both belong
// to one lane.
//
// The host owns the submission entries from the tail up to the head that the
// controller last told in a completion, and the completion entries whose phase
// bit says so (Base 3.3.3.2.2); doorbells hand the others over.
type rings struct {
	regs nvme.Registers
	id   uint16
	sq   []byte // the same memory as sqes
	cq   []byte // and as cqes
	sqes []spec.SQE
	cqes []spec.CQE

	sqSize, sqTail, sqHead uint32
	sqRoom                 uint32 // entries that may be pushed: all but one, less those from head to tail
	unrung                 bool   // the tail has moved since the doorbell was rung
	cqSize, cqHead         uint32
	phase                  bool   // what the next completion's phase bit will be
	unreleased             uint32 // entries that were consumed since the head doorbell was rung

	sqDoorbell, cqDoorbell uint32

	observer CQObserver // nil: nobody
	clock    lane.Lane  // for observer: the lane that both belong to
}

// newRings makes a pair of the given number of entries each, one of which stays
// empty (Base 3.3.1.2).
func newRings(id uint16, entries int) rings {
	p := rings{
		id: id,
		sq: aligned(entries * spec.SQESize), sqSize: uint32(entries), sqRoom: uint32(entries) - 1,
		cq: aligned(entries * spec.CQESize), cqSize: uint32(entries),
		phase: true,
	}
	p.sqes, p.cqes = spec.SQEs(p.sq), spec.CQEs(p.cq)
	return p
}

// restart makes the rings as new, for a controller that was reset and has no entry
// of them any more.
func (p *rings) restart() {
	clear(p.cq)
	p.sqTail, p.sqHead, p.sqRoom, p.unrung = 0, 0, p.sqSize-1, false
	p.cqHead, p.phase, p.unreleased = 0, true, 0
}

// connect tells the rings where their doorbells are.
func (p *rings) connect(regs nvme.Registers, dstrd uint8) {
	p.regs = regs
	p.sqDoorbell = spec.SQTailDoorbell(p.id, dstrd)
	p.cqDoorbell = spec.CQHeadDoorbell(p.id, dstrd)
}

// observe has the rings, which belong to lane l, tell o what is consumed.
func (p *rings) observe(o CQObserver, l lane.Lane) { p.observer, p.clock = o, l }

// full says that there is no entry to write.
func (p *rings) full() bool { return p.sqRoom == 0 }

// push gives the next submission entry, to be filled in before ring. The queue
// must not be full.
func (p *rings) push() *spec.SQE {
	e := &p.sqes[p.sqTail]
	if p.sqTail++; p.sqTail == p.sqSize {
		p.sqTail = 0
	}
	p.sqRoom--
	p.unrung = true
	return e
}

// ring shows what was pushed to the controller.
func (p *rings) ring() {
	if p.unrung {
		p.unrung = false
		p.regs.Write32(p.sqDoorbell, p.sqTail)
	}
}

// next returns the oldest completion that was not yet consumed, or nil.
func (p *rings) next() (*spec.CQE, spec.CQEDword3) {
	e := &p.cqes[p.cqHead]
	d := e.Poll()
	if d.Phase() != p.phase {
		return nil, 0
	}
	return e, d
}

// consume goes on from the completion that next returned. Its entry is still the
// host's until release.
func (p *rings) consume() {
	p.unreleased++
	if p.cqHead++; p.cqHead == p.cqSize || p.observer != nil {
		p.consumed()
	}
}

// consumed is what consume seldom has to do. Apart, so that the rest is inlined.
func (p *rings) consumed() {
	if p.cqHead == p.cqSize {
		p.cqHead = 0
		p.phase = !p.phase
	}
	if p.observer != nil {
		p.observer.Consumed(p.clock.Now(), p.id)
	}
}

// release gives the consumed completion entries back to the controller.
func (p *rings) release() {
	if p.unreleased > 0 {
		p.unreleased = 0
		p.regs.Write32(p.cqDoorbell, p.cqHead)
	}
}

// fetched takes the submission head that a completion told. It says false, and
// ignores it, if the controller cannot have fetched that far.
func (p *rings) fetched(head uint16) bool {
	h := uint32(head)
	return h == p.sqHead || p.advance(h) // a run of completions tells the same head
}

func (p *rings) advance(h uint32) bool {
	n := h - p.sqHead
	if h < p.sqHead {
		n += p.sqSize
	}
	if h >= p.sqSize || n > p.sqSize-1-p.sqRoom {
		return false
	}
	p.sqHead = h
	p.sqRoom += n
	return true
}
