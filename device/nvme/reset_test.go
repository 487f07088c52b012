package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

// resetStates put a controller into a state with something in flight.
var resetStates = []struct {
	name string
	do   func(r *rig)
}{
	{"nothing in flight", func(*rig) {}},
	{"executing", func(r *rig) { r.fly(1, 1, 3) }},
	{"unfetched", func(r *rig) { r.fly(1, 1, 9) }},
	{"completing: the completion queue is full", func(r *rig) {
		for range 2 {
			r.fly(1, 1, 10)
			r.medium().finish(r, len(r.medium().ops))
		}
	}},
	{"an Abort that waits for an unfetched command", func(r *rig) {
		r.submit(0, r.abortOf(1, r.fly(1, 1, 9)[8]))
		r.run()
	}},
	{"an Abort whose answer waits for room", func(r *rig) {
		cid := r.fly(1, 1, 1)[0]
		for range 40 {
			r.put(0, r.adminCommand(spec.AdminGetFeatures, 0, spec.FeatArbitration))
		}
		r.bell(0)
		r.run()
		for range 30 {
			r.put(0, r.adminCommand(spec.AdminGetFeatures, 0, spec.FeatArbitration))
		}
		r.put(0, r.abortOf(1, cid))
		r.bell(0)
		r.run()
	}},
	{"a Cancel whose answer waits for room", func(r *rig) {
		for range 2 {
			r.fly(1, 1, 7)
			r.medium().finish(r, len(r.medium().ops))
		}
		r.fly(1, 1, 2)
		r.submit(1, r.cancelOf(multiple, allNS, 1, 0xffff))
		r.run()
	}},
	{"a fused pair that compares", func(r *rig) {
		e1, e2 := r.fused(0, 9)
		r.put(1, e1)
		r.put(1, e2)
		r.bell(1)
		r.run()
	}},
	{"a fused pair that writes", func(r *rig) {
		e1, e2 := r.fused(0, 9)
		r.put(1, e1)
		r.put(1, e2)
		r.bell(1)
		r.run()
		r.medium().finish(r, 1)
	}},
	{"a Copy with a deferred abort", func(r *rig) {
		r.medium().abort = false
		e := r.copyOf(50, [2]uint64{0, 1}, [2]uint64{1, 1})
		r.submit(1, e)
		r.submit(1, r.cancelOf(single, 1, 1, e.CID()))
		r.run()
	}},
	{"a queue that is being deleted", func(r *rig) {
		r.medium().abort = false
		r.fly(1, 1, 2)
		r.submit(0, r.adminCommand(spec.AdminDeleteSQ, 0, 1))
		r.run()
	}},
	{"a format", func(r *rig) { r.submit(0, r.adminCommand(spec.AdminFormat, 1, 1)); r.run() }},
	{"event requests and an event", func(r *rig) {
		r.submit(0, command(spec.AdminAsyncEvent, r.nextCID(), 0))
		r.run()
		r.badTail()
		r.badTail()
	}},
	{"an interrupt that is held back", func(r *rig) {
		r.set(spec.FeatIRQCoalescing, spec.EncodeCoalescing(9, 200))
		r.fly(1, 1, 1)
		r.submit(1, r.cancelOf(multiple, allNS, 1, 0xffff))
		r.runFor(time.Microsecond)
	}},
	{"a masked interrupt", func(r *rig) {
		r.w32(spec.RegINTMS, 2)
		r.fly(1, 1, 1)
		r.medium().finish(r, 1)
	}},
	{"a shutdown that waits for a command", func(r *rig) { r.fly(1, 1, 1); r.shn(spec.ShutdownNormal) }},
	{"a shutdown that flushes", func(r *rig) { r.shn(spec.ShutdownNormal) }},
	{"a shutdown that is complete", func(r *rig) { r.shn(spec.ShutdownAbrupt) }},
	{"fatal", func(r *rig) { r.fly(1, 1, 3); r.w.Lane(0).Post(r.c.Fail); r.run() }},
}

// A reset in any state leaves nothing behind: no completion, no interrupt, no op
// with the medium, no identifier, and a controller that works.
func TestResetInEveryState(t *testing.T) {
	resets := map[string]func(r *rig){
		"controller": func(r *rig) { r.c.Write32(spec.RegCC, 0) },
		"subsystem":  func(r *rig) { r.c.Write32(spec.RegNSSR, spec.SubsystemReset) },
	}
	for _, s := range resetStates {
		for kind, reset := range resets {
			t.Run(s.name+", "+kind, func(t *testing.T) {
				r := newReady(t, nvme.Config{
					Capacity: 2 << 20, Queues: 4, Slots: 6, AbortLimit: 1, Namespaces: []nvme.Namespace{{Size: 1 << 20}, {Size: 1 << 20}},
				}, withHeld(&held{abort: true, cache: true}), 16)
				s.do(r)
				r.peek(0)
				r.peek(1)
				before := r.raised[0] + r.raised[1]
				reset(r)
				r.run()
				require.Empty(t, r.medium().ops)
				require.Zero(t, r.csts()&^spec.CSTSNSSRO)
				require.Empty(t, r.peek(0))
				require.Empty(t, r.peek(1))
				r.checkIdentity()
				r.runFor(time.Second)
				require.Equal(t, before, r.raised[0]+r.raised[1], "an interrupt after the reset")
				require.Empty(t, r.peek(1))

				r.brk = busBase
				r.enable()
				r.createPair(1, 16)
				r.medium().abort = true
				cids := r.fly(1, 1, 9) // every slot is free again
				require.Len(t, r.medium().ops, 6)
				require.Equal(t, aborted, r.abort(1, cids[0]))
				require.Equal(t, aborted, r.abort(1, cids[1]), "and the Abort limit is what it was")
				for len(r.medium().ops) > 0 {
					r.medium().finish(r, len(r.medium().ops))
				}
				require.Len(t, r.reap(1), 9)
				require.NotZero(t, r.namespaceData(1).NSZE)
				for range 4 {
					r.submit(0, command(spec.AdminAsyncEvent, r.nextCID(), 0))
				}
				r.run()
				require.Empty(t, r.reap(0), "and so is the limit of event requests")
				r.checkIdentity()
			})
		}
	}
}
