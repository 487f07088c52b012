package nvme

import (
	"errors"
	"fmt"

	"blksim/device/nvme/spec"
)

// createQueue makes q known to the controller (Base 5.4, 5.5): the completion
// queue first, since the submission queue names it.
func (d *Driver) createQueue(q *queue) error {
	id := q.rings.id
	_, err := d.execute(fmt.Sprintf("create completion queue %d", id), spec.AdminCreateCQ, 0, q.fillCreateCQ)
	if err != nil {
		return err
	}
	_, err = d.execute(fmt.Sprintf("create submission queue %d", id), spec.AdminCreateSQ, 0, q.fillCreateSQ)
	if errors.Is(err, ErrStatus) {
		if undo := d.deleteQueue("completion", spec.AdminDeleteCQ, id); undo != nil {
			return fmt.Errorf("%w (and then: %v)", err, undo)
		}
	}
	return err
}

func (q *queue) fillCreateCQ(e *spec.SQE) {
	id := q.rings.id
	e.SetPRPs(busAddress(regionCQ, int(id), 0, 0), 0)
	e.SetCDW10(spec.QueueCDW10(id, int(q.rings.cqSize)))
	e.SetCDW11(spec.CreateCQCDW11(id, true))
}

func (q *queue) fillCreateSQ(e *spec.SQE) {
	id := q.rings.id
	e.SetPRPs(busAddress(regionSQ, int(id), 0, 0), 0)
	e.SetCDW10(spec.QueueCDW10(id, int(q.rings.sqSize)))
	e.SetCDW11(spec.CreateSQCDW11(id, 0))
}

func (d *Driver) deleteQueue(kind string, opcode uint8, id uint16) error {
	_, err := d.execute(fmt.Sprintf("delete %s queue %d", kind, id), opcode, 0, func(e *spec.SQE) {
		e.SetCDW10(uint32(id))
	})
	return err
}

// Close implements [driver.Driver]: it deletes the queues, has the controller
// shut down (Base 3.6.1) and disables it. It ends within the timeouts of Options
// whatever the controller does: one that leaves a command unanswered is asked
// nothing more, only disabled, and the error tells; so is one that a reset did not
// bring back. A reset that is under way ends first. A second Close does nothing.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	errs := []error{d.stopLanes()}
	if errs[0] == nil {
		errs[0] = d.reset.failed // its lane leaves it alone by now
	}
	if errs[0] == nil {
		errs = append(errs, d.deleteQueues())
	}
	if errors.Join(errs...) == nil {
		errs = append(errs, d.shutDown())
	}
	return errors.Join(append(errs, d.disable())...)
}

// stopLanes has each lane leave its queue alone from here on: what the
// controller still completes is not looked at, and Aborts that wait are not sent.
func (d *Driver) stopLanes() error {
	// From then on none begins: one that was asked for above us, and was still on
	// its way down, would disable the controller under the deletes.
	err := d.onLane(d.admin.lane, func(done func()) {
		d.reset.whenOver(func() { d.reset.closed = true; done() })
	})
	if err != nil {
		return fmt.Errorf("nvme: close: %w", err)
	}
	for _, q := range d.queues {
		if q == nil {
			continue
		}
		if err := d.onLane(q.lane, func(done func()) { q.close(); done() }); err != nil {
			return fmt.Errorf("nvme: close queue %d: %w", q.rings.id, err)
		}
	}
	err = d.onLane(d.admin.lane, func(done func()) { d.admin.aborts.closed = true; done() })
	if err != nil {
		return fmt.Errorf("nvme: close: %w", err)
	}
	return nil
}

// deleteQueues deletes all submission queues and then their completion queues,
// and goes on after a refusal, but not after a command without answer.
func (d *Driver) deleteQueues() error {
	var errs []error
	for _, step := range []struct {
		kind   string
		opcode uint8
	}{{"submission", spec.AdminDeleteSQ}, {"completion", spec.AdminDeleteCQ}} {
		for _, q := range d.queues {
			if q == nil {
				continue
			}
			err := d.deleteQueue(step.kind, step.opcode, q.rings.id)
			errs = append(errs, err)
			if err != nil && !errors.Is(err, ErrStatus) {
				return errors.Join(errs...)
			}
		}
	}
	return errors.Join(errs...)
}

// shutDown lets the controller save what is in its volatile cache.
func (d *Driver) shutDown() error {
	cc := spec.CC(d.regs.Read32(spec.RegCC)).Fields()
	cc.SHN = spec.ShutdownNormal
	d.regs.Write32(spec.RegCC, uint32(cc.Encode()))
	return d.await("shutdown", d.options.ShutdownTimeout,
		unlessFatal(func(s spec.CSTS) bool { return s.SHST() == spec.ShutdownComplete }))
}
