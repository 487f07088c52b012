package scaffold_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/scaffold"
)

// goTest runs go test in a module that was just written.
func goTest(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"test", "-v", "-short"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestANewDriverPassesItsTestsAtOnce(t *testing.T) {
	for name, callback := range map[string]bool{"mydisk": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			files, err := scaffold.Write(scaffold.Options{Dir: dir, Callback: callback})
			require.NoError(t, err)
			out := goTest(t, dir)
			require.Contains(t, out, "--- PASS: TestConformance/complete-once")
			require.Contains(t, out, "--- PASS: FuzzDriver")
			require.Contains(t, out, "--- PASS: TestUnderFaults/reset")
			require.Contains(t, files, "faults.plan")
			cancels := "--- SKIP: TestConformance/cancel-submitted"
			if callback {
				cancels = "--- PASS: TestConformance/cancel-submitted"
				require.Contains(t, files, "cancel.go")
			}
			require.Contains(t, out, cancels)

			// gofmt has nothing to say, and the driver is short.
			fmtOut, err := exec.Command("gofmt", "-l", dir).CombinedOutput()
			require.NoError(t, err)
			require.Empty(t, string(fmtOut))
			code, err := os.ReadFile(filepath.Join(dir, "disk.go"))
			require.NoError(t, err)
			lines := 0
			for line := range strings.Lines(string(code)) {
				if s := strings.TrimSpace(line); s != "" && !strings.HasPrefix(s, "//") {
					lines++
				}
			}
			require.Less(t, lines, 60)
		})
	}
}

func TestWhatCannotBeWrittenSaysWhy(t *testing.T) {
	tmp := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(tmp, "there"), 0o777))
	other := filepath.Join(tmp, "other")
	require.NoError(t, os.Mkdir(other, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(other, "go.mod"), []byte("module other\n"), 0o666))
	for want, o := range map[string]scaffold.Options{
		`driver name "My-Disk": want a Go package name`: {Dir: filepath.Join(tmp, "My-Disk")},
		`driver name "func"`:                            {Dir: filepath.Join(tmp, "func")},
		"exists: nothing was written":                   {Dir: filepath.Join(tmp, "there")},
		"inside the source of blksim":                   {Dir: "mine"},
		"no such file":                                  {Dir: filepath.Join(tmp, "mine"), Source: filepath.Join(tmp, "gone")},
		"names another module":                          {Dir: filepath.Join(tmp, "mine"), Source: other},
	} {
		_, err := scaffold.Write(o)
		require.ErrorContains(t, err, want)
	}
	require.NoDirExists(t, filepath.Join(tmp, "mine"))
}
