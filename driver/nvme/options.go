package nvme

import (
	"errors"
	"fmt"
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme"
)

// Options says how to reach a controller and how to use it. Group and Connect
// are needed; other zero fields take the value stated there.
type Options struct {
	// Group is what the stack runs on. Open, OpenQueue and Close wait through
	// its Do, so they are called from outside its lanes.
	Group lane.Group

	// AdminLane is the lane that owns the admin queue: set-up and Aborts, so
	// nothing of an I/O that is not cancelled.
	AdminLane int

	// Connect attaches the controller: it gives it the host's memory and
	// interrupts and returns its registers. It is called once, by Open.
	Connect func(nvme.Memory, nvme.Interrupter) (nvme.Registers, error)

	// Callback gives the queues a Cancel method ([blksim/driver.Canceler]), which
	// sends what Cancel says.
	Callback bool
	Cancel   CancelBy // 0: ByAbort

	Namespace uint32 // 0: namespace 1
	Queues    int    // I/O queues to ask for; 0: one for each lane of the group. The controller may grant fewer.

	// Observer is told what is consumed of the completion queues; nil: nobody is.
	Observer CQObserver

	// How long to wait for the controller. All are bounds on a wait that ends
	// as soon as the controller answers.
	ReadyTimeout    time.Duration // for CSTS.RDY after a change of CC.EN; 0: CAP.TO
	AdminTimeout    time.Duration // for an admin command; 0: 10 s
	ShutdownTimeout time.Duration // for CSTS.SHST after a shutdown notification; 0: 10 s
}

// A CQObserver is told what the host does to the completion queues. The controller
// has the other half ([blksim/device/nvme.QueueObserver]).
type CQObserver interface {
	// Consumed tells of one entry fewer in completion queue qid as the controller
	// counts queues, 0 for the admin queue. The entry is the controller's again only
	// with the next ring of the head doorbell, which is put off to the next submit.
	// Called on the lane of the queue; at is the lane's time.
	Consumed(at lane.Time, qid uint16)
}

// Validate says what is wrong with o.
func (o Options) Validate() error {
	switch {
	case o.Group == nil:
		return errors.New("nvme: options: Group is nil")
	case o.Connect == nil:
		return errors.New("nvme: options: Connect is nil")
	case o.AdminLane < 0 || o.AdminLane >= o.Group.Lanes():
		return fmt.Errorf("nvme: options: admin lane %d: expected 0 to %d", o.AdminLane, o.Group.Lanes()-1)
	case o.Cancel > ByAuto:
		return fmt.Errorf("nvme: options: Cancel %d: expected ByAbort, ByCancel or ByAuto", o.Cancel)
	case o.Queues < 0 || o.Queues > maxQueues:
		return fmt.Errorf("nvme: options: %d queues: expected 0 to %d", o.Queues, maxQueues)
	case o.ReadyTimeout < 0 || o.AdminTimeout < 0 || o.ShutdownTimeout < 0:
		return fmt.Errorf("nvme: options: timeouts %v, %v, %v: expected none below 0",
			o.ReadyTimeout, o.AdminTimeout, o.ShutdownTimeout)
	}
	return nil
}

// maxQueues is the most I/O queues that a controller can have (Base 3.1.2.1).
const maxQueues = 65535

func (o Options) withDefaults() Options {
	if o.Namespace == 0 {
		o.Namespace = 1
	}
	if o.Queues == 0 {
		o.Queues = o.Group.Lanes()
	}
	if o.AdminTimeout == 0 {
		o.AdminTimeout = 10 * time.Second
	}
	if o.ShutdownTimeout == 0 {
		o.ShutdownTimeout = 10 * time.Second
	}
	return o
}

// What Open, OpenQueue and Close fail with, wrapped with the step that failed.
var (
	ErrTimeout     = errors.New("the controller did not answer in time")
	ErrFatal       = errors.New("the controller reports a fatal status (CSTS.CFS)")
	ErrGone        = errors.New("the controller is gone (its registers read as all ones)")
	ErrUnsupported = errors.New("not supported")
	ErrClosed      = errors.New("the driver is closed")
	ErrStatus      = errors.New("the controller refused the command")
)
