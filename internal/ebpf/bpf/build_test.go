package bpf

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestObjectsAreThoseOfTheirSource(t *testing.T) {
	for _, tool := range []string{"sh", "clang-14", "llvm-strip-14"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s, which makes the objects", tool)
		}
	}
	dir := t.TempDir()
	out, err := exec.Command("./build.sh", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for name, have := range map[string][]byte{"block.o": Object(), "block_plain.o": PlainObject(), "classic.o": ClassicObject()} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, have, "%s: run make generate", name)
	}
}
