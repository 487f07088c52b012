//go:build unix

package main

import (
	"io/fs"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatCannotBeWrittenToIsLeftAlone: a socket can be neither opened nor, being
// no file, replaced.
func TestWhatCannotBeWrittenToIsLeftAlone(t *testing.T) {
	t.Chdir(t.TempDir()) // the names of sockets are short
	l, err := net.Listen("unix", "s")
	require.NoError(t, err)
	defer l.Close()
	code, _, errs := blksim("replay", "--output=s", file(t, "a.blk", "blksim trace 1\n0 R 0 4096\n"))
	require.Equal(t, exitOutput, code)
	require.Contains(t, errs, "blksim: s: ")
	info, err := os.Lstat("s")
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket, info.Mode().Type())
}
