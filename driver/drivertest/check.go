package drivertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/driver/trace"
)

// Env is what a driver under test is opened in.
type Env struct {
	// Group has the lanes: queue i will be on lane i, and the last lane is for
	// the device below the driver, if it has one. Most drivers need no more than
	// the lane that OpenQueue gives them.
	Group lane.Group

	// Seed is for what the driver draws at random.
	Seed uint64
}

// Open opens the driver under test anew: nothing of an earlier one is left. It is
// called from outside all lanes.
type Open func(e Env) (driver.Driver, error)

// Options say how to check. The zero value checks everything.
type Options struct {
	Seeds  int           // how many; the costly scenarios run on some of them; 0: 200
	First  uint64        // the first seed; 0: 1
	Rules  []string      // the ids of the rules to check; nil: all
	NoData bool          // the driver keeps no data: rules about it are not claimed
	Bound  time.Duration // virtual time in which everything must end; 0: 10 s

	// NoReal leaves the run on real lanes out, Real everything else.
	NoReal, Real bool

	// RealTime is for the driver of a real device, whose queues open on nothing but
	// lanes in real time: rules that need virtual time are not claimed, and Bound
	// is real. A few seeds are enough.
	RealTime bool
}

// Validate says what is wrong with o.
func (o Options) Validate() error {
	if o.Seeds < 0 || o.Bound < 0 {
		return fmt.Errorf("drivertest: %d seeds, bound %v: expected 0 or more", o.Seeds, o.Bound)
	}
	if o.NoReal && o.Real {
		return errors.New("drivertest: both Real and NoReal: that leaves nothing")
	}
	for _, id := range o.Rules {
		if _, ok := ruleOf(id); !ok {
			return fmt.Errorf("drivertest: no rule %q: expected one of %s", id, strings.Join(ruleIDs(), ", "))
		}
	}
	return nil
}

func ruleIDs() (ids []string) {
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	return ids
}

func (o Options) withDefaults() Options {
	if o.Seeds == 0 {
		o.Seeds = 200
	}
	if o.First == 0 {
		o.First = 1
	}
	if o.Bound == 0 {
		o.Bound = 10 * time.Second
	}
	return o
}

// seedsFor is how many seeds a scenario runs on.
func (o Options) seedsFor(s *scenario) int {
	if s.seeds == 0 {
		return o.Seeds
	}
	return (o.Seeds*s.seeds + 99) / 100
}

func (o Options) wants(s *scenario) bool {
	if s.real && o.NoReal || !s.real && o.Real {
		return false
	}
	return o.Rules == nil || slices.ContainsFunc(s.rules, func(id string) bool { return slices.Contains(o.Rules, id) })
}

// Check opens the driver again and again and returns what is wrong with it: nil,
// or an error that wraps a *Failure for each rule that is broken, or that of
// opening it.
func Check(open Open, o Options) error {
	r, err := Examine(open, o)
	if err != nil {
		return err
	}
	return r.Err()
}

// Examine is Check with the verdict on each rule.
func Examine(open Open, o Options) (rep Report, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(openError)
			if !ok {
				panic(p)
			}
			err = e.err
		}
	}()
	e := &examiner{o: o, open: open, results: map[string]*Result{}}
	c := claims{&e.o, e.facts()}
	all := scenarios()
	for i, s := range all {
		e.later = nil
		for _, l := range all[i+1:] {
			e.later = append(e.later, l.rules...)
		}
		if o.wants(&s) {
			e.examine(&s, c)
		}
	}
	for _, r := range rules {
		if res := e.results[r.ID]; res != nil && (o.Rules == nil || res.Verdict == Fail || slices.Contains(o.Rules, r.ID)) {
			rep = append(rep, *res)
		}
	}
	return rep, nil
}

type examiner struct {
	o       Options
	open    Open
	results map[string]*Result // by rule; looked up, never walked
	later   []string           // rules whose scenario is yet to come
}

// facts opens the driver to see what it is.
func (e *examiner) facts() facts {
	b := newBench(e.open, &e.o, e.o.First, false, nil)
	defer b.end()
	d := b.drv
	l := d.Limits()
	f := facts{ops: opsOf(l.Ops), cache: l.WriteCache, through: l.FUA, queues: l.Queues, segments: l.MaxSegments}
	f.data = !e.o.NoData && f.has(aio.OpRead) && f.has(aio.OpWrite)
	_, f.cut = d.(PowerCutter)
	_, f.reset = d.(driver.Resetter)
	if l.Queues > 0 && l.QueueDepth > 0 {
		q, err := d.OpenQueue(b.group.Lane(0), 0, 1)
		if err != nil {
			panic(openError{fmt.Errorf("drivertest: open queue 0 with depth 1: %w", err)})
		}
		can := driver.OptionalOf(q)
		f.cancel, f.poll = can.Canceler != nil, can.Poller != nil
	}
	if err := d.Close(); err != nil {
		panic(openError{fmt.Errorf("drivertest: close: %w", err)})
	}
	return f
}

// examine runs one scenario on its seeds, until it finds something.
func (e *examiner) examine(s *scenario, c claims) {
	verdict := Pass
	switch {
	case s.claims != nil && !s.claims(c), s.virtual && e.o.RealTime:
		verdict = NotClaimed
	case !e.hold(s):
		verdict = NotJudged
	}
	for _, id := range s.rules {
		r, _ := ruleOf(id)
		e.results[id] = &Result{Rule: r, Verdict: verdict}
	}
	if verdict != Pass {
		return
	}
	for i := range e.o.seedsFor(s) {
		f := e.play(s, e.o.First+uint64(i))
		for _, id := range s.rules {
			e.results[id].Seeds++
		}
		if f != nil {
			e.judge(s, f)
			return
		}
	}
}

// hold says whether the rules that every scenario needs hold, as far as they were
// looked at.
func (e *examiner) hold(s *scenario) bool {
	if slices.Contains(s.rules, "limits-valid") {
		return true
	}
	needs := append([]string{"limits-valid"}, s.needs...)
	if !slices.Contains(s.rules, "complete-once") {
		needs = append(needs, basics...)
	}
	if slices.Contains(s.needs, "all") {
		needs = ruleIDs()
	}
	for _, id := range needs {
		if r := e.results[id]; r != nil && (r.Verdict == Fail || r.Verdict == NotJudged) {
			return false
		}
	}
	return true
}

// judge decides whose break it was. A rule that held in its own scenario and does
// not here is broken by what this scenario is about; one that was broken there
// leaves this scenario without a verdict.
func (e *examiner) judge(s *scenario, f *Finding) {
	for _, id := range s.rules {
		e.results[id].Verdict = NotJudged
	}
	if to := s.rename[f.Rule]; to != "" {
		f.Rule = to
	}
	if !slices.Contains(s.rules, f.Rule) {
		if r := e.results[f.Rule]; r != nil && (r.Verdict == Fail || r.Verdict == NotJudged) {
			return
		}
		f.Rule = s.rules[0]
	}
	r := e.results[f.Rule]
	r.Verdict, r.Finding = Fail, f
}

// play runs one scenario on one seed.
func (e *examiner) play(s *scenario, seed uint64) (found *Finding) {
	b := newBench(e.open, &e.o, seed, s.real, e.later)
	defer b.end()
	if b.world != nil { // a panic on a real lane ends the program
		defer func() {
			if p := recover(); p != nil {
				if _, ok := p.(openError); ok {
					panic(p)
				}
				found = &Finding{Rule: "no-panic", Seed: seed, Text: fmt.Sprintf("the driver panicked: %v", p)}
			}
		}()
	}
	s.play(b)
	return b.found
}

// Result is the verdict on one rule.
type Result struct {
	Rule
	Verdict Verdict
	Seeds   int      // on which it was checked
	Finding *Finding // of Fail
}

// Report has a result for each rule that was to be checked, in the order of Rules.
type Report []Result

// Err is nil, or an error that wraps a *Failure for each rule that is broken.
func (r Report) Err() error {
	var all []error
	for i := range r {
		if r[i].Verdict == Fail {
			all = append(all, &Failure{r[i]})
		}
	}
	return errors.Join(all...)
}

// Failure is a rule that is broken.
type Failure struct{ Result }

// Error has the rule's id, what was seen, and how to see it again.
func (f *Failure) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "drivertest: %s is broken: %s\n", f.ID, f.Finding.Text)
	fmt.Fprintf(&s, "    the contract: %s\n    look for: %s\n", f.Clause, f.Broken)
	if len(f.Finding.Story) > 0 {
		s.WriteString("    the request, from submit on:\n")
		_ = trace.Write(&s, f.Finding.Story)
	}
	fmt.Fprintf(&s, "    again: drivertest.Check(open, drivertest.Options{Rules: []string{%q}, First: %d, Seeds: 1})", f.ID, f.Finding.Seed)
	return s.String()
}
