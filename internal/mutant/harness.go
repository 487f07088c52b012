package mutant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Packages returns those whose code is changed, as directories below the root.
func Packages() []string { return []string{"aio", "aio/lane"} }

// ErrSurvived is a verdict's error when all scenarios passed.
var ErrSurvived = errors.New("mutant: survived")

// Harness builds and runs the scenarios of changed code.
type Harness struct {
	Root string // of the module
	Dir  string // for what is built
}

// Verdict is what became of a mutant.
type Verdict struct {
	Scenario string // that killed it
	Reason   string // the explorer's, its first line
	Err      error  // nil: killed
}

// Change returns the file of m as it is with the change.
func (h *Harness) Change(m Mutant) (string, error) {
	text, err := os.ReadFile(h.file(m))
	if err != nil {
		return "", err
	}
	was, now := strings.TrimPrefix(m.Old, "\n"), strings.TrimPrefix(m.New, "\n")
	if n := strings.Count(string(text), was); n != 1 || was == "" {
		return "", fmt.Errorf("mutant %s: what it replaces is %d times in aio/%s, not once: the code has changed, and internal/mutant must follow",
			m.Name, n, m.File)
	}
	return strings.Replace(string(text), was, now, 1), nil
}

func (h *Harness) file(m Mutant) string { return filepath.Join(h.Root, "aio", m.File) }

// pkg is the directory of m's package below the root.
func (m Mutant) pkg() string { return path.Join("aio", path.Dir(m.File)) }

// Build compiles the scenarios of m's package with m in place, and nothing else of
// its tests, and returns the program.
func (h *Harness) Build(m Mutant) (string, error) {
	text, err := h.Change(m)
	if err != nil {
		return "", err
	}
	base := filepath.Join(h.Dir, m.Name)
	changed := base + ".go"
	replace, err := h.otherTests(m.pkg())
	if err != nil {
		return "", err
	}
	replace[h.file(m)] = changed
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(changed, []byte(text), 0o600), os.WriteFile(base+".json", overlay, 0o600)); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-tags", "interleave", "-ldflags=-s -w",
		"-overlay", base+".json", "-o", base+".test", "./"+m.pkg())
	cmd.Dir = h.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mutant %s does not compile: %w\n%s", m.Name, err, out)
	}
	return base + ".test", nil
}

// otherTests is an overlay without the tests of a package that are no scenarios:
// half of the time to build would be theirs.
func (h *Harness) otherTests(pkg string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(h.Root, pkg, "*_test.go"))
	gone := map[string]string{}
	for _, f := range files {
		if name := filepath.Base(f); !strings.HasPrefix(name, "interleave") && name != "fake_test.go" {
			gone[f] = ""
		}
	}
	return gone, err
}

// limit ends a program that neither passes nor fails.
const limit = "2m"

// Scenarios are names of tests, in their order, by the package that they are of.
type Scenarios map[string][]string

// Len is how many there are.
func (s Scenarios) Len() (n int) {
	for _, names := range s {
		n += len(names)
	}
	return n
}

// Kill builds and runs m: first the scenario that it names, then, if that does not
// kill it, all of its package.
func (h *Harness) Kill(m Mutant, scenarios Scenarios) Verdict {
	program, err := h.Build(m)
	if err != nil {
		return Verdict{Err: err}
	}
	defer os.Remove(program)
	if m.By != "" {
		if v := h.Run(m, program, All([]string{m.By})); v.Err == nil {
			return v
		}
	}
	return h.Run(m, program, All(scenarios[m.pkg()]))
}

// Run runs scenarios, a regular expression of names, in the program that Build made
// of m, up to the first that fails.
func (h *Harness) Run(m Mutant, program, scenarios string) Verdict {
	cmd := exec.Command(program, "-test.run", scenarios, "-test.v", "-test.failfast", "-test.timeout", limit)
	cmd.Dir = filepath.Join(h.Root, m.pkg())
	cmd.Env = append(os.Environ(), "EXPLORE_SHRINK=0") // nobody looks at the schedule
	out, err := cmd.CombinedOutput()
	if err == nil {
		if !bytes.Contains(out, []byte("--- PASS")) {
			return Verdict{Err: fmt.Errorf("mutant: no scenario is called %s", scenarios)}
		}
		return Verdict{Err: ErrSurvived}
	}
	return verdictOf(string(out))
}

var (
	failed = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)
	place  = regexp.MustCompile(`(?m)^ +\w+\.go:\d+: `)
	// How far it went, which explore.Run prints after the reason of a finding.
	after = regexp.MustCompile(`(?m)^ +after \d+ schedules`)
	// Where the stack of a panic begins.
	stackOf = regexp.MustCompile(`\n\s*goroutine \d+ \[`)
	// What testify says of an assertion, and what its caller adds.
	assertion = regexp.MustCompile(`(?ms)^\s*Error:\s+(.*?)\s*(?:Test:.*?)?(?:Messages:\s+(.*))?\z`)
)

// verdictOf reads the output of a run that failed.
func verdictOf(out string) Verdict {
	name := failed.FindStringSubmatch(out)
	if name == nil {
		return Verdict{Err: fmt.Errorf("mutant: it ended without a finding: %s", lastLines(out))}
	}
	v := Verdict{Scenario: name[1]}
	end := after.FindStringIndex(out)
	if end == nil {
		v.Err = fmt.Errorf("mutant: %s failed without a finding: %s", v.Scenario, lastLines(out))
		return v
	}
	reason := out[:end[0]]
	if begins := place.FindAllStringIndex(reason, -1); begins != nil {
		reason = reason[begins[len(begins)-1][1]:]
	}
	if a := assertion.FindStringSubmatch(reason); a != nil {
		reason = a[1]
		if a[2] != "" {
			reason = strings.TrimSpace(a[2]) + ": " + reason
		}
	}
	if stack := stackOf.FindStringIndex(reason); stack != nil {
		reason = reason[:stack[0]]
	}
	v.Reason = strings.Join(strings.Fields(reason), " ")
	return v
}

func lastLines(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// Scenarios finds the explorer's scenarios: the tests that run one.
func (h *Harness) Scenarios() (Scenarios, error) {
	all := Scenarios{}
	for _, pkg := range Packages() {
		names, err := h.scenariosOf(pkg)
		if err != nil {
			return nil, err
		}
		all[pkg] = names
	}
	return all, nil
}

func (h *Harness) scenariosOf(pkg string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(h.Root, pkg, "interleave*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") && explores(fn) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	if names == nil {
		return nil, fmt.Errorf("mutant: no scenarios in %s", filepath.Join(h.Root, pkg))
	}
	return names, nil
}

// explores says whether a test mentions the explorer.
func explores(fn *ast.FuncDecl) (does bool) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "explore" {
			does = true
		}
		return true
	})
	return does
}

// All is the regular expression of all scenarios.
func All(scenarios []string) string { return "^(" + strings.Join(scenarios, "|") + ")$" }
