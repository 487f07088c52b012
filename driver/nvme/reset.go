package nvme

import (
	"fmt"
	"math"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/device/nvme/spec"
	"blksim/driver"
)

// A reset brings the controller back from whatever it is in (Base 3.7.2, 3.5.1).
// It runs on the admin lane, by posts and timers, in these steps:
//
//	suspend   each queue's lane: Submit answers Busy from now on, nothing rings
//	disable   CC.EN = 0, wait for CSTS.RDY = 0: now the controller touches nothing
//	recover   each queue's lane: what it has completed is consumed, the rest ends as TimedOut; rings and identifiers are new
//	enable    admin queues, CC.EN = 1, wait for CSTS.RDY = 1
//	create    Number of Queues, and each queue again
//	resume    each queue's lane
//
// Buffers are given back only after the controller has said that it is disabled:
// one that does not even do that keeps them, and the driver is gone.
type reset struct {
	driver  *Driver
	queues  []*queue      // open ones, by creation; the admin lane's list
	waiting []func(error) // to be called at the end; not empty: a reset is under way
	timer   lane.Timer
	poll    func() // of the step that waits for the controller
	failed  error  // the controller is gone, for good
	closed  bool   // Close has begun: no reset does
}

var _ driver.Resetter = (*Driver)(nil)

// Reset implements [driver.Resetter].
func (d *Driver) Reset(done func(error)) {
	d.admin.lane.Post(func() { d.reset.begin(done) })
}

func (r *reset) begin(done func(error)) {
	switch {
	case r.failed != nil:
		done(r.failed)
		return
	case r.closed:
		done(ErrClosed)
		return
	}
	r.waiting = append(r.waiting, done)
	if len(r.waiting) == 1 {
		if r.timer == nil {
			r.timer = r.driver.admin.lane.NewTimer(func() { r.poll() })
		}
		r.driver.admin.stats.resets.Add(1)
		r.driver.admin.aborts.paused = true
		r.onQueues((*queue).suspend, r.disable)
	}
}

// onQueues runs f on the lane of each queue and then next on this one.
func (r *reset) onQueues(f func(q *queue), next func()) {
	left := len(r.queues)
	if left == 0 {
		next()
		return
	}
	for _, q := range r.queues {
		q.lane.Post(func() {
			f(q)
			r.driver.admin.lane.Post(func() {
				if left--; left == 0 {
					next()
				}
			})
		})
	}
}

func (r *reset) disable() {
	d := r.driver
	cc := spec.CC(d.regs.Read32(spec.RegCC)).Fields()
	cc.EN, cc.SHN = false, spec.ShutdownNone
	d.regs.Write32(spec.RegCC, uint32(cc.Encode()))
	r.await("disable", func(s spec.CSTS) (bool, error) { return !s.Ready(), nil }, func() {
		d.admin.abandon()
		r.onQueues((*queue).recover, r.enable)
	})
}

func (r *reset) enable() {
	d := r.driver
	d.writeAdminQueues()
	r.await("enable", unlessFatal(spec.CSTS.Ready), func() {
		r.command("set number of queues", spec.AdminSetFeatures, func(e *spec.SQE) {
			e.SetCDW10(spec.FeatQueues)
			e.SetCDW11(spec.EncodeQueues(d.limits.Queues, d.limits.Queues))
		}, func() { r.create(0) })
	})
}

// create makes the i-th queue and those after it known to the controller.
func (r *reset) create(i int) {
	if i == len(r.queues) {
		r.onQueues((*queue).resume, func() { r.end(nil) })
		return
	}
	q := r.queues[i]
	r.command("create completion queue", spec.AdminCreateCQ, q.fillCreateCQ, func() {
		r.command("create submission queue", spec.AdminCreateSQ, q.fillCreateSQ, func() { r.create(i + 1) })
	})
}

// command carries out an admin command and then next; anything but success ends
// the reset.
func (r *reset) command(step string, opcode uint8, fill func(*spec.SQE), next func()) {
	a := &r.driver.admin
	cmd := new(adminCommand)
	deadline := a.lane.Now().Add(r.driver.options.AdminTimeout)
	cmd.done = func(c completion) {
		cmd.done = nil
		r.timer.Stop()
		if !c.status.OK() {
			r.fail(step, fmt.Errorf("%w: %v", ErrStatus, c.status))
			return
		}
		next()
	}
	r.poll = func() {
		a.reap() // the interrupt may have been lost
		switch {
		case cmd.done == nil:
		case a.lane.Now() >= deadline:
			cmd.done = nil
			r.fail(step, ErrTimeout)
		default:
			r.timer.Arm(pollInterval)
		}
	}
	e := a.begin(cmd, opcode, 0)
	if e == nil {
		r.fail(step, ErrTimeout)
		return
	}
	fill(e)
	a.rings.ring()
	r.timer.Arm(pollInterval)
}

// pollInterval is how often a reset looks at what it waits for.
const pollInterval = 100 * time.Microsecond

// await polls the status register until look says that it is as wanted, and then
// goes on with next.
func (r *reset) await(step string, look func(spec.CSTS) (bool, error), next func()) {
	d := r.driver
	deadline := d.admin.lane.Now().Add(d.readyTimeout())
	r.poll = func() {
		status := d.regs.Read32(spec.RegCSTS)
		ok, err := look(spec.CSTS(status))
		switch {
		case status == allOnes:
			r.fail(step, ErrGone)
		case err != nil:
			r.fail(step, err)
		case ok:
			next()
		case d.admin.lane.Now() >= deadline:
			r.fail(step, ErrTimeout)
		default:
			r.timer.Arm(pollInterval)
		}
	}
	r.poll()
}

// fail is the end of the driver: the controller does not come back.
func (r *reset) fail(step string, err error) {
	r.failed = fmt.Errorf("nvme: reset: %s: %w", step, err)
	r.onQueues((*queue).gone, func() { r.end(r.failed) })
}

func (r *reset) end(err error) {
	r.driver.admin.aborts.paused = false
	waiting := r.waiting
	r.waiting = nil
	for _, done := range waiting {
		done(err)
	}
}

// whenOver calls f when no reset is under way.
func (r *reset) whenOver(f func()) {
	if len(r.waiting) == 0 {
		f()
		return
	}
	r.waiting = append(r.waiting, func(error) { f() })
}

// abandon forgets every admin command: the controller is disabled. Whoever waits
// for one from outside finds out by its timeout.
func (a *admin) abandon() {
	a.reap()
	a.aborts.abandon()
	a.rings.restart()
	a.slots.freeAll()
	clear(a.cmds)
}

// abandon forgets the Aborts that wait and those that are out. Their identifiers
// are freed with all others (queue.recover).
func (b *aborter) abandon() {
	for b.first != nil {
		a := b.first
		b.remove(a)
		a.state = abortIdle
		b.admin.stats.dropped.Add(1)
	}
	for _, cmd := range b.admin.cmds {
		if cmd != nil && cmd.abort != nil {
			cmd.abort.state = abortIdle
			b.admin.stats.lost.Add(1)
		}
	}
	b.outstanding = 0
}

func (q *queue) suspend() { q.suspended = true }

func (q *queue) resume() { q.suspended = false }

func (q *queue) gone() { q.close() }

// recover ends every request that is with the controller, which is disabled.
func (q *queue) recover() {
	q.reap(math.MaxInt)
	for i := range q.slots.slots {
		s := &q.slots.slots[i]
		if !s.live() || s.who == uint32(q.cancels.who) {
			continue
		}
		r := q.tags[s.who].request
		s.state = slotFree
		if r.Op.HasData() {
			q.mem.slots[i].detach()
		}
		q.stats.lost.Add(1)
		r.Complete(aio.TimedOut, 0)
	}
	q.rings.restart()
	q.slots.freeAll()
	if q.cancels.on {
		q.cancels.left = maxCancels
	}
}
