//go:build interleave

package explore

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// trace writes down a run.
type trace struct {
	lines []string
	steps int
	names map[any]string
	place [MaxActors]string // where each actor is parked
	word  [MaxActors]string // the name of the word that it would touch
}

// parked notes where a has just parked, before a step on p.
func (t *trace) parked(tr *Trial, a *actor, p any) {
	for i, b := range tr.actors {
		if a != b {
			continue
		}
		t.place[i] = caller()
		if t.word[i] = t.names[p]; t.word[i] == "" {
			t.word[i] = fmt.Sprintf("word %d", a.at.word)
		}
	}
}

// step notes that actor i takes its step.
func (t *trace) step(tr *Trial, i int) {
	a := tr.actors[i]
	t.lines = append(t.lines, fmt.Sprintf("%4d  %d %-12s %-5s  %-20s %s",
		t.steps, i, a.name, stepNames[a.at.kind], t.word[i], t.place[i]))
	t.steps++
}

// text is the trace; of a very long one, the beginning and the end.
func (t *trace) text() string {
	const most = 100
	lines := t.lines
	if n := len(lines); n > 2*most {
		lines = slices.Concat(lines[:most], []string{fmt.Sprintf("... %d lines ...", n-2*most)}, lines[n-most:])
	}
	return strings.Join(lines, "\n")
}

func (t *trace) note(s string) { t.lines = append(t.lines, "            "+s) }

// caller is the first function on the stack that is not a mark's.
func caller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		file := filepath.ToSlash(f.File)
		if !strings.Contains(file, "/internal/step/") && !strings.HasSuffix(file, "/explore/hook.go") {
			name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
			return fmt.Sprintf("%s  %s:%d", name, filepath.Base(file), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// fixed chooses a given schedule; past its end the first actor that can goes on.
type fixed string

func (f fixed) choose(depth int, _ *steps, enabled actorSet) (int, bool, error) {
	if depth >= len(f) {
		return enabled.first(), true, nil
	}
	i := int(f[depth]) - '0'
	if i < 0 || i >= MaxActors || !enabled.has(i) {
		return 0, false, fmt.Errorf("explore: schedule %s: step %d: actor %q cannot take one", string(f), depth, f[depth])
	}
	return i, true, nil
}

func (fixed) ended(*steps) {}

// Replay runs s under one schedule. The finding is nil if nothing was wrong with
// it; the trace is there in any case.
func Replay(c Config, s Scenario, schedule string) (f *Finding, trace string, err error) {
	exploring.Lock()
	defer exploring.Unlock()
	c = c.orDefaults()
	tr, err := replay(s, schedule, c.MaxSteps)
	if err != nil {
		return nil, "", err
	}
	trace = tr.trace.text()
	if tr.failed() {
		f = &Finding{Schedule: schedule, Reason: tr.failure, Trace: trace}
	}
	return f, trace, nil
}

func replay(s Scenario, schedule string, maxSteps int) (*Trial, error) {
	tr := &Trial{trace: &trace{names: map[any]string{}}, failingCAS: true}
	_, err := tr.run(s, fixed(schedule), maxSteps)
	return tr, err
}

// traceOf is the trace of a finding. That it is found again is a check of the
// scenario.
func traceOf(s Scenario, f *Finding, maxSteps int) (string, error) {
	tr, err := replay(s, f.Schedule, maxSteps)
	if err != nil {
		return "", err
	}
	if !tr.failed() {
		return "", fmt.Errorf("explore: not deterministic: schedule %s failed once and not again: %s", f.Schedule, f.Reason)
	}
	return tr.trace.text(), nil
}
