package nvme_test

import (
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// seedFaults are the faults that a run may have. The controller fails rarely: a
// dead one has no other faults.
var seedFaults = []faultplan.What{
	faultplan.ReadError, faultplan.ReadError, faultplan.WriteError, faultplan.WriteError, faultplan.Spike, faultplan.Spike,
	faultplan.Stall, faultplan.Stall, faultplan.Hang, faultplan.Hang, faultplan.LostInterrupt, faultplan.LostInterrupt, faultplan.Fatal,
}

// randomPlan makes a plan of up to 5 rules that begin within span.
func randomPlan(rnd *sim.Rand, span time.Duration) faultplan.Plan {
	var rules []faultplan.Rule
	for range rnd.IntN(6) {
		r := faultplan.Rule{
			What: seedFaults[rnd.IntN(len(seedFaults))], Chance: 1, Until: faultplan.Forever, After: time.Duration(rnd.IntN(int(span))),
		}
		if !r.What.Event() {
			r.Chance = float64(1+rnd.IntN(10)) / 10
			r.Count = uint64(1 + rnd.IntN(12))
			r.Until = r.After + 1 + time.Duration(rnd.IntN(int(span/2)))
			if r.What != faultplan.LostInterrupt && rnd.IntN(4) == 0 {
				r.Ranged, r.First = true, uint64(rnd.IntN(seedRegions*seedBlocks))
				r.Last = r.First + uint64(rnd.IntN(64))
			}
		}
		if r.What == faultplan.Spike || r.What == faultplan.Stall {
			r.For = time.Duration(1 + rnd.IntN(int(span/3)))
		}
		rules = append(rules, r)
	}
	return faultplan.New(rules...)
}

// faulty lays a plan over a medium, which also refuses aborts at times.
type faulty struct {
	nvme.Medium
	lane    lane.Lane
	rnd     *sim.Rand
	faults  *faultplan.Injector
	refuses int // of 10 aborts
	host    nvme.MediumHost

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

// opOf is an op as a plan knows it.
func opOf(op *nvme.Op) (kind faultplan.Op, lba, n uint64) {
	switch op.Kind {
	case nvme.OpRead, nvme.OpWrite:
		kind = faultplan.Read
		if op.Kind == nvme.OpWrite {
			kind = faultplan.Write
		}
		return kind, uint64(op.Off) / 512, uint64(op.Len) / 512
	case nvme.OpFlush:
		return faultplan.Flush, 0, 0
	}
	if len(op.Ranges) == 0 {
		return faultplan.Trim, 0, 0
	}
	return faultplan.Trim, uint64(op.Ranges[0].Off) / 512, uint64(op.Ranges[0].Len) / 512
}

func (m *faulty) hit(w faultplan.What, op *nvme.Op) *faultplan.Rule {
	kind, lba, n := opOf(op)
	return m.faults.Hit(w, kind, lba, n, time.Duration(m.lane.Now()))
}

func (m *faulty) Begin(op *nvme.Op) (spec.Status, bool) {
	s := &m.state[op.Slot]
	s.status, s.hangs = 0, false
	if m.hit(faultplan.ReadError, op) != nil {
		s.status = spec.UnrecoveredRead
	}
	if m.hit(faultplan.WriteError, op) != nil {
		s.status = spec.WriteFault
	}
	hold := time.Duration(0)
	for _, w := range []faultplan.What{faultplan.Spike, faultplan.Stall} {
		if r := m.hit(w, op); r != nil {
			hold += r.For
		}
	}
	if m.hit(faultplan.Hang, op) != nil {
		s.op, s.hangs = op, true // until it is healed or reset
		return 0, false
	}
	if hold == 0 {
		return m.begin(op)
	}
	s.op = op
	if s.timer == nil {
		s.timer = m.lane.NewTimer(func() { m.release(s) })
	}
	s.timer.Arm(hold)
	return 0, false
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

// drop forgets an op that was held back.
func (s *faultyOp) drop() {
	s.op = nil
	if s.timer != nil {
		s.timer.Stop()
	}
}

// heal ends all faults: what was held back goes on.
func (m *faulty) heal() {
	m.faults.Heal()
	for i := range m.state {
		if s := &m.state[i]; s.op != nil {
			if s.timer != nil {
				s.timer.Stop()
			}
			m.release(s)
		}
	}
}

func (m *faulty) Abort(op *nvme.Op) bool {
	s := &m.state[op.Slot]
	switch {
	case !m.faults.Healed() && m.rnd.IntN(10) < m.refuses:
		return false
	case s.op == nil:
		return m.Medium.Abort(op)
	case s.hangs:
		return false
	}
	s.drop()
	return true
}

func (m *faulty) Reset() {
	for i := range m.state {
		m.state[i].drop()
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
