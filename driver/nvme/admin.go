package nvme

import (
	"fmt"

	"blksim/aio/lane"
	"blksim/device/nvme/spec"
)

// adminEntries is the size of the admin queues. Set-up has one command at a time
// with the controller, and some more if that stopped answering: so many are kept
// from the Aborts.
const (
	adminEntries  = 64
	adminReserved = 8
)

// admin is the admin queue pair; it belongs to the admin lane.
type admin struct {
	rings
	lane   lane.Lane
	vector vector
	slots  slotTable
	cmds   []*adminCommand // by slot; nil: it is free
	aborts aborter
	stats  adminStats
}

// adminCommand is a command on the admin queue. done gets its answer, on the
// admin lane; nil: nobody waits any more.
type adminCommand struct {
	done  func(completion)
	abort *abort // what it aborts; nil: another command
}

// completion is what an admin command answered.
type completion struct {
	result uint32
	status spec.Status
}

func (a *admin) init(l lane.Lane) {
	a.lane = l
	a.rings = newRings(0, adminEntries)
	a.slots = newSlotTable(adminEntries - 1)
	a.cmds = make([]*adminCommand, adminEntries-1)
	a.vector.lane, a.vector.handle = l, a.handle
	a.aborts.admin = a
}

// begin gives the entry of a new command to fill in before ring, or nil if
// there is no room for one.
func (a *admin) begin(cmd *adminCommand, opcode uint8, nsid uint32) *spec.SQE {
	index, ok := a.slots.peek()
	if !ok || a.rings.full() {
		return nil
	}
	a.cmds[index] = cmd
	e := a.rings.push()
	e.Begin(opcode, a.slots.take(0), nsid)
	return e
}

// handle is the interrupt handler.
func (a *admin) handle() {
	a.vector.acknowledge()
	a.reap()
}

// reap takes all completions, and sends Aborts that have waited for one.
func (a *admin) reap() {
	for {
		e, d := a.rings.next()
		if e == nil {
			break
		}
		a.finish(e, d)
		a.rings.consume()
	}
	a.rings.release()
	a.aborts.pump()
}

func (a *admin) finish(e *spec.CQE, d spec.CQEDword3) {
	index, s := a.slots.find(d.CID())
	if s == nil || e.SQID() != a.rings.id {
		a.stats.strays.Add(1)
		return
	}
	if !a.rings.fetched(e.SQHead()) {
		a.stats.badHeads.Add(1)
	}
	cmd := a.cmds[index]
	a.cmds[index] = nil
	a.slots.put(index)
	if cmd.done != nil {
		cmd.done(completion{e.Result(), d.Status()})
	}
}

// execute runs one admin command from outside all lanes and waits for its
// answer. fill completes the entry. A command that is not answered in time keeps
// its identifier until it is.
func (d *Driver) execute(step string, opcode uint8, nsid uint32, fill func(*spec.SQE)) (result uint32, err error) {
	a := &d.admin
	var answer completion
	var failure error
	err = d.onLane(a.lane, func(done func()) {
		cmd := new(adminCommand)
		timer := a.lane.NewTimer(func() {
			a.reap() // the command may have completed and its interrupt be lost
			if cmd.done != nil {
				cmd.done, failure = nil, ErrTimeout
				done()
			}
		})
		cmd.done = func(c completion) {
			timer.Stop()
			cmd.done, answer = nil, c
			done()
		}
		e := a.begin(cmd, opcode, nsid)
		if e == nil {
			failure = ErrTimeout // all commands are still with the controller
			done()
			return
		}
		fill(e)
		a.rings.ring()
		timer.Arm(d.options.AdminTimeout)
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("nvme: %s: %w", step, err)
	case failure != nil:
		return 0, fmt.Errorf("nvme: %s: %w", step, failure)
	case !answer.status.OK():
		return 0, fmt.Errorf("nvme: %s: %w: %v", step, ErrStatus, answer.status)
	}
	return answer.result, nil
}
