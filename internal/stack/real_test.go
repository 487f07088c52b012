package stack_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/stack"
)

func TestAPathIsToldFromTheNameOfADevice(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"disk", "ram", "sim:x"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	for device, want := range map[string]bool{
		"/dev/sda": true, "./x": true, "x/y": true, "disk": true, "./ram": true, "./sim:x": true,
		"sim": false, "sim:slow": false, "sim:./slow.toml": false, "sim:/etc/slow.toml": false, "ram": false, "null": false, "sim:x": false, "tape": false,
	} {
		require.Equal(t, want, stack.IsPath(device), device)
	}
}
