//go:build interleave

package explore

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	defaultShrinkRuns = 20_000
	defaultShrinkTime = 5 * time.Second
)

// Shrinking is what was done to make the schedule of a finding a short one: one
// with fewer switches from actor to actor or, of as many, with fewer steps.
type Shrinking struct {
	Found   string // the schedule as the exploration found it
	To      string // the schedule as it is now
	Runs    int
	Fewest  bool // every schedule with fewer switches was run, and none finds this
	Stopped bool // by its bound, before it was through
}

// String says from what to what.
func (s Shrinking) String() string {
	end := "; nothing more helped"
	switch {
	case s.Fewest:
		end = "; with fewer switches it does not happen"
	case s.Stopped:
		end = "; stopped by its bound"
	}
	from, to := sizeOf(s.Found), sizeOf(s.To)
	if to == from {
		return fmt.Sprintf("not shrunk: %v, %d runs%s", from, s.Runs, end)
	}
	return fmt.Sprintf("shrunk from %v to %v, %d runs%s", from, to, s.Runs, end)
}

// size is what is made smaller.
type size struct{ switches, steps int }

func sizeOf(schedule string) size {
	return size{max(0, len(blocksOf(schedule))-1), len(schedule)}
}

func (s size) less(t size) bool {
	return s.switches < t.switches || s.switches == t.switches && s.steps < t.steps
}

func (s size) String() string { return fmt.Sprintf("%d switches in %d steps", s.switches, s.steps) }

// block is the steps that one actor takes in a row, as a piece of a schedule.
type block string

func blocksOf(schedule string) (blocks []block) {
	for len(schedule) > 0 {
		rest := strings.TrimLeft(schedule, schedule[:1])
		blocks = append(blocks, block(schedule[:len(schedule)-len(rest)]))
		schedule = rest
	}
	return blocks
}

func joined(blocks ...[]block) string {
	var b strings.Builder
	for _, bs := range blocks {
		for _, x := range bs {
			b.WriteString(string(x))
		}
	}
	return b.String()
}

// wish follows a schedule as far as that can be done: a step that its actor cannot
// take is left out, and past the end the actor that took the last step goes on
// while it can. It cuts a run short that cannot be less than most any more.
type wish struct {
	left string
	took []byte
	size size
	most size
}

func (w *wish) choose(_ int, _ *steps, enabled actorSet) (int, bool, error) {
	last, pick := -1, -1
	if n := len(w.took); n > 0 {
		last = int(w.took[n-1] - '0')
	}
	for pick < 0 && w.left != "" {
		if i := int(w.left[0] - '0'); enabled.has(i) {
			pick = i
		}
		w.left = w.left[1:]
	}
	if pick < 0 && last >= 0 && enabled.has(last) {
		pick = last
	}
	if pick < 0 {
		pick = enabled.first()
	}
	if last >= 0 && pick != last {
		w.size.switches++
	}
	w.size.steps++
	if !w.size.less(w.most) {
		return 0, false, nil
	}
	w.took = append(w.took, '0'+byte(pick))
	return pick, true, nil
}

func (*wish) ended(*steps) {}

// shrinker looks for shorter schedules with the same finding.
type shrinker struct {
	Shrinking
	scenario Scenario
	kind     string // of the finding
	reason   string // of To
	maxSteps int
	maxRuns  int
	until    time.Time
}

// shrink makes the schedule of f a short one. The schedule as it was found stays if
// a shorter one does not fail again when it is replayed.
func shrink(c Config, s Scenario, f *Finding) {
	h := &shrinker{
		Shrinking: Shrinking{Found: f.Schedule, To: f.Schedule},
		scenario:  s, kind: kindOf(f.Reason), reason: f.Reason,
		maxSteps: c.MaxSteps, maxRuns: c.ShrinkRuns, until: time.Now().Add(c.ShrinkTime),
	}
	h.greedy()
	if h.fewer() {
		h.greedy()
	}
	if h.To != f.Schedule {
		short := Finding{Schedule: h.To, Reason: h.reason}
		tr, err := replay(s, h.To, c.MaxSteps)
		if err == nil && kindOf(tr.failure) == h.kind {
			short.Trace = tr.trace.text()
			*f = short
		} else {
			h.To, h.Fewest = h.Found, false
		}
	}
	f.Shrinking = &h.Shrinking
}

// spent says that the bound is reached.
func (h *shrinker) spent() bool {
	if h.Runs >= h.maxRuns || !time.Now().Before(h.until) {
		h.Stopped = true
	}
	return h.Stopped
}

// try runs a schedule, as far as it can be, and keeps what was run if that is the
// same finding and less than the best so far.
func (h *shrinker) try(schedule string) bool {
	if h.spent() {
		return false
	}
	h.Runs++
	w := &wish{left: schedule, most: sizeOf(h.To)}
	tr := &Trial{failingCAS: true}
	end, err := tr.run(h.scenario, w, h.maxSteps)
	if err != nil || end != endFailed || kindOf(tr.failure) != h.kind {
		return false
	}
	h.To, h.reason = string(w.took), tr.failure
	return true
}

// greedy takes each small change that helps, until none does.
func (h *shrinker) greedy() {
	for !h.Stopped && (h.cut() || h.gather() || h.trim()) {
	}
}

// cut leaves blocks out, many at a time first.
func (h *shrinker) cut() (some bool) {
	for n := len(blocksOf(h.To)) / 2; n > 0 && !h.Stopped; n /= 2 {
		for i := 0; ; {
			b := blocksOf(h.To)
			if i+n > len(b) || h.Stopped {
				break
			}
			if h.try(joined(b[:i], b[i+n:])) {
				some = true
			} else {
				i++
			}
		}
	}
	return some
}

// gather moves a block to another one of the same actor, back or forward, and has
// an actor go on with all that it does later.
func (h *shrinker) gather() bool {
	b := blocksOf(h.To)
	for i := range b {
		var mine, rest []block
		for j := i + 1; j < len(b) && !h.Stopped; j++ {
			if b[j][0] != b[i][0] {
				rest = append(rest, b[j])
				continue
			}
			mine = append(mine, b[j])
			if h.try(joined(b[:i+1], b[j:j+1], b[i+1:j], b[j+1:])) || h.try(joined(b[:i], b[i+1:j], b[i:i+1], b[j:])) {
				return true
			}
		}
		if len(mine) > 1 && h.try(joined(b[:i+1], mine, rest)) {
			return true
		}
	}
	return false
}

// trim leaves a single step out, at the end of a block.
func (h *shrinker) trim() bool {
	at := 0
	for _, b := range blocksOf(h.To) {
		at += len(b)
		if h.Stopped {
			return false
		}
		if h.try(h.To[:at-1] + h.To[at:]) {
			return true
		}
	}
	return false
}

// fewer runs every schedule with fewer switches than the best, those with the
// fewest first, until one finds the same, and says whether one did (iterative context bounding: Musuvathi,
// Qadeer, PLDI 2007). Small changes may all fail where there is a way.
func (h *shrinker) fewer() bool {
	for most := range sizeOf(h.To).switches {
		t := tree{reduce: None, most: most}
		for more := true; more; more = t.next() {
			if h.spent() {
				return false
			}
			h.Runs++
			tr := &Trial{known: len(t.path), failingCAS: true}
			end, err := tr.run(h.scenario, &t, h.maxSteps)
			if err != nil {
				return false
			}
			if end == endFailed && kindOf(tr.failure) == h.kind {
				h.To, h.reason = t.schedule(), tr.failure
				h.Fewest = true
				return true
			}
		}
	}
	h.Fewest = true
	return false
}

// anySwitches is the most of a tree that is not bounded.
const anySwitches = math.MaxInt

var (
	numbers = regexp.MustCompile(`\b(0x[0-9a-f]+|[0-9]+)\b`) // not those of a name: S3
	// What testify prints, of which the first line is empty.
	assertion = regexp.MustCompile(`(?m)^\s*(Error:|Messages:)[^\n]*`)
)

// kindOf is what the reasons of two findings have in common if they are the same:
// the first line, and of an assertion the lines that say what was asserted; but for
// the numbers in them.
func kindOf(reason string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(reason), "\n")
	lines := append([]string{first}, assertion.FindAllString(reason, -1)...)
	return numbers.ReplaceAllString(strings.Join(slices.Compact(lines), "\n"), "#")
}
