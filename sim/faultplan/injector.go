package faultplan

import (
	"fmt"
	"time"
)

// Source is a stream of random numbers; sim.Rand is one.
type Source interface{ Uint64() uint64 }

// Injector is a plan at work. The zero Injector, and a nil one, make no faults.
type Injector struct {
	plan   Plan
	rnd    Source
	left   []uint64 // by rule: how many it may yet hit
	hits   []uint64 // by rule
	healed bool
	what   [numWhats]bool // there is a rule of it
}

// NewInjector puts a plan to work, with chances drawn from rnd.
func NewInjector(p Plan, rnd Source) *Injector {
	in := &Injector{plan: p, rnd: rnd, left: make([]uint64, len(p.Rules)), hits: make([]uint64, len(p.Rules))}
	for i := range p.Rules {
		r := &p.Rules[i]
		in.left[i] = r.Count
		if r.Count == Any {
			in.left[i] = 1<<64 - 1
		}
		if r.What.Event() {
			in.left[i] = 1
		}
		in.what[r.What] = true
	}
	return in
}

// Has says whether the plan has a rule of that kind, healed or not: a layer that
// must prepare for a fault asks once.
func (in *Injector) Has(w What) bool { return in != nil && in.what[w] }

// Hit says whether a rule of w hits an operation on n blocks from lba at this time,
// since the start. A nil rule: none does. n of 0 is an operation without blocks,
// which only a rule without a range meets. The first rule that hits counts it.
func (in *Injector) Hit(w What, op Op, lba, n uint64, now time.Duration) *Rule {
	if in == nil || in.healed || !in.what[w] {
		return nil
	}
	for i := range in.plan.Rules {
		r := &in.plan.Rules[i]
		if r.What == w && in.left[i] > 0 && r.meets(op, lba, n) && r.now(now) && in.draw(r.Chance) {
			in.left[i]--
			in.hits[i]++
			return r
		}
	}
	return nil
}

// Due says whether an event of that kind, or a fault without an operation, happens
// now.
func (in *Injector) Due(w What, now time.Duration) bool {
	if in == nil || in.healed || !in.what[w] {
		return false
	}
	for i := range in.plan.Rules {
		r := &in.plan.Rules[i]
		if r.What == w && in.left[i] > 0 && r.now(now) && in.draw(r.Chance) {
			in.left[i]--
			in.hits[i]++
			return true
		}
	}
	return false
}

// Events calls f for each event of the plan with its time: whoever has a clock sets
// a timer for it.
func (in *Injector) Events(f func(w What, at time.Duration)) {
	if in == nil {
		return
	}
	for i := range in.plan.Rules {
		if r := &in.plan.Rules[i]; r.What.Event() {
			f(r.What, r.After)
		}
	}
}

// Heal ends all faults: from now on nothing is hit.
func (in *Injector) Heal() {
	if in != nil {
		in.healed = true
	}
}

// Healed says whether it was.
func (in *Injector) Healed() bool { return in == nil || in.healed }

// Plan is the plan.
func (in *Injector) Plan() Plan {
	if in == nil {
		return Plan{}
	}
	return in.plan
}

// Hits is how often rule i has hit.
func (in *Injector) Hits(i int) uint64 { return in.hits[i] }

// meets says whether the rule is about such an operation.
func (r *Rule) meets(op Op, lba, n uint64) bool {
	if r.Ops != 0 && !r.Ops.Has(op) || !r.What.Meets(op) {
		return false
	}
	return !r.Ranged || n > 0 && lba <= r.Last && lba+(n-1) >= r.First
}

func (r *Rule) now(t time.Duration) bool { return t >= r.After && t < r.Until }

// draw is true with that chance; a chance of 1 draws nothing.
func (in *Injector) draw(chance float64) bool {
	if chance == 1 {
		return true
	}
	const bits = 53 // all that a float64 holds exactly
	return float64(in.rnd.Uint64()>>(64-bits)) < chance*(1<<bits)
}

// Check says whether a layer that can make the faults that can says has all that
// the plan wants: a fault that silently never happens would make a test that
// proves nothing.
func (p Plan) Check(layer string, can func(w What) bool) error {
	for i := range p.Rules {
		if w := p.Rules[i].What; !can(w) {
			return fmt.Errorf("fault plan: %s cannot make %v", layer, w)
		}
	}
	return nil
}
