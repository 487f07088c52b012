package nvme_test

import (
	"fmt"
	"strings"
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/sim"
)

// faultKind is what goes wrong.
type faultKind uint8

const (
	faultError  faultKind = iota // the op ends with a media error
	faultSpike                   // the op takes some ms more
	faultStall                   // the op waits for the end of the rule
	faultHang                    // likewise, and nothing can abort it
	faultRefuse                  // aborts are refused
	faultIRQ                     // interrupts are lost
	faultFatal                   // the controller fails (CSTS.CFS)
	numFaults
)

var faultNames = [numFaults]string{"error", "spike", "stall", "hang", "refuse-abort", "lost-interrupt", "fatal"}

// faultRule is one rule of a plan: what, when, how likely, how often.
type faultRule struct {
	kind       faultKind
	from, till lane.Time
	chance     float64
	left       int // how often yet
}

func (r *faultRule) String() string {
	return fmt.Sprintf("%s %v-%v chance %.2f count %d", faultNames[r.kind], time.Duration(r.from), time.Duration(r.till), r.chance, r.left)
}

// faultPlan is the faults of one run. They lie over a good device: when they are
// healed, it is as good as before.
type faultPlan struct {
	rules  []faultRule
	healed bool
}

// newFaultPlan makes up to 5 rules within the first span of the run.
func newFaultPlan(rnd *sim.Rand, begin lane.Time, span time.Duration) *faultPlan {
	p := &faultPlan{}
	for range rnd.IntN(6) {
		from := begin.Add(time.Duration(rnd.IntN(int(span))))
		r := faultRule{
			kind: faultKind(rnd.IntN(int(numFaults))), from: from, till: from.Add(time.Duration(rnd.IntN(int(span / 2)))),
			chance: float64(1+rnd.IntN(10)) / 10, left: 1 + rnd.IntN(12),
		}
		if r.kind == faultFatal && rnd.IntN(3) > 0 {
			r.kind = faultError // a dead controller has no other faults
		}
		if r.kind == faultFatal {
			r.left = 1
		}
		p.rules = append(p.rules, r)
	}
	return p
}

func (p *faultPlan) String() string {
	var b strings.Builder
	for i := range p.rules {
		fmt.Fprintf(&b, "\n\t%v", &p.rules[i])
	}
	return b.String()
}

// hit says whether a rule of that kind strikes now, and which.
func (p *faultPlan) hit(kind faultKind, now lane.Time, rnd *sim.Rand) *faultRule {
	if p.healed {
		return nil
	}
	for i := range p.rules {
		r := &p.rules[i]
		if r.kind == kind && r.left > 0 && now >= r.from && now < r.till && float64(rnd.IntN(1000)) < 1000*r.chance {
			r.left--
			return r
		}
	}
	return nil
}

// faulty lays a plan over a medium.
type faulty struct {
	nvme.Medium
	lane lane.Lane
	rnd  *sim.Rand
	plan *faultPlan
	host nvme.MediumHost

	state []faultyOp // by slot
}

// faultyOp is what the plan has done to the op in a slot.
type faultyOp struct {
	op     *nvme.Op    // held back; nil: with the medium below, or none
	hangs  bool        // and not to be aborted
	status spec.Status // what it is to end with, if not 0
	timer  lane.Timer
}

func (m *faulty) Attach(h nvme.MediumHost, slots int) {
	m.host = h
	m.state = make([]faultyOp, slots)
	m.Medium.Attach(m, slots)
}

func (m *faulty) Begin(op *nvme.Op) (spec.Status, bool) {
	now := m.lane.Now()
	s := &m.state[op.Slot]
	s.status = 0
	if m.plan.hit(faultError, now, m.rnd) != nil {
		if s.status = spec.WriteFault; op.Kind == nvme.OpRead {
			s.status = spec.UnrecoveredRead
		}
	}
	hold := time.Duration(0)
	if m.plan.hit(faultSpike, now, m.rnd) != nil {
		hold = time.Duration(1+m.rnd.IntN(3000)) * time.Microsecond
	}
	if r := m.plan.hit(faultStall, now, m.rnd); r != nil {
		hold = time.Duration(r.till - now)
	}
	s.hangs = false
	if r := m.plan.hit(faultHang, now, m.rnd); r != nil {
		hold, s.hangs = time.Duration(r.till-now), true
	}
	if hold > 0 {
		s.op = op
		if s.timer == nil {
			s.timer = m.lane.NewTimer(func() { m.release(s) })
		}
		s.timer.Arm(hold)
		return 0, false
	}
	return m.begin(op)
}

func (m *faulty) begin(op *nvme.Op) (spec.Status, bool) {
	st, done := m.Medium.Begin(op)
	if s := m.state[op.Slot].status; done && s != 0 {
		st = s
	}
	return st, done
}

// release gives an op that was held back to the medium below.
func (m *faulty) release(s *faultyOp) {
	op := s.op
	if op == nil {
		return
	}
	s.op = nil
	if st, done := m.begin(op); done {
		m.host.Done(op, st)
	}
	m.host.Settle()
}

// heal ends all faults.
func (m *faulty) heal() {
	m.plan.healed = true
	for i := range m.state {
		if s := &m.state[i]; s.op != nil {
			s.timer.Stop()
			m.release(s)
		}
	}
}

func (m *faulty) Abort(op *nvme.Op) bool {
	s := &m.state[op.Slot]
	if m.plan.hit(faultRefuse, m.lane.Now(), m.rnd) != nil {
		return false
	}
	if s.op == nil {
		return m.Medium.Abort(op)
	}
	if s.hangs {
		return false
	}
	s.op = nil
	s.timer.Stop()
	return true
}

func (m *faulty) Reset() {
	for i := range m.state {
		if s := &m.state[i]; s.op != nil {
			s.op = nil
			s.timer.Stop()
		}
	}
	m.Medium.Reset()
}

// Done and Settle are the controller as the medium below sees it.
func (m *faulty) Done(op *nvme.Op, st spec.Status) {
	if s := m.state[op.Slot].status; s != 0 {
		st = s
	}
	m.host.Done(op, st)
}

func (m *faulty) Settle() { m.host.Settle() }
