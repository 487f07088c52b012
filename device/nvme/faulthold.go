package nvme

import (
	"blksim/aio/lane"
	"blksim/device/nvme/spec"
	"blksim/sim/faultplan"
)

// hold says why a command has not begun at the medium.
type hold uint8

const (
	notHeld hold = iota
	delayed      // until its timer fires; it can be aborted
	hangs        // until the plan is healed or the controller reset; it cannot
	ended        // it has ended at the medium, in a stall
)

// hold decides whether cmd begins now.
func (f *faults) hold(cmd *command, s *faultState) bool {
	now := f.c.lane.Now()
	if f.hit(faultplan.Hang, cmd) != nil {
		s.held = hangs
		return true
	}
	if r := f.hit(faultplan.Stall, cmd); r != nil {
		f.beginStall(now.Add(r.For))
	}
	until := max(now, f.stalled)
	if r := f.hit(faultplan.Spike, cmd); r != nil {
		until = until.Add(r.For)
	}
	if until == now {
		return false
	}
	s.held = delayed
	if s.timer == nil { // made once a slot
		s.timer = f.c.lane.NewTimer(func() {
			f.release(cmd)
			f.c.Settle()
		})
	}
	s.timer.Arm(until.Sub(now))
	return true
}

// release lets a command that was held begin.
func (f *faults) release(cmd *command) {
	f.state[cmd.slot].held = notHeld
	if st, done := f.c.medium.Begin(&cmd.op); done {
		f.c.finishIO(cmd, st)
	}
}

// takeBack ends a command that is held. It says whether one was, and whether it
// has ended.
func (f *faults) takeBack(cmd *command) (held, ok bool) {
	s := &f.state[cmd.slot]
	if s.held == delayed {
		s.timer.Stop()
		s.held = notHeld
		return true, true
	}
	return s.held != notHeld, false
}

func (f *faults) beginStall(until lane.Time) {
	if until > f.stalled {
		f.stalled = until
		f.stall.Arm(until.Sub(f.c.lane.Now()))
	}
}

// keep takes an op that the medium has finished, if the device is stalled.
func (f *faults) keep(op *Op, st spec.Status) bool {
	if f.stalled == 0 || op.Slot >= len(f.state) {
		return false
	}
	f.state[op.Slot].held = ended
	f.ended = append(f.ended, endedOp{op, st})
	return true
}

// endStall gives what has ended in the stall to the host.
func (f *faults) endStall() {
	f.stalled = 0
	for i := range f.ended {
		e := &f.ended[i]
		f.state[e.op.Slot].held = notHeld
		f.c.finishIO(&f.c.io.cmds[e.op.Slot], e.st)
	}
	f.ended = f.ended[:0]
	f.c.Settle()
}
