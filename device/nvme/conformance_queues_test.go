package nvme_test

import (
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// createIs is the check of a Create command for queue qid.
func createIs(want spec.Status, op uint8, qid, entries int, cdw11 uint32, addr func(r *rig) uint64) func(r *rig) {
	return func(r *rig) {
		r.t.Helper()
		e := command(op, r.nextCID(), 0)
		a := r.alloc(8192)
		if addr != nil {
			a = addr(r)
		}
		e.SetPRPs(a, 0)
		e.SetCDW10(spec.QueueCDW10(uint16(qid), entries))
		e.SetCDW11(cdw11)
		r.eq(want, r.admin(e).status.Code())
	}
}

func at(a uint64) func(*rig) uint64 { return func(*rig) uint64 { return a } }

const (
	cqOp, sqOp = spec.AdminCreateCQ, spec.AdminCreateSQ
	pcOnly     = spec.QueueContiguous
	toCQ1      = 1<<16 | spec.QueueContiguous
)

// weighted is a controller with weighted arbitration, queues 1 to 4 of the
// priorities urgent to low, and a medium that keeps everything. high, medium and
// low have weights 3, 2 and 1.
func weighted(t testing.TB) *rig { return weightedWith(t, 1) }

func weightedWith(t testing.TB, slots int) *rig {
	r := newRig(t, 1, nvme.Config{Queues: 8, Slots: slots}, withHeld(&held{}))
	f := ccEnabled().Fields()
	f.AMS = spec.AMSWeighted
	r.setAdmin(32)
	r.w32(spec.RegCC, uint32(f.Encode()))
	r.feature(spec.AdminSetFeatures, spec.FeatArbitration, spec.EncodeArbitration(0, 0, 1, 2))
	for q := range uint16(4) {
		r.createCQ(q+1, 64)
		e := command(spec.AdminCreateSQ, r.nextCID(), 0)
		e.SetPRPs(r.q[q+1].sq, 0)
		e.SetCDW10(spec.QueueCDW10(q+1, 64))
		e.SetCDW11(spec.CreateSQCDW11(q+1, uint8(q)))
		r.eq(spec.Success, r.admin(e).status)
	}
	return r
}

// backlog puts n reads into queue q, of LBA q, and rings.
func (r *rig) backlog(q uint16, n int) {
	for range n {
		r.put(q, r.rwAt(spec.IORead, uint64(q), 1, busBase))
	}
	r.bell(q)
}

// order is the queues of the next n commands that are carried out.
func (r *rig) order(n int) []int64 {
	r.run()
	return fetchOrder(r.medium(), r, n)
}

// share counts how often q is in order.
func share(order []int64, q int64) (n int) {
	for _, x := range order {
		if x == q {
			n++
		}
	}
	return n
}

var queueSections = []section{
	{"Base 3.3.1 queues", plain, []rule{
		{"a completion names its submission queue and its head", func(r *rig) {
			c := r.do(r.rw(spec.IORead, 0, 1))
			r.eq([]uint16{1, 1}, []uint16{c.sqid, c.sqhd})
		}},
		{"the phase tag is 1 in the first lap and flips at each wrap", func(r *rig) {
			for range 40 {
				r.do(r.rw(spec.IORead, 0, 1))
			}
			r.eq(40/16%2 == 0, r.q[1].phase)
		}},
		{"a queue holds one entry less than its size", func(r *rig) {
			for range 15 {
				r.put(1, r.rw(spec.IORead, 0, 1))
			}
			r.bell(1)
			r.run()
			r.eq(15, len(r.reap(1)))
			r.eq(nvme.ErrorStats{}, r.c.Stats().Errors)
		}},
		{"dwords 0 and 1 of a command without a result are 0", func(r *rig) { r.eq(uint32(0), r.do(r.rw(spec.IORead, 0, 1)).result) }},
		{"several submission queues may share a completion queue", func(r *rig) {
			createIs(spec.Success, sqOp, 2, 8, toCQ1, nil)(r)
		}},
	}},
	{"Base 5.4 Create I/O Completion Queue", plain, []rule{
		{"QID 0 is Invalid Queue Identifier", createIs(spec.InvalidQueueID, cqOp, 0, 8, pcOnly, nil)},
		{"a QID in use is Invalid Queue Identifier", createIs(spec.InvalidQueueID, cqOp, 1, 8, pcOnly, nil)},
		{"a QID beyond Number of Queues is Invalid Queue Identifier", createIs(spec.InvalidQueueID, cqOp, 5, 8, pcOnly, nil)},
		{"size 0 is Invalid Queue Size", createIs(spec.InvalidQueueSize, cqOp, 2, 1, pcOnly, nil)},
		{"a size beyond MQES is Invalid Queue Size", createIs(spec.InvalidQueueSize, cqOp, 2, 65, pcOnly, nil)},
		{"PC 0 with CAP.CQR is Invalid Field", createIs(spec.InvalidField, cqOp, 2, 8, 0, nil)},
		{"an address not on a page is PRP Offset Invalid", createIs(spec.PRPOffsetInvalid, cqOp, 2, 8, pcOnly, at(busBase+64))},
		{"a vector that is not there is Invalid Interrupt Vector", createIs(spec.InvalidInterruptVector, cqOp, 2, 8, 5<<16|pcOnly|spec.CQInterrupts, nil)},
		{"the vector is not looked at without IEN", createIs(spec.Success, cqOp, 2, 8, 5<<16|pcOnly, nil)},
		{"the largest queue is taken", createIs(spec.Success, cqOp, 2, 64, pcOnly, nil)},
	}},
	{"Base 5.5 Create I/O Submission Queue", plain, []rule{
		{"QID 0 is Invalid Queue Identifier", createIs(spec.InvalidQueueID, sqOp, 0, 8, toCQ1, nil)},
		{"a QID in use is Invalid Queue Identifier", createIs(spec.InvalidQueueID, sqOp, 1, 8, toCQ1, nil)},
		{"size 0 is Invalid Queue Size", createIs(spec.InvalidQueueSize, sqOp, 2, 1, toCQ1, nil)},
		{"a size beyond MQES is Invalid Queue Size", createIs(spec.InvalidQueueSize, sqOp, 2, 65, toCQ1, nil)},
		{"PC 0 with CAP.CQR is Invalid Field", createIs(spec.InvalidField, sqOp, 2, 8, 1<<16, nil)},
		{"an address not on a page is PRP Offset Invalid", createIs(spec.PRPOffsetInvalid, sqOp, 2, 8, toCQ1, at(busBase+64))},
		{"CQID 0 is Invalid Queue Identifier", createIs(spec.InvalidQueueID, sqOp, 2, 8, pcOnly, nil)},
		{"a CQID that does not exist is Completion Queue Invalid", createIs(spec.CQInvalid, sqOp, 2, 8, 3<<16|pcOnly, nil)},
		{"a CQID out of range is Invalid Queue Identifier", createIs(spec.InvalidQueueID, sqOp, 2, 8, 9<<16|pcOnly, nil)},
		{"QPRIO is not looked at under round robin", createIs(spec.Success, sqOp, 2, 8, toCQ1|6, nil)},
	}},
	{"Base 5.6, 5.7 deletion of queues", plain, []rule{
		{"a CQ that is in use is Invalid Queue Deletion", adminIs(spec.InvalidQueueDeletion, spec.AdminDeleteCQ, 0, 1)},
		{"CQ 0 is Invalid Queue Identifier", adminIs(spec.InvalidQueueID, spec.AdminDeleteCQ, 0, 0)},
		{"a CQ that is not there is Invalid Queue Identifier", adminIs(spec.InvalidQueueID, spec.AdminDeleteCQ, 0, 2)},
		{"SQ 0 is Invalid Queue Identifier", adminIs(spec.InvalidQueueID, spec.AdminDeleteSQ, 0, 0)},
		{"an SQ that is not there is Invalid Queue Identifier", adminIs(spec.InvalidQueueID, spec.AdminDeleteSQ, 0, 2)},
		{"the SQ first, then the CQ", func(r *rig) {
			r.eq(spec.Success, r.deleteQueue(spec.AdminDeleteSQ, 1))
			r.eq(spec.Success, r.deleteQueue(spec.AdminDeleteCQ, 1))
		}},
	}},
	{"Base 5.7 deletion ends commands", withCache, []rule{
		{"executing ones with Command Aborted due to SQ Deletion, before the Delete completes", func(r *rig) {
			r.submit(1, r.rw(spec.IOWrite, 0, 1))
			r.run()
			r.eq(spec.Success, r.deleteQueue(spec.AdminDeleteSQ, 1))
			r.eq(spec.AbortedSQDeletion, r.peek(1)[0].status)
		}},
		{"both of a fused pair", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			r.eq(spec.Success, r.deleteQueue(spec.AdminDeleteSQ, 1))
			c := r.peek(1)
			r.eq([]spec.Status{spec.AbortedSQDeletion, spec.AbortedSQDeletion}, []spec.Status{c[0].status, c[1].status})
		}},
		{"those that cannot be aborted hold the Delete up", func(r *rig) {
			r.medium().abort = false
			r.submit(1, r.rw(spec.IOWrite, 0, 1))
			r.run()
			r.submit(0, r.adminCommand(spec.AdminDeleteSQ, 0, 1))
			r.run()
			r.eq(0, len(r.peek(0)))
			r.medium().finish(r, 1)
			r.eq(1, len(r.peek(0)))
		}},
	}},
	{"Base 3.4.4.1 round robin", func(t testing.TB) *rig {
		r := newReady(t, nvme.Config{Queues: 4, Slots: 1}, withHeld(&held{}), 64)
		r.createPair(2, 64)
		return r
	}, []rule{
		{"queues have their turn", func(r *rig) {
			r.feature(spec.AdminSetFeatures, spec.FeatArbitration, 0)
			r.backlog(1, 4)
			r.backlog(2, 4)
			r.eq([]int64{1, 2, 1, 2, 1, 2, 1, 2}, r.order(8))
		}},
		{"a turn is a burst", func(r *rig) {
			r.feature(spec.AdminSetFeatures, spec.FeatArbitration, 1)
			r.backlog(1, 4)
			r.backlog(2, 4)
			r.eq([]int64{1, 1, 2, 2, 1, 1, 2, 2}, r.order(8))
		}},
		{"shares are equal", func(r *rig) {
			r.backlog(1, 60)
			r.backlog(2, 60)
			got := r.order(64)
			r.eq([]int{32, 32}, []int{share(got, 1), share(got, 2)})
		}},
	}},
	{"Base 3.4.4.2 weighted round robin with urgent", weighted, []rule{
		{"urgent goes before high", func(r *rig) {
			r.backlog(2, 4)
			r.backlog(1, 4)
			r.eq([]int64{1, 1, 1, 1, 2, 2, 2, 2}, r.order(8))
		}},
		{"high, medium and low share by their weights", func(r *rig) {
			for q := uint16(2); q <= 4; q++ {
				r.backlog(q, 60)
			}
			got := r.order(60)
			r.eq([]int{30, 20, 10}, []int{share(got, 2), share(got, 3), share(got, 4)})
		}},
		{"a class alone has everything", func(r *rig) {
			r.backlog(4, 8)
			r.eq([]int64{4, 4, 4, 4, 4, 4, 4, 4}, r.order(8))
		}},
		{"queues of a class share", func(r *rig) {
			r.createCQ(5, 64)
			e := command(spec.AdminCreateSQ, r.nextCID(), 0)
			e.SetPRPs(r.q[5].sq, 0)
			e.SetCDW10(spec.QueueCDW10(5, 64))
			e.SetCDW11(spec.CreateSQCDW11(5, 1))
			r.eq(spec.Success, r.admin(e).status)
			r.backlog(2, 60)
			r.backlog(5, 60)
			r.backlog(4, 60)
			got := r.order(64)
			r.eq([]int{24, 24, 16}, []int{share(got, 2), share(got, 5), share(got, 4)})
		}},
		{"a Set Features changes the weights", func(r *rig) {
			r.feature(spec.AdminSetFeatures, spec.FeatArbitration, spec.EncodeArbitration(7, 3, 0, 0))
			for q := uint16(2); q <= 4; q++ {
				r.backlog(q, 60)
			}
			got := r.order(60)
			r.eq([]int{10, 10, 40}, []int{share(got, 2), share(got, 3), share(got, 4)})
		}},
		{"with room for all nothing waits for another event", func(r *rig) {
			r = weightedWith(r.t, 100)
			for q := uint16(1); q <= 4; q++ {
				r.backlog(q, 20)
			}
			r.run()
			r.eq(80, len(r.medium().ops))
		}},
		{"the admin queue goes before urgent", func(r *rig) {
			r.backlog(1, 8)
			r.eq(spec.Success, r.feature(spec.AdminGetFeatures, spec.FeatArbitration, 0).status)
			r.eq(1, len(r.medium().ops))
		}},
	}},
}
