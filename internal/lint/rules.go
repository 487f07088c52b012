package lint

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// A Finding is one place where a rule is broken.
type Finding struct {
	File string // from the root, with slashes
	Line int    // 0: the file or folder as a whole
	Rule string
	Text string // what is wrong, and what to write instead
}

func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: [%s] %s", f.File, f.Line, f.Rule, f.Text)
}

// rule is one rule. It calls report for each place where the tree breaks it.
type rule struct {
	name  string
	check func(t *tree, report func(file string, line int, text string))
}

var rules = []rule{
	// In the deterministic packages:
	{"goroutine", checkGoroutines}, // no go statement
	{"clock", checkClock},          // no reading of the machine's clock, no waiting for it
	{"random", checkRandom},        // no randomness that does not come from a seed
	{"select", checkSelect},        // no choice between several communications
	{"map-order", checkMapOrder},   // no order that comes from a map

	// Everywhere:
	{"import", checkImports},           // who may import whom
	{"platform", checkPlatform},        // one system's packages only in its files
	{"package-doc", checkPackageDoc},   // every package is explained in its doc.go
	{"file-length", checkFileLength},   // files of at most 600 lines
	{"package-name", checkPackageName}, // no package without a subject
	{"marker", checkMarkers},           // no notes about unfinished work
	{"global", checkGlobals},           // no exported variables but error sentinels
}

// Check applies all rules to the Go files of a module. Findings that an
// exception covers are left out, and exceptions that cover none are reported.
// The error is about reading or parsing.
func Check(root fs.FS) ([]Finding, error) {
	return check(root, exceptions)
}

func check(root fs.FS, excepted []exception) ([]Finding, error) {
	t, err := load(root)
	if err != nil {
		return nil, err
	}
	var found []Finding
	used := make([]bool, len(excepted))
	for _, r := range rules {
		r.check(t, func(file string, line int, text string) {
			i := slices.IndexFunc(excepted, func(e exception) bool { return e.file == file && e.rule == r.name })
			if i >= 0 {
				used[i] = true
				return
			}
			found = append(found, Finding{file, line, r.name, text})
		})
	}
	for i, e := range excepted {
		if !used[i] {
			found = append(found, Finding{e.file, 0, "exception", fmt.Sprintf("nothing breaks the rule %q here any more: take the exception out of internal/lint/exceptions.go", e.rule)})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(found), nil
}
