package nvme_test

import (
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// twoQueues has queues 1 and 2, namespaces 1 and 2, and a medium that keeps
// commands and lets go of them.
func twoQueues(t testing.TB) *rig {
	r := newReady(t, nvme.Config{
		Capacity: 2 << 20, Queues: 4, AbortLimit: 2, Slots: 6, Namespaces: []nvme.Namespace{{Size: 1 << 20}, {Size: 1 << 20}},
	}, withHeld(&held{abort: true}), 16)
	r.createPair(2, 16)
	return r
}

// cancelOf makes a Cancel for queue qid.
func (r *rig) cancelOf(action uint32, ns uint32, sqid, cid uint16) spec.SQE {
	e := command(spec.IOCancel, r.nextCID(), ns)
	e.SetCDW10(spec.AbortCDW10(sqid, cid))
	e.SetCDW11(action)
	return e
}

// fly submits n reads to queue qid, of namespace ns, and returns their ids.
func (r *rig) fly(qid uint16, ns uint32, n int) (cids []uint16) {
	for range n {
		e := r.rw(rd, uint64(len(cids)), 1)
		nsid(ns)(r, &e)
		cids = append(cids, e.CID())
		r.put(qid, e)
	}
	r.bell(qid)
	r.run()
	return cids
}

// cancelled submits a Cancel to queue 1 and returns what it answered, and what
// was posted before it.
func (r *rig) cancelled(e spec.SQE) (answer completion, before []completion) {
	r.t.Helper()
	r.submit(1, e)
	r.run()
	c := r.reap(1)
	r.yes(len(c) > 0)
	answer = c[len(c)-1]
	r.eq(e.CID(), answer.cid)
	return answer, c[:len(c)-1]
}

func cancelIs(want spec.Status, make func(r *rig) spec.SQE) func(r *rig) {
	return func(r *rig) { r.t.Helper(); a, _ := r.cancelled(make(r)); r.eq(want, a.status.Code()) }
}

const (
	single   = spec.CancelSingle
	multiple = spec.CancelMultiple
	allNS    = uint32(spec.NSIDAll)
)

var cancelSections = []section{
	{"Base 5.1 Abort", twoQueues, []rule{
		{"an executing command ends with Command Abort Requested, before the Abort does", func(r *rig) {
			cid := r.fly(1, 1, 1)[0]
			r.eq(aborted, r.abort(1, cid))
			r.eq(spec.AbortRequested, r.reap(1)[0].status)
		}},
		{"one that the medium does not let go of is not aborted, and ends as it does", func(r *rig) {
			r.medium().abort = false
			cid := r.fly(1, 1, 1)[0]
			r.eq(notAborted, r.abort(1, cid))
			r.medium().finish(r, 1)
			r.eq(okSt, r.reap(1)[0].status)
		}},
		{"an unfetched command ends when its turn comes, and the Abort after it", func(r *rig) {
			cids := r.fly(1, 1, 8)
			r.submit(0, r.abortOf(1, cids[7]))
			r.run()
			r.eq(0, len(r.reap(0)))
			r.medium().finish(r, 2)
			c := r.reap(1)
			r.eq(spec.AbortRequested, c[len(c)-1].status)
			r.eq(aborted, r.reap(0)[0].result)
		}},
		{"a completed command is not aborted", func(r *rig) {
			cid := r.fly(1, 1, 1)[0]
			r.medium().finish(r, 1)
			r.eq(notAborted, r.abort(1, cid))
		}},
		{"an unknown command is not aborted", func(r *rig) { r.eq(notAborted, r.abort(1, 0x4242)) }},
		{"an unknown queue is not aborted", func(r *rig) { r.eq(notAborted, r.abort(77, 1)) }},
		{"the same id in another queue is left alone", func(r *rig) {
			cid := r.fly(1, 1, 1)[0]
			r.eq(notAborted, r.abort(2, cid))
			r.eq(1, len(r.medium().ops))
		}},
		{"one of two commands with an id is aborted", func(r *rig) {
			for range 2 {
				e := r.rw(rd, 0, 1)
				e[2], e[3] = 5, 5
				r.submit(1, e)
			}
			r.run()
			r.eq(aborted, r.abort(1, 0x505))
			r.eq(1, len(r.reap(1)))
			r.eq(1, len(r.medium().ops))
		}},
		{"an event request can be aborted", func(r *rig) {
			aer := command(spec.AdminAsyncEvent, r.nextCID(), 0)
			r.submit(0, aer)
			r.run()
			r.submit(0, r.abortOf(0, aer.CID()))
			r.run()
			c := r.reap(0)
			r.eq([]spec.Status{spec.AbortRequested, okSt}, []spec.Status{c[0].status, c[1].status})
		}},
		{"an Abort does not abort itself", func(r *rig) { r.eq(notAborted, r.admin(r.abortOf(0, r.cid+1)).result) }},
		{"more than ACL + 1 are Abort Command Limit Exceeded", func(r *rig) {
			cids := r.fly(1, 1, 9)
			for _, cid := range cids[6:] {
				r.submit(0, r.abortOf(1, cid))
			}
			r.run()
			c := r.reap(0)
			r.eq(1, len(c))
			r.eq(spec.AbortLimitExceeded, c[0].status.Code())
		}},
		{"the first of a fused pair: the other one fails with it", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			r.eq(aborted, r.abort(1, e1.CID()))
			c := r.reap(1)
			r.eq([]spec.Status{spec.AbortRequested, spec.FusedFailed}, []spec.Status{c[0].status, c[1].status})
		}},
		{"the second of a fused pair: the other one fails with it", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			r.eq(aborted, r.abort(1, e2.CID()))
			c := r.reap(1)
			r.eq([]spec.Status{spec.FusedFailed, spec.AbortRequested}, []spec.Status{c[0].status, c[1].status})
		}},
		{"an aborted write has changed nothing", func(r *rig) {
			e := r.rw(wr, 0, 1)
			fill(r.mem.at(e.PRP1(), 512), 9)
			r.submit(1, e)
			r.run()
			r.abort(1, e.CID())
			r.reap(1)
			back := r.rw(rd, 0, 1)
			r.submit(1, back)
			r.run()
			r.medium().finish(r, 1)
			r.yes(all(r.mem.at(back.PRP1(), 512), 0))
		}},
	}},
	{"Base 7.1 Cancel, single", twoQueues, []rule{
		{"the command ends with Command Abort Requested, before the Cancel does", func(r *rig) {
			cid := r.fly(1, 1, 3)[1]
			a, before := r.cancelled(r.cancelOf(single, 1, 1, cid))
			r.eq(okSt, a.status)
			r.eq(spec.CancelResult(1, 0), a.result)
			r.eq(1, len(before))
			r.eq([]uint16{cid, uint16(spec.AbortRequested)}, []uint16{before[0].cid, uint16(before[0].status)})
		}},
		{"under FFFFFFFFh the namespace does not matter", func(r *rig) {
			cid := r.fly(1, 2, 1)[0]
			a, _ := r.cancelled(r.cancelOf(single, allNS, 1, cid))
			r.eq(spec.CancelResult(1, 0), a.result)
		}},
		{"a command of another namespace is Invalid Field, and left alone", func(r *rig) {
			cid := r.fly(1, 2, 1)[0]
			a, before := r.cancelled(r.cancelOf(single, 1, 1, cid))
			r.eq(spec.InvalidField, a.status.Code())
			r.eq(0, len(before))
		}},
		{"an unknown command counts 0 and 0", func(r *rig) {
			a, _ := r.cancelled(r.cancelOf(single, 1, 1, 0x4242))
			r.eq([]uint32{0, 0}, []uint32{uint32(a.status), a.result})
		}},
		{"its own id is Invalid Command ID", cancelIs(spec.InvalidCommandID, func(r *rig) spec.SQE { return r.cancelOf(single, 1, 1, r.cid+1) })},
		{"another submission queue is Invalid Field", cancelIs(spec.InvalidField, func(r *rig) spec.SQE { return r.cancelOf(single, 1, 2, r.fly(2, 1, 1)[0]) })},
		{"one that the medium does not let go of counts 0 and 0", func(r *rig) {
			r.medium().abort = false
			cid := r.fly(1, 1, 1)[0]
			a, _ := r.cancelled(r.cancelOf(single, 1, 1, cid))
			r.eq([]uint32{0, 0}, []uint32{uint32(a.status), a.result})
			r.medium().finish(r, 1)
			r.eq(okSt, r.reap(1)[0].status)
		}},
		{"a Copy that is reading is eligible for a deferred abort, and ends with it", func(r *rig) {
			r.medium().abort = false
			e := r.copyOf(50, [2]uint64{0, 1}, [2]uint64{1, 1})
			r.submit(1, e)
			r.run()
			a, _ := r.cancelled(r.cancelOf(single, 1, 1, e.CID()))
			r.eq(spec.CancelResult(0, 1), a.result)
			r.medium().finish(r, 1)
			r.eq(spec.AbortRequested, r.reap(1)[0].status)
			r.eq(0, len(r.medium().ops))
			r.eq(uint64(1), r.c.Stats().Cancels.Deferred)
		}},
		{"a Copy that waits for its deferred abort is not counted again", func(r *rig) {
			r.medium().abort = false
			e := r.copyOf(50, [2]uint64{0, 1}, [2]uint64{1, 1})
			r.submit(1, e)
			r.run()
			r.cancelled(r.cancelOf(single, 1, 1, e.CID()))
			a, _ := r.cancelled(r.cancelOf(single, 1, 1, e.CID()))
			r.eq(spec.CancelResult(0, 0), a.result)
			r.medium().finish(r, 1)
			r.eq(uint64(1), r.c.Stats().Cancels.Deferred)
		}},
		{"a Copy that is writing is not eligible", func(r *rig) {
			r.medium().abort = false
			e := r.copyOf(50, [2]uint64{0, 1})
			r.submit(1, e)
			r.run()
			r.medium().finish(r, 1)
			a, _ := r.cancelled(r.cancelOf(single, 1, 1, e.CID()))
			r.eq(spec.CancelResult(0, 0), a.result)
			r.medium().finish(r, 1)
			r.eq(okSt, r.reap(1)[0].status)
		}},
		{"one of two commands with an id is cancelled", func(r *rig) {
			for range 2 {
				e := r.rw(rd, 0, 1)
				e[2], e[3] = 5, 5
				r.submit(1, e)
			}
			r.run()
			a, before := r.cancelled(r.cancelOf(single, 1, 1, 0x505))
			r.eq(spec.CancelResult(1, 0), a.result)
			r.eq(1, len(before))
			r.eq(1, len(r.medium().ops))
		}},
		{"a full device still takes a Cancel at the head of its queue", func(r *rig) {
			cid := r.fly(1, 1, 6)[3]
			a, _ := r.cancelled(r.cancelOf(single, 1, 1, cid))
			r.eq(spec.CancelResult(1, 0), a.result)
		}},
		{"a command behind the Cancel is not touched", func(r *rig) {
			e := r.rw(rd, 0, 1)
			r.put(1, r.cancelOf(single, 1, 1, e.CID()))
			r.put(1, e)
			r.bell(1)
			r.run()
			c := r.reap(1)
			r.eq(1, len(c))
			r.eq(uint32(0), c[0].result)
			r.eq(1, len(r.medium().ops))
		}},
		{"NSID 0 is Invalid Namespace", cancelIs(spec.InvalidNamespace, func(r *rig) spec.SQE { return r.cancelOf(single, 0, 1, 1) })},
		{"a reserved action is Invalid Field", cancelIs(spec.InvalidField, func(r *rig) spec.SQE { return r.cancelOf(2, 1, 1, 0xffff) })},
	}},
	{"Base 7.1 Cancel, multiple", twoQueues, []rule{
		{"all of a namespace in this queue", func(r *rig) {
			one := r.fly(1, 1, 2)
			r.fly(1, 2, 1)
			r.fly(2, 1, 1)
			a, before := r.cancelled(r.cancelOf(multiple, 1, 1, 0xffff))
			r.eq(spec.CancelResult(2, 0), a.result)
			r.eq(one, []uint16{before[0].cid, before[1].cid})
			r.eq(2, len(r.medium().ops))
		}},
		{"FFFFFFFFh is all namespaces", func(r *rig) {
			r.fly(1, 1, 2)
			r.fly(1, 2, 1)
			a, _ := r.cancelled(r.cancelOf(multiple, allNS, 1, 0xffff))
			r.eq(spec.CancelResult(3, 0), a.result)
		}},
		{"a CID other than FFFFh is Invalid Field", cancelIs(spec.InvalidField, func(r *rig) spec.SQE { return r.cancelOf(multiple, 1, 1, 7) })},
		{"another submission queue is Invalid Field", cancelIs(spec.InvalidField, func(r *rig) spec.SQE { return r.cancelOf(multiple, 1, 2, 0xffff) })},
		{"none is a count of 0", func(r *rig) {
			a, _ := r.cancelled(r.cancelOf(multiple, allNS, 1, 0xffff))
			r.eq([]uint32{0, 0}, []uint32{uint32(a.status), a.result})
		}},
		{"a fused pair counts as two", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			a, before := r.cancelled(r.cancelOf(multiple, 1, 1, 0xffff))
			r.eq(spec.CancelResult(2, 0), a.result)
			r.eq([]spec.Status{spec.AbortRequested, spec.AbortRequested}, []spec.Status{before[0].status, before[1].status})
		}},
		{"immediate and deferred are counted apart", func(r *rig) {
			r.fly(1, 1, 2)
			r.submit(1, r.copyOf(50, [2]uint64{0, 1}, [2]uint64{1, 1}))
			r.run()
			r.medium().keep = r.medium().ops[2]
			a, _ := r.cancelled(r.cancelOf(multiple, 1, 1, 0xffff))
			r.eq(spec.CancelResult(2, 1), a.result)
			r.medium().finish(r, 1)
			r.eq(spec.AbortRequested, r.reap(1)[0].status)
		}},
		{"an Abort finds nothing of what a Cancel has ended", func(r *rig) {
			cid := r.fly(1, 1, 1)[0]
			r.cancelled(r.cancelOf(multiple, 1, 1, 0xffff))
			r.eq(notAborted, r.abort(1, cid))
		}},
		{"a completion that waits for room is not aborted", func(r *rig) {
			r.fly(1, 1, 6)
			for range 3 {
				r.medium().finish(r, len(r.medium().ops))
				r.fly(1, 1, 3)
			}
			// 15 entries are posted or wait; the host has consumed none.
			r.medium().finish(r, len(r.medium().ops))
			r.submit(1, r.cancelOf(multiple, 1, 1, 0xffff))
			r.run()
			n := 0
			for range 4 {
				for _, c := range r.reap(1) {
					r.eq(okSt, c.status)
					n++
				}
				r.run()
			}
			r.eq(16, n)
		}},
	}},
}
