package nvme

import (
	"encoding/binary"
	"fmt"

	"blksim/device/nvme/spec"
)

// CancelBy says what a queue's Cancel method sends.
type CancelBy uint8

const (
	// ByAbort: Abort, on the admin queue. Any controller has it; it travels over
	// another lane, and ACL + 1 are under way at once.
	ByAbort CancelBy = iota

	// ByCancel: the I/O command Cancel, in the command's own queue (Base 7.1, of
	// revision 2.1); an Abort where the queue has no room for it. Open fails
	// where the controller does not have it.
	ByCancel

	// ByAuto: as ByCancel where the controller has it, else as ByAbort.
	ByAuto
)

// maxCancels is how many Cancels a queue has with the controller at most. Its
// submission queue and its identifiers have that much room beyond its depth.
const maxCancels = 16

// canceller sends Cancels for one queue. It belongs to the queue's lane.
//
// A Cancel is fetched after the command that it names, from the same queue, so it
// cannot overtake it; but the command may have completed before that, and its
// identifier have gone to one that lies behind the Cancel, which the controller
// may look at as well. So the identifier is held until the Cancel has its answer,
// as it is for an Abort.
type canceller struct {
	on      bool
	left    int      // how many more may be sent
	who     int      // whose the slots of Cancels are
	victims []uint16 // by slot of a Cancel: the slot that it is for
}

// cancelByCommand sends a Cancel for the command in slot index, if there is room.
func (q *queue) cancelByCommand(index uint16) bool {
	c := &q.cancels
	mine, ok := q.slots.peek()
	if !c.on || c.left == 0 || !ok || q.rings.full() {
		return false
	}
	victim := q.slots.slots[index].cid
	e := q.rings.push()
	e.Begin(spec.IOCancel, q.slots.take(q.cancels.who), q.format.nsid)
	e.SetCDW10(spec.AbortCDW10(q.rings.id, victim))
	e.SetCDW11(spec.CancelSingle)
	c.victims[mine] = index
	c.left--
	q.stats.cancelsSent.Add(1)
	q.Commit()
	return true
}

// answeredCancel is the completion of the Cancel in slot index. As with an Abort
// it changes nothing but the counts and the hold on the identifier: what became of
// the command, its own completion tells, which comes before if it was aborted.
func (q *queue) answeredCancel(index uint16, e *spec.CQE, st spec.Status) {
	aborted, deferred := spec.CancelCounts(e.Result())
	switch {
	case !st.OK():
		q.stats.cancelsFailed.Add(1)
	case aborted > 0:
		q.stats.cancelsDone.Add(1)
	case deferred > 0:
		q.stats.cancelsDeferred.Add(1)
	default:
		q.stats.cancelsNotDone.Add(1)
	}
	victim := q.cancels.victims[index]
	q.slots.put(index)
	q.cancels.left++
	q.released(victim)
}

// chooseCancel decides what the queues' Cancel sends: the controller says what it
// has in the Commands Supported and Effects log page (Base 5.16.1.6).
func (d *Driver) chooseCancel(c *spec.ControllerData) error {
	if !d.options.Callback || d.options.Cancel == ByAbort {
		return nil
	}
	has := false
	if c.LPA&spec.LPAEffects != 0 {
		var err error
		if has, err = d.hasCommand(spec.IOCancel); err != nil {
			return err
		}
	}
	if !has && d.options.Cancel == ByCancel {
		return fmt.Errorf("nvme: open: %w: the controller has no Cancel command", ErrUnsupported)
	}
	d.useCancel = has
	return nil
}

// hasCommand reads whether an I/O command is supported.
func (d *Driver) hasCommand(opcode uint8) (bool, error) {
	clear(d.memory.page)
	_, err := d.execute("get log page: command effects", spec.AdminGetLogPage, spec.NSIDAll, func(e *spec.SQE) {
		e.SetPRPs(busAddress(regionPage, 0, 0, 0), 0)
		e.SetCDW10(spec.LogCDW10(spec.LogEffects, pageSize))
		e.SetCDW11(spec.LogCDW11(pageSize))
	})
	const ioCommands = 256 // after as many admin commands
	effects := binary.LittleEndian.Uint32(d.memory.page[4*(ioCommands+int(opcode)):])
	return effects&spec.EffectSupported != 0, err
}
