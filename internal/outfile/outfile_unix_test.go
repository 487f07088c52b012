//go:build unix

package outfile_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/outfile"
)

func TestAPipeIsWrittenToAndNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	got := make(chan string)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			close(got)
			return
		}
		defer f.Close()
		all, _ := io.ReadAll(f)
		got <- string(all)
	}()
	require.NoError(t, outfile.Put(outfile.OS{}, path, []byte("result")))
	require.Equal(t, "result", <-got)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, fs.ModeNamedPipe, info.Mode().Type())
}

func TestALinkStaysAndItsTargetIsReplaced(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "real", "deep"), 0o700))
	require.NoError(t, os.Symlink("real/deep", filepath.Join(dir, "short")))
	target := filepath.Join(dir, "real", "result")
	for _, there := range []bool{false, true} {
		if there {
			require.NoError(t, os.WriteFile(target, []byte("old"), 0o640))
		}
		// Out of the linked folder, which is real/deep and not short.
		link := filepath.Join(dir, "short", map[bool]string{false: "dangling", true: "whole"}[there])
		require.NoError(t, os.Symlink("../result", link))
		require.NoError(t, outfile.Put(outfile.OS{}, link, []byte("new")))
		got, err := os.ReadFile(target)
		require.NoError(t, err)
		require.Equal(t, "new", string(got))
		to, err := os.Readlink(link)
		require.NoError(t, err)
		require.Equal(t, "../result", to)
		require.NoError(t, os.Remove(target))
	}
	round := filepath.Join(dir, "round")
	require.NoError(t, os.Symlink("round", round))
	require.ErrorContains(t, outfile.Put(outfile.OS{}, round, nil), round+": ")
}

func TestAResultHasTheModeOfTheOldFileOrOfTheUmask(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result")
	defer syscall.Umask(syscall.Umask(0o027))
	mode := func() fs.FileMode {
		require.NoError(t, outfile.Put(outfile.OS{}, path, nil))
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode()
	}
	require.Equal(t, fs.FileMode(0o640), mode())
	require.NoError(t, os.Chmod(path, 0o606))
	require.Equal(t, fs.FileMode(0o606), mode())
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "a temporary file was left")
}

func TestOutputErrorsNameThePathThatWasGiven(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "no", "such"), filepath.Join(dir, "file", "x")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
		err := outfile.Put(outfile.OS{}, path, nil)
		require.ErrorContains(t, err, path+": ")
		require.NotContains(t, err.Error(), ".blksim-")
	}
}
