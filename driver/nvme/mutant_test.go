//go:build mutants

package nvme

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutants are single faults, each of which some test of this package must find:
// the test of the tests. Old must occur in the file; its first occurrence is
// replaced.
var mutants = []struct{ name, file, old, new string }{
	{"quarantine removed", "complete.go", "q.quarantine(index, s)", "q.slots.put(index)"},
	{"drop not posted", "complete.go", "q.driver.admin.lane.Post(q.aborts[index].drop)", ""},
	{"phase not flipped", "rings.go", "p.phase = !p.phase", "p.phase = true"},
	{"no commit in cancel", "cancel.go", `	q.Commit()
`, `
`},
	{"limit off by one", "abort.go", "b.outstanding < b.limit", "b.outstanding <= b.limit"},
	{"no limit", "abort.go", "b.outstanding < b.limit", "true"},
	{"outstanding not decreased", "abort.go", "b.outstanding--", ""},
	{"aborts LIFO", "abort.go", `a := b.first
`, `a := b.last
`},
	{"no detach", "complete.go", `			m.detach()
`, `
`},
	{"ack after reap", "complete.go", `q.vector.acknowledge()
	q.stats.countInterrupt()
	q.reap(math.MaxInt)`, `q.stats.countInterrupt()
	q.reap(math.MaxInt)
	q.vector.acknowledge()`},
	{"full last list entry", "prp.go", "setPRP(list, lists*prpsPerPage-1, data+uint64(entries)*pageSize)", "_ = entries"},
	{"chain", "prp.go", "for i := range lists - 1 {", "for i := range lists - 2 {"},
	{"sqid", "complete.go", "s == nil || e.SQID() != q.rings.id", "s == nil"},
	{"generation", "slot.go", "s.cid += 1 << slotBits", ""},
	{"no copy back", "complete.go", "m.scattered.copyBack(r.Bufs, int(r.Len))", "_ = m"},
	{"run cap", "scatter.go", "if done+run < n {", "if false {"},
	{"cid compare", "slot.go", "!s.live() || s.cid != cid", "!s.live()"},
	{"full", "queue.go", "!ok || q.rings.full()", "!ok"},
	{"leak of quarantined", "cancel.go", "q.slots.put(a.index)", ""},
	{"release leaves aborting", "cancel.go", `s.state = slotInFlight
}`, "}"},
	{"cq head doorbell", "queue.go", "q.rings.release()", ""},
	{"stray no release", "complete.go", "if strays {", "_ = strays; if false {"},
	{"bounce toDevice", "scatter.go", `at.copyTo(b)
			done = end`, `done = end
			at.skip(end-begin)`},
	{"close no lanes", "lifecycle.go", "q.close(); done()", "done()"},
	{"abort failed counts", "abort.go", `b.giveBack(a)
}

func (b *aborter) giveBack`, `if c.status.OK() { b.giveBack(a) }
}

func (b *aborter) giveBack`},
	{"disable skipped on failed open", "driver.go", "_ = d.disable()", ""},
	{"cache not told", "start.go", "c.VWC&spec.VWCPresent != 0", "false"},
	{"spares none", "start.go", "d.spares = 2 * d.admin.aborts.limit", "d.spares = 0"},
	{"commit per submit lost", "queue.go", `q.rings.ring()
`, `
`},
	{"fetched accepts all", "rings.go", "h >= p.sqSize || n > p.sqSize-1-p.sqRoom", "h >= p.sqSize"},
	{"room not given back", "rings.go", "p.sqRoom += n", ""},
	{"interrupt always posts", "interrupt.go", "if !v.posted.Load() && !v.posted.Swap(true) {", "{"},
	{"admin lost interrupt", "admin.go", "a.reap() // the command may", "_ = a // the command may"},
	{"bytes of a failed command", "complete.go", "q.failed(status), 0", "q.failed(status), r.Len"},
	{"zero length", "queue.go", "uint64(n-1) < uint64(f.longest[op])", "n <= f.longest[op]"},
	{"negative offset", "queue.go", "-1|1<<63)", "-1)"},
	{"reserved admin commands", "start.go", "adminEntries-1-adminReserved", "adminEntries-1"},
	{"abort not cancelled", "status.go", `case spec.AbortRequested:
		return aio.Cancelled`, `case spec.AbortRequested:
		return aio.IOError`},
}

// TestEveryMutantIsCaught builds the package once for each mutant and runs its
// other tests, which takes minutes: go test -tags mutants -run Mutant.
func TestEveryMutantIsCaught(t *testing.T) {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			path := filepath.Join(dir, m.file)
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(src), m.old, "the mutant no longer fits %s", m.file)
			tmp := t.TempDir()
			mutant, overlay := filepath.Join(tmp, m.file), filepath.Join(tmp, "overlay.json")
			require.NoError(t, os.WriteFile(mutant, []byte(strings.Replace(string(src), m.old, m.new, 1)), 0o600))
			list, err := json.Marshal(map[string]map[string]string{"Replace": {path: mutant}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(overlay, list, 0o600))
			out, err := exec.Command("go", "test", "-vet=off", "-timeout=60s", "-overlay", overlay, ".").CombinedOutput()
			require.Error(t, err, "no test noticed")
			require.NotContains(t, string(out), "[build failed]", string(out))
		})
	}
}
