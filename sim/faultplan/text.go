package faultplan

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Error says what is wrong in a text.
type Error struct {
	Line int // from 1
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("fault plan: line %d: %v", e.Line, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// maxText bounds a plan, bytes.
const maxText = 1 << 20

// Parse reads a plan. The error is an *Error.
func Parse(text string) (Plan, error) {
	p := Plan{lines: []line{}}
	if len(text) > maxText {
		return Plan{}, &Error{1, fmt.Errorf("%d bytes: want at most %d", len(text), maxText)}
	}
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return p, nil
	}
	for i, s := range strings.Split(text, "\n") {
		s = strings.TrimSuffix(s, "\r")
		if trimmed := strings.TrimSpace(s); trimmed == "" || trimmed[0] == '#' {
			p.lines = append(p.lines, line{s, -1})
			continue
		}
		r, err := ParseRule(s)
		if err != nil {
			return Plan{}, &Error{i + 1, err}
		}
		p.lines = append(p.lines, line{"", len(p.Rules)})
		p.Rules = append(p.Rules, r)
	}
	return p, nil
}

// keys are the keys in the order in which they are printed.
var keys = []string{"op", "lba", "chance", "count", "after", "until", "for"}

// ParseRule reads one rule.
func ParseRule(s string) (Rule, error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return Rule{}, errors.New("no fault: want one of " + whatList())
	}
	r := Rule{Chance: 1, Until: Forever}
	at := slices.IndexFunc(whats[:], func(w struct {
		name     string
		ops      Ops
		duration bool
		event    bool
	}) bool {
		return w.name == words[0]
	})
	if at < 0 {
		return r, fmt.Errorf("fault %q: want one of %s", words[0], whatList())
	}
	r.What = What(at)
	seen := map[string]bool{}
	for _, w := range words[1:] {
		key, value, ok := strings.Cut(w, "=")
		switch {
		case !ok || !slices.Contains(keys, key):
			return r, fmt.Errorf("%q: want key=value with a key of %s", w, strings.Join(keys, ", "))
		case seen[key]:
			return r, fmt.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if err := r.set(key, value); err != nil {
			return r, err
		}
	}
	return r, r.check(seen)
}

func whatList() string {
	var names []string
	for _, w := range whats {
		names = append(names, w.name)
	}
	return strings.Join(names, ", ")
}

// set takes the value of a key.
func (r *Rule) set(key, value string) (err error) {
	switch key {
	case "op":
		return r.setOps(value)
	case "lba":
		return r.setRange(value)
	case "chance":
		r.Chance, err = strconv.ParseFloat(value, 64)
		if err != nil || !(r.Chance > 0 && r.Chance <= 1) {
			return fmt.Errorf("chance %q: want a number above 0, at most 1", value)
		}
	case "count":
		r.Count, err = strconv.ParseUint(value, 10, 64)
		if err != nil || r.Count == 0 || value[0] == '0' {
			return fmt.Errorf("count %q: want a number from 1", value)
		}
	case "after":
		r.After, err = duration(key, value)
	case "until":
		r.Until, err = duration(key, value)
	case "for":
		r.For, err = duration(key, value)
	}
	return err
}

func (r *Rule) setOps(value string) error {
	for _, name := range strings.Split(value, ",") {
		op := slices.Index(opNames[:], name)
		if op < 0 {
			return fmt.Errorf("op %q: want read, write, flush or trim, with commas", name)
		}
		if r.Ops.Has(Op(op)) {
			return fmt.Errorf("op %s is there twice", name)
		}
		r.Ops |= 1 << op
	}
	return nil
}

func (r *Rule) setRange(value string) error {
	first, last, two := strings.Cut(value, "-")
	if !two {
		last = first
	}
	var err1, err2 error
	r.First, err1 = strconv.ParseUint(first, 10, 64)
	r.Last, err2 = strconv.ParseUint(last, 10, 64)
	if err1 != nil || err2 != nil || r.First > r.Last || strings.ContainsAny(value, "+_") {
		return fmt.Errorf("lba %q: want a block, or the first and the last with a - between", value)
	}
	r.Ranged = true
	return nil
}

func duration(key, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d == Forever {
		return 0, fmt.Errorf("%s %q: want a time such as 10ms or 1.5s", key, value)
	}
	return d, nil
}

// check says whether the keys that were there fit the fault and each other.
func (r *Rule) check(seen map[string]bool) error {
	w := &whats[r.What]
	for _, key := range keys {
		if !seen[key] {
			continue
		}
		useless := false
		switch key {
		case "op", "lba":
			useless = w.ops == 0
		case "chance", "count", "until":
			useless = w.event
		case "for":
			useless = !w.duration
		}
		if useless {
			return fmt.Errorf("%s has no use for %s", w.name, key)
		}
	}
	return r.Validate()
}

// Validate says whether r is a rule that can be: made by hand, it is not checked
// otherwise.
func (r *Rule) Validate() error {
	if r.What >= numWhats {
		return fmt.Errorf("fault %d: want one of %s", r.What, whatList())
	}
	w := &whats[r.What]
	switch {
	case r.Ops&^w.ops != 0:
		return fmt.Errorf("%s: want op of %s", w.name, w.ops)
	case r.Ranged && r.First > r.Last:
		return fmt.Errorf("lba %d-%d: want the first first", r.First, r.Last)
	case r.Ranged && r.Ops == 1<<Flush:
		return fmt.Errorf("%s: a flush has no lba", w.name)
	case !(r.Chance > 0 && r.Chance <= 1) || math.IsNaN(r.Chance):
		return fmt.Errorf("chance %v: want a number above 0, at most 1", r.Chance)
	case r.Until <= r.After:
		return fmt.Errorf("until %v: want a time later than after, which is %v", r.Until, r.After)
	case w.duration && r.For <= 0:
		return fmt.Errorf("%s: want for, a time above 0", w.name)
	}
	return nil
}

// String is the operations' words, with commas.
func (s Ops) String() string {
	var names []string
	for op := range numOps {
		if s.Has(op) {
			names = append(names, opNames[op])
		}
	}
	return strings.Join(names, ",")
}

// String is the rule's line.
func (r *Rule) String() string {
	b := []byte(r.What.String())
	add := func(key, value string) { b = append(append(append(append(b, ' '), key...), '='), value...) }
	if r.Ops != 0 {
		add("op", r.Ops.String())
	}
	if r.Ranged {
		v := strconv.FormatUint(r.First, 10)
		if r.Last != r.First {
			v += "-" + strconv.FormatUint(r.Last, 10)
		}
		add("lba", v)
	}
	if r.Chance != 1 {
		add("chance", strconv.FormatFloat(r.Chance, 'g', -1, 64))
	}
	if r.Count != Any {
		add("count", strconv.FormatUint(r.Count, 10))
	}
	if r.After != 0 {
		add("after", r.After.String())
	}
	if r.Until != Forever {
		add("until", r.Until.String())
	}
	if r.For != 0 {
		add("for", r.For.String())
	}
	return string(b)
}
