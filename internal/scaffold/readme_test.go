//go:build unix

package scaffold_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// clone copies the tree to a new folder, as a fresh clone would have it.
func clone(t *testing.T, to string) {
	t.Helper()
	const root = "../.."
	require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, path), 0o777)
		case !d.Type().IsRegular() || path == "blksim": // a build's output
			return nil
		}
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), data, 0o666)
	}))
}

// TestReadmeWriteADriverInTenMinutes runs the commands of that section, as they
// stand there, in a fresh clone.
func TestReadmeWriteADriverInTenMinutes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command in a clone: not with -short")
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "\n## Write a driver in ten minutes\n")
	require.True(t, found, "README has no such section")
	section, _, _ = strings.Cut(section, "\n## ")
	var blocks []string
	for i, part := range strings.Split(section, "```") {
		if code, ok := strings.CutPrefix(part, "sh\n"); i%2 == 1 && ok {
			blocks = append(blocks, code)
		}
	}
	require.Len(t, blocks, 2)

	dir := filepath.Join(t.TempDir(), "blksim")
	clone(t, dir)
	sh := func(script string) string {
		cmd := exec.Command("sh", "-e", "-x", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	out := sh(blocks[0])
	require.Contains(t, out, "wrote ../mydisk: disk.go, cancel.go")
	require.Contains(t, out, "ok  \tmydisk")
	require.Contains(t, out, "--- PASS: TestConformance/cancel-submitted")
	require.NotContains(t, out, "FAIL")
	out = sh(blocks[1])
	require.Regexp(t, `(?m)^complete-once +pass`, out)
	require.Contains(t, out, "driver broken:cancel-twice breaks the contract: cancel-twice")
	require.Regexp(t, `(?m)^seed 17: driver=`, out)
}
