//go:build interleave

package explore

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// ScheduleEnv is the environment variable that has Run run one schedule.
const ScheduleEnv = "EXPLORE_SCHEDULE"

// ShrinkEnv is the environment variable that has Run spend this many runs on
// shrinking the schedule of a finding; 0: none.
const ShrinkEnv = "EXPLORE_SHRINK"

// estimateWalks is how many random walks the logged estimate is made of.
const estimateWalks = 200

// Run explores s and fails t if it finds something, or if it could not run every
// schedule and c does not allow for that. It logs how far it went. With
// EXPLORE_SCHEDULE=0110... in the environment it runs that schedule only, and
// logs its trace. EXPLORE_SHRINK=0 leaves the schedule of a finding as it was found.
func Run(t testing.TB, c Config, s Scenario) Result {
	t.Helper()
	if schedule, ok := os.LookupEnv(ScheduleEnv); ok {
		f, trace, err := Replay(c, s, schedule)
		switch {
		case err != nil:
			t.Fatal(err)
		case f != nil:
			t.Fatalf("schedule %s: %s\n%s", schedule, f.Reason, trace)
		}
		t.Logf("schedule %s: nothing found\n%s", schedule, trace)
		return Result{Schedules: 1}
	}
	if runs, ok := os.LookupEnv(ShrinkEnv); ok {
		n, err := strconv.Atoi(runs)
		if err != nil || n < 0 {
			t.Fatalf("%s=%s: want the number of runs, from 0", ShrinkEnv, runs)
		}
		if c.ShrinkRuns = n; n == 0 {
			c.ShrinkRuns = -1
		}
	}
	r, err := Explore(c, s)
	switch {
	case err != nil:
		t.Fatal(err)
	case r.Finding != nil:
		t.Fatal(report(t.Name(), r))
	case !r.Exhausted && !c.MayStop:
		t.Fatalf("stopped after %v", r)
	}
	all := ""
	if c.Reduction != None {
		n, err := Estimate(s, estimateWalks)
		if err != nil {
			t.Fatal(err)
		}
		all = fmt.Sprintf("; without reduction about %.1e", n)
	}
	t.Logf("%v%s", r, all)
	return r
}

// report is all there is to say about a finding.
func report(test string, r Result) string {
	f := r.Finding
	shrunk := ""
	if f.Shrinking != nil {
		shrunk = fmt.Sprintf("%v\n", f.Shrinking)
	}
	return fmt.Sprintf("%s\nafter %v\n%sschedule %s:\n%s\nto run it again:\n\t%s",
		f.Reason, r, shrunk, f.Schedule, f.Trace, command(test, f.Schedule))
}

// command runs one schedule of one test.
func command(test, schedule string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return fmt.Sprintf("%s=%s go test -tags interleave -count=1 -run '%s' %s",
		ScheduleEnv, schedule, strings.Join(parts, "/"), packageDir())
}

// packageDir is the directory of the package under test, which its tests run in,
// as go test takes it in the module's root.
func packageDir() string {
	wd, err := os.Getwd()
	if err != nil {
		return "."
	}
	for root := wd; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			rel, err := filepath.Rel(root, wd)
			if err != nil {
				return "."
			}
			return "./" + filepath.ToSlash(rel)
		}
		if root == filepath.Dir(root) {
			return "."
		}
	}
}
