package mutant

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/model"
)

// few is how many mutants a run of all tests tries.
const few = 4

// workers is how many mutants are built and run at a time.
const workers = 2

func newHarness(t *testing.T) (*Harness, Scenarios) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	h := &Harness{Root: root, Dir: t.TempDir()}
	// What the go command compiles for us is not seen by the test cache; what the
	// test itself reads is.
	for _, dir := range []string{"aio", "aio/lane", "internal/explore", "internal/step", "internal/wheel"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		require.NoError(t, err)
		for _, f := range files {
			_, err := os.ReadFile(f)
			require.NoError(t, err)
		}
	}
	scenarios, err := h.Scenarios()
	require.NoError(t, err)
	return h, scenarios
}

// all says that the test is asked for by its name, and then does all there is.
func all(t *testing.T) bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), t.Name()) && !testing.Short()
}

func TestEveryMutantFits(t *testing.T) {
	h, scenarios := newHarness(t)
	names := map[string]bool{}
	for _, m := range Mutants() {
		_, err := h.Change(m)
		require.NoError(t, err)
		require.False(t, names[m.Name], "two mutants %s", m.Name)
		names[m.Name] = true
		require.NotEmpty(t, m.Why, m.Name)
		if m.By != modelOnly {
			require.Contains(t, scenarios[m.pkg()], m.By, "who kills %s", m.Name)
		}
	}
	require.GreaterOrEqual(t, len(names), 25)
	for _, f := range model.Faults() {
		require.True(t, names[f.Name], "the model's fault %s is no mutant of the code", f.Name)
	}
}

func TestEveryMutantIsKilled(t *testing.T) {
	h, scenarios := newHarness(t)
	mutants := Mutants()
	if !all(t) {
		n := len(mutants)
		var some []Mutant
		for i := range few {
			some = append(some, mutants[i*n/few])
		}
		mutants = some
		t.Logf("the short setting: %d mutants of %d; all: go test ./internal/mutant -run TestEveryMutantIsKilled -v", few, n)
	}
	began := time.Now()
	verdicts := make([]Verdict, len(mutants))
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				if m := mutants[i]; m.By != modelOnly {
					verdicts[i] = h.Kill(m, scenarios)
				}
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	wg.Wait()

	killed, byExplorer, byModel := 0, 0, 0
	var table strings.Builder
	for i, m := range mutants {
		v := verdicts[i]
		dead := false
		switch {
		case m.By == modelOnly:
		case v.Err != nil:
			t.Errorf("%s (%s): %v", m.Name, m.Why, v.Err)
		default:
			dead = true
			byExplorer++
			fmt.Fprintf(&table, "%-34s explorer  %s: %s\n", m.Name, v.Scenario, cut(v.Reason))
		}
		if slices.ContainsFunc(model.Faults(), func(f model.Fault) bool { return f.Name == m.Name }) || m.By == modelOnly {
			reason, err := model.Caught(m.Name)
			if err != nil {
				t.Errorf("%s (%s): %v", m.Name, m.Why, err)
				continue
			}
			dead = true
			byModel++
			fmt.Fprintf(&table, "%-34s model     %s\n", m.Name, cut(reason))
		}
		if dead {
			killed++
		}
	}
	t.Logf("\n%smutants killed %d/%d: %d by the explorer's %d scenarios, %d by the model; %.0f s",
		table.String(), killed, len(mutants), byExplorer, scenarios.Len(), byModel, time.Since(began).Seconds())
}

// cut shortens a reason for the table.
func cut(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "..."
	}
	return s
}

// The canary: the harness passes what is right, and fails for no other reason than
// a finding.
func TestTheHarnessPassesWhatIsRight(t *testing.T) {
	h, scenarios := newHarness(t)
	n := 0
	for _, right := range []Mutant{
		{Name: "none", File: "word.go", Old: "package aio\n", New: "package aio\n"},
		{Name: "none-of-lane", File: "lane/inbox.go", Old: "package lane\n", New: "package lane\n"},
	} {
		program, err := h.Build(right)
		require.NoError(t, err)
		some := scenarios[right.pkg()]
		if !all(t) {
			some = some[:1]
		}
		require.ErrorIs(t, h.Run(right, program, All(some)).Err, ErrSurvived, "the code as it is")
		require.ErrorContains(t, h.Run(right, program, "^TestNoSuch$").Err, "no scenario")
		n += len(some)
	}
	t.Logf("the code as it is passes %d scenarios", n)
}

func TestTheHarnessCountsOnlyFindings(t *testing.T) {
	h, all := newHarness(t)
	scenarios := Scenarios{"aio": all["aio"][:1]}
	_, err := h.Build(Mutant{Name: "broken", File: "word.go", Old: "package aio\n", New: "package aio; var x int = \"\"\n"})
	require.ErrorContains(t, err, "does not compile")
	_, err = h.Build(Mutant{Name: "gone", File: "word.go", Old: "no such text"})
	require.ErrorContains(t, err, "0 times")
	_, err = h.Build(Mutant{Name: "many", File: "word.go", Old: "\treturn "})
	require.ErrorContains(t, err, "not once")
	crash := Mutant{
		Name: "crash", File: "word.go", By: scenarios["aio"][0], Old: "type cancelWord", New: "func init() { panic(0) }; type cancelWord",
	}
	require.ErrorContains(t, h.Kill(crash, scenarios).Err, "without a finding")

	v := verdictOf("=== RUN   TestA\n    x_test.go:3: 1 is not 2\n--- FAIL: TestA (0.00s)\nFAIL\n")
	require.ErrorContains(t, v.Err, "without a finding")
	v = verdictOf("=== RUN   TestA\npanic: test timed out after 2m0s\n")
	require.ErrorContains(t, v.Err, "without a finding")
	v = verdictOf("=== RUN   TestA\n    x_test.go:3: cancel: S4: two at once\n        after 7 schedules (and 1 cut short)\n--- FAIL: TestA (0.00s)\n")
	require.Equal(t, Verdict{Scenario: "TestA", Reason: "cancel: S4: two at once"}, v)
	v = verdictOf("    x_test.go:3: panic: nil\n        goroutine 9 [running]:\n        after 7 schedules\n--- FAIL: TestA (0.00s)\n")
	require.Equal(t, "panic: nil", v.Reason)
	v = verdictOf("    x_test.go:3: \n        \tError Trace:\ta.go:1\n        \t            \tb.go:2\n        \tError:      \tShould be true\n" +
		"        \tMessages:   \tS15: Started\n        after 3 schedules\n--- FAIL: TestB (0.00s)\n")
	require.Equal(t, Verdict{Scenario: "TestB", Reason: "S15: Started: Should be true"}, v)
}
