package nvme

import (
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme/sparse"
	"blksim/device/nvme/spec"
	"blksim/sim/faultplan"
)

// Faults lie over a device that is good: the medium and what is stored are as
// they would be without, and [Controller.Heal] brings that back. The plan is
// asked when an I/O command begins at the medium; what strikes is carried out
// there (faulthold.go: it takes longer), when its data moves (faultdata.go: wrong
// data) and when it is posted (faultpost.go: wrong completions).
//
// All of it belongs to the controller's lane. A device without a plan pays one
// comparison for each of these points.
type faults struct {
	c    *Controller
	plan *faultplan.Injector
	rand faultplan.Source

	state   []faultState // by slot
	stalled lane.Time    // until then nothing begins or ends
	stall   lane.Timer
	ended   []endedOp // in the stall, in order
	gone    bool      // the device was removed

	lost int // blocks that power cuts have taken back
}

// faultState is what a plan does to the command in a slot.
type faultState struct {
	held   hold
	timer  lane.Timer
	status spec.Status // what the medium's answer becomes, if not success
	wrong  wrongData
	twice  bool   // duplicate completion
	late   bool   // another completion after an abort
	mark   uint64 // of a flush: the last write that it makes safe
}

// endedOp is an op that the medium has finished in a stall.
type endedOp struct {
	op *Op
	st spec.Status
}

// newFaults prepares a controller for its plan.
func newFaults(c *Controller, plan *faultplan.Injector, rand faultplan.Source) *faults {
	f := &faults{c: c, plan: plan, rand: rand, state: make([]faultState, len(c.io.cmds))}
	f.stall = c.lane.NewTimer(f.endStall)
	if c.store != nil {
		for _, w := range []faultplan.What{faultplan.Torn, faultplan.Misdirected, faultplan.LostWrite} {
			if plan.Has(w) && c.store.over == nil {
				c.store.over = sparse.NewOverlay(c.store.good.Size())
			}
		}
		if plan.Has(faultplan.PowerCut) && c.medium.Volatile() {
			c.store.cache = new(unflushed)
		}
	}
	c.lane.Post(f.schedule) // timers are the lane's
	return f
}

// schedule sets the timers of the plan's events.
func (f *faults) schedule() {
	l := f.c.lane
	f.plan.Events(func(w faultplan.What, at time.Duration) {
		l.NewTimer(func() { f.event(w) }).Arm(lane.Time(at).Sub(l.Now()))
	})
}

// event is what happens to the device as a whole.
func (f *faults) event(w faultplan.What) {
	if w == faultplan.Fatal && f.c.state == disabled {
		return // it does nothing that could fail
	}
	if f.gone || !f.plan.Due(w, time.Duration(f.c.lane.Now())) {
		return
	}
	switch w {
	case faultplan.Fatal:
		f.c.Fail()
	case faultplan.PowerCut:
		f.powerCut()
	case faultplan.Remove:
		f.remove()
	}
}

// strike asks the plan about a command whose op is about to begin at the medium.
// It says whether the command is held back.
func (f *faults) strike(cmd *command) (held bool) {
	s := &f.state[cmd.slot]
	timer := s.timer
	*s = faultState{timer: timer}
	switch cmd.op.Kind {
	case OpRead:
		if f.hit(faultplan.ReadError, cmd) != nil {
			s.status = spec.UnrecoveredRead
		}
		if f.hit(faultplan.Corrupt, cmd) != nil {
			s.wrong = corrupted
		}
	case OpWrite:
		f.strikeWrite(s, cmd)
	default:
		if f.hit(faultplan.WriteError, cmd) != nil {
			s.status = spec.WriteFault
		}
	}
	if f.c.store != nil && f.c.store.cache != nil && cmd.op.Kind == OpFlush {
		s.mark = f.c.store.cache.seq
	}
	s.twice = f.hit(faultplan.Duplicate, cmd) != nil
	s.late = f.hit(faultplan.Late, cmd) != nil
	return f.hold(cmd, s)
}

func (f *faults) strikeWrite(s *faultState, cmd *command) {
	switch {
	case f.hit(faultplan.WriteError, cmd) != nil:
		s.status = spec.WriteFault
	case f.hit(faultplan.Torn, cmd) != nil:
		s.wrong = torn
	case f.hit(faultplan.Misdirected, cmd) != nil:
		s.wrong = misdirected
	case f.hit(faultplan.LostWrite, cmd) != nil:
		s.wrong = lostWrite
	}
}

var faultOps = [...]faultplan.Op{OpRead: faultplan.Read, OpWrite: faultplan.Write, OpFlush: faultplan.Flush, OpTrim: faultplan.Trim}

// hit asks about one fault. Blocks are those of the command's namespace.
func (f *faults) hit(w faultplan.What, cmd *command) *faultplan.Rule {
	if !f.plan.Has(w) {
		return nil
	}
	now, op := time.Duration(f.c.lane.Now()), &cmd.op
	ask := func(x Extent) *faultplan.Rule {
		return f.plan.Hit(w, faultOps[op.Kind], uint64(x.Off-cmd.ns.base)>>cmd.ns.shift, uint64(x.Len)>>cmd.ns.shift, now)
	}
	switch op.Kind {
	case OpFlush:
		return f.plan.Hit(w, faultplan.Flush, 0, 0, now)
	case OpTrim:
		for _, x := range op.Ranges {
			if r := ask(x); r != nil {
				return r
			}
		}
		return nil
	}
	return ask(Extent{op.Off, op.Len})
}

// below is uniform over [0, n), n > 0, but for a bias below n/2^32.
func (f *faults) below(n int) int { return int(f.rand.Uint64() >> 32 * uint64(n) >> 32) }

// reset follows a reset of the controller: no command is left.
func (f *faults) reset() {
	for i := range f.state {
		if s := &f.state[i]; s.held != notHeld {
			s.held = notHeld
			if s.timer != nil {
				s.timer.Stop()
			}
		}
	}
	f.ended = f.ended[:0]
	f.stall.Stop()
	f.stalled = 0
}

// Heal ends all faults of the plan: what was held goes on, what was stored wrongly
// reads as it should have been, and nothing is struck any more. A device that was
// removed stays away. On the controller's lane.
func (c *Controller) Heal() {
	f := c.faults
	if f == nil || f.gone {
		return
	}
	f.plan.Heal()
	for i := range f.state { // what was struck and has not ended is struck no more
		s := &f.state[i]
		s.status, s.wrong, s.twice, s.late = spec.Success, rightData, false, false
	}
	if c.store != nil && c.store.over != nil {
		c.store.over.Clear()
	}
	if f.stalled != 0 {
		f.stall.Stop()
		f.endStall()
	}
	for i := range f.state {
		if s := &f.state[i]; s.held != notHeld {
			if s.timer != nil {
				s.timer.Stop()
			}
			f.release(&c.io.cmds[i])
		}
	}
	c.Settle()
}
