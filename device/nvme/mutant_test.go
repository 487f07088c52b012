package nvme_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var mutantCount = flag.Int("mutants", 1, "mutants that TestEveryMutantIsKilled runs, from the one of -mutant on; -1: all")
var mutantFirst = flag.Int("mutant", 0, "first mutant of TestEveryMutantIsKilled")

// mutant is the controller with one thing wrong: a piece of text that occurs once
// in a file, and what it is replaced by.
type mutant struct{ file, old, new string }

// mutants are what the tests must notice: the test of the tests. None of them
// changes nothing.
var mutants = []mutant{
	{"abort.go", "c.aborts >= c.cfg.AbortLimit", "c.aborts > c.cfg.AbortLimit"},
	{"abort.go", "(q.marks == nil || q.marks[i] == nil)", "true"},
	{"abort.go", "q.deleting != nil || !q.mark(cid, cmd)", "!q.mark(cid, cmd)"},
	{"adminqueue.go", "c.endPair(v, spec.AbortedSQDeletion, spec.AbortedSQDeletion)", "c.complete(v, spec.AbortedSQDeletion)"},
	{"adminqueue.go", "cq.users++", ""},
	{"aer.go", "c.ev.masked[typ] = true", ""},
	{"aer.go", "c.ev.masked[typ] = false", "c.ev.masked[typ] = true"},
	{"arbitration.go", "a.credit = a.weight // a new round", "a.credit = a.weight; return numClasses"},
	{"arbitration.go", "a.credit[q.class] -= n", ""},
	{"arbitration.go", "a.last[q.class] = q // the first becomes the last", ""},
	{"cancel.go", "if cid == cmd.cid {", "if false {"},
	{"cancel.go", "single && took+defers > 0", "false"},
	{"cancel.go", "&& !v.deferred", ""},
	{"cancel.go", "v.opcode == spec.IOCopy && v.op.Kind == OpRead", "v.opcode == spec.IOCopy"},
	{"cancel.go", "return 2, 0", "return 1, 0"},
	{"cancel.go", "if sqid != cmd.sq.id {", "if sqid != cmd.sq.id && false {"},
	{"errorlog.go", "case spec.AbortRequested, spec.AbortedSQDeletion,", "case spec.AbortedSQDeletion,"},
	{"features.go", "c.feat.current = c.feat.saved", ""},
	{"fetch.go", "if room < 2 {", "if room < 1 {"},
	{"fetch.go", "next == q.tail || ", ""},
	{"format.go", "n.formatting = true", ""},
	{"format.go", "v.live() && v.ns == n", "v.live() && v.ns == n && false"},
	{"fused.go", "first.op.Off != second.op.Off || ", ""},
	{"fused.go", "if st1 := c.compare(first); st1 != spec.Success {", "if st1 := c.compare(first); false {"},
	{"interrupt.go", "v.entries > threshold", "v.entries >= threshold"},
	{"interrupt.go", "|| v.admin ", ""},
	{"lifecycle.go", "\tc.countCut()\n", ""},
	{"lifecycle.go", "\tc.cutFormat()\n", ""},
	{"lifecycle.go", "\tc.resetEvents()\n", ""},
	{"lifecycle.go", "\tc.aborts = 0\n", ""},
	{"lifecycle.go", "\tc.resetInterrupts()\n", ""},
	{"namespace.go", "blocks <= n.blocks-slba", "blocks <= n.blocks-slba+1"},
	{"nsattach.go", "n.gone = true", ""},
	{"sgl.go", "w.budget--; w.budget < 0", "false"},
	{"sgl.go", "if w.bucket = true; w.toHost {", "if w.bucket = true; true {"},
	{"sgl.go", "last && !w.lastSeg", "false"},
}

func TestEveryMutantFits(t *testing.T) {
	for i, m := range mutants {
		b, err := os.ReadFile(m.file)
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(b), m.old), "mutant %d: %q in %s", i, m.old, m.file)
	}
}

// TestEveryMutantIsKilled builds a mutant with the changed file laid over the real
// one, and runs the tests: they must fail. A mutant that does not build does not
// count. In a run of all tests it is one; this is all of them:
//
//	go test ./device/nvme -run TestEveryMutantIsKilled -mutants -1 -timeout 0 -v
func TestEveryMutantIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the package anew: not with -short")
	}
	last := len(mutants)
	if *mutantCount >= 0 {
		last = min(last, *mutantFirst+*mutantCount)
	}
	for i := *mutantFirst; i < last; i++ {
		m := mutants[i]
		b, err := os.ReadFile(m.file)
		require.NoError(t, err)
		dir := t.TempDir()
		path, err := filepath.Abs(m.file)
		require.NoError(t, err)
		changed := filepath.Join(dir, m.file)
		require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(b), m.old, m.new, 1)), 0o644))
		overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
		require.NoError(t, err)
		file := filepath.Join(dir, "overlay.json")
		require.NoError(t, os.WriteFile(file, overlay, 0o644))
		out, err := exec.Command("go", "test", "-overlay", file, "-short", "-vet=off", "-timeout", "2m",
			"-run", "Conformance|Seeds|RandomSQEs|Reset|Abort|Queue|Interrupt", ".").CombinedOutput()
		if err == nil {
			t.Errorf("mutant %d survived: %s: %q for %q", i, m.file, m.new, m.old)
			continue
		}
		if !strings.Contains(string(out), "--- FAIL") && !strings.Contains(string(out), "panic: ") {
			t.Errorf("mutant %d: no test failed: %s", i, out)
			continue
		}
		t.Logf("mutant %d killed: %s: %q for %q", i, m.file, m.new, m.old)
	}
}
