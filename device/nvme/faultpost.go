package nvme

import (
	"time"

	"blksim/device/nvme/spec"
	"blksim/sim/faultplan"
)

// lateMost bounds the time from an abort to the completion that comes after all.
const lateMost = time.Millisecond

// posted follows the entry of an I/O command: it is posted again, if the plan
// wants that. Such an entry is not counted among the completions.
func (f *faults) posted(cmd *command) {
	s := &f.state[cmd.slot]
	if s.twice {
		s.twice = false
		f.c.postStray(cmd.sq, cmd.result, cmd.cid, cmd.status)
	}
	if s.late && cmd.status.Code() == spec.AbortRequested {
		s.late = false
		sq, cid, result := cmd.sq, cmd.cid, cmd.result
		wait := time.Duration(1 + f.below(int(lateMost)))
		f.c.lane.NewTimer(func() {
			if f.c.state == ready && f.c.sqs[sq.id] == sq { // the queue is still there
				f.c.postStray(sq, result, cid, spec.Success)
				f.c.Settle()
			}
		}).Arm(wait)
	}
}

// postStray writes an entry that no command has.
func (c *Controller) postStray(sq *subq, result uint64, cid uint16, st spec.Status) {
	cq := sq.cq
	if cq.full() {
		return
	}
	c.publish(cq, sq, result, cid, st)
}

// swallows says whether an interrupt is lost. Those that tell of the admin queue are
// not: a plan is about I/O, as with all other faults of commands.
func (f *faults) swallows() bool {
	return f.plan.Due(faultplan.LostInterrupt, time.Duration(f.c.lane.Now()))
}
