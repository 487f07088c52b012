package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// coalescing has queues 1 and 2 of vectors 1 and 2, and interrupts held back for
// 4 entries or 300 us.
func coalescing(t testing.TB) *rig {
	r := newReady(t, nvme.Config{Queues: 4}, null, 64)
	r.createPair(2, 64)
	r.set(spec.FeatIRQCoalescing, spec.EncodeCoalescing(3, 3))
	r.raised = make([]int, 16)
	return r
}

// io carries n reads out on queue qid, with 1 us between them, and stops there.
func (r *rig) io(qid uint16, n int) {
	for range n {
		r.submit(qid, r.rwAt(rd, 0, 1, busBase))
		r.runFor(time.Microsecond)
	}
}

func raised(v, want int) func(r *rig) { return func(r *rig) { r.t.Helper(); r.eq(want, r.raised[v]) } }

var interruptSections = []section{
	{"Base 3.1.3.3, 3.1.3.4 interrupt mask", plain, []rule{
		{"a masked vector is not raised, and the entry is posted", func(r *rig) {
			r.w32(spec.RegINTMS, 2)
			before := r.raised[1]
			r.submit(1, r.rw(rd, 0, 1))
			r.run()
			r.eq(before, r.raised[1])
			r.eq(1, len(r.peek(1)))
		}},
		{"unmasking raises what became due", func(r *rig) {
			r.w32(spec.RegINTMS, 2)
			r.submit(1, r.rw(rd, 0, 1))
			r.run()
			before := r.raised[1]
			r.w32(spec.RegINTMC, 2)
			r.eq(before+1, r.raised[1])
		}},
		{"unmasking with nothing due raises nothing", func(r *rig) {
			r.w32(spec.RegINTMS, 2)
			before := r.raised[1]
			r.w32(spec.RegINTMC, 2)
			r.eq(before, r.raised[1])
		}},
		{"another vector is not masked", func(r *rig) {
			r.w32(spec.RegINTMS, 2)
			before := r.raised[0]
			r.feature(spec.AdminGetFeatures, spec.FeatArbitration, 0)
			r.yes(r.raised[0] > before)
		}},
		{"a queue without IEN raises nothing", func(r *rig) {
			q := r.ring(2, 8)
			for _, e := range []spec.SQE{r.adminCommand(spec.AdminCreateCQ, 0, spec.QueueCDW10(2, 8), spec.CreateCQCDW11(2, false)),
				r.adminCommand(spec.AdminCreateSQ, 0, spec.QueueCDW10(2, 8), spec.CreateSQCDW11(2, 0))} {
				e.SetPRPs(q.sq, 0)
				if e.Opcode() == spec.AdminCreateCQ {
					e.SetPRPs(q.cq, 0)
				}
				r.eq(okSt, r.admin(e).status)
			}
			r.submit(2, r.rw(rd, 0, 1))
			r.run()
			r.eq([]int{0, 1}, []int{r.raised[2], len(r.peek(2))})
		}},
	}},
	{"Base 5.27.1.6 interrupt coalescing", coalescing, []rule{
		{"fewer entries than the threshold raise nothing before the time", func(r *rig) { r.io(1, 3); raised(1, 0)(r) }},
		{"the threshold raises", func(r *rig) { r.io(1, 4); raised(1, 1)(r) }},
		{"the time raises", func(r *rig) {
			r.io(1, 1)
			r.runFor(298 * time.Microsecond)
			raised(1, 0)(r)
			r.runFor(2 * time.Microsecond)
			raised(1, 1)(r)
		}},
		{"the time counts from the first entry", func(r *rig) {
			r.io(1, 1)
			r.runFor(200 * time.Microsecond)
			r.io(1, 1)
			r.runFor(100 * time.Microsecond)
			raised(1, 1)(r)
		}},
		{"nothing more comes after what was told", func(r *rig) {
			r.io(1, 4)
			r.runFor(time.Millisecond)
			raised(1, 1)(r)
		}},
		{"vectors are counted apart", func(r *rig) {
			r.io(1, 3)
			r.io(2, 3)
			r.eq([]int{0, 0}, r.raised[1:3])
		}},
		{"the admin queue is not held back", func(r *rig) {
			r.submit(0, r.adminCommand(spec.AdminGetFeatures, 0, spec.FeatArbitration))
			r.runFor(time.Microsecond)
			raised(0, 1)(r)
		}},
		{"a threshold of 0 holds nothing back", func(r *rig) {
			r.set(spec.FeatIRQCoalescing, spec.EncodeCoalescing(0, 3))
			r.io(1, 2)
			raised(1, 2)(r)
		}},
		{"a time of 0 holds nothing back", func(r *rig) {
			r.set(spec.FeatIRQCoalescing, spec.EncodeCoalescing(3, 0))
			r.io(1, 2)
			raised(1, 2)(r)
		}},
		{"CD of a vector (09h) holds nothing of it back", func(r *rig) {
			r.set(spec.FeatIRQVector, 1|spec.IRQVectorNoCoalesce)
			r.io(1, 2)
			r.io(2, 2)
			r.eq([]int{2, 0}, r.raised[1:3])
		}},
		{"a masked vector is raised when it is unmasked", func(r *rig) {
			r.c.Write32(spec.RegINTMS, 2)
			r.io(1, 1)
			r.runFor(time.Millisecond)
			raised(1, 0)(r)
			r.w32(spec.RegINTMC, 2)
			raised(1, 1)(r)
		}},
		{"a reset drops what is held back", func(r *rig) {
			r.io(1, 1)
			r.w32(spec.RegCC, 0)
			r.runFor(time.Millisecond)
			raised(1, 0)(r)
		}},
	}},
}
