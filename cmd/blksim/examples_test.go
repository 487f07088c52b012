//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryExampleRuns as its script says, and the folder's README names it.
func TestEveryExampleRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the examples take a few seconds")
	}
	scripts, err := filepath.Glob("../../examples/*.sh")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(scripts), 7)
	readme, err := os.ReadFile("../../examples/README.md")
	require.NoError(t, err)
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, script := range scripts {
		name := filepath.Base(script)
		require.Contains(t, string(readme), "["+name+"]("+name+")")
		cmd := exec.Command("sh", script)
		cmd.Env = append(os.Environ(), asCommand+"=1", "BLKSIM="+exe, "TMPDIR="+t.TempDir())
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		require.NoError(t, err, "%s: %s", name, errs.String())
		require.NotEmpty(t, out, name)
	}
}

// TestEveryCommandHasAManualPage with each of its options, the same bytes each time.
func TestEveryCommandHasAManualPage(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "man", "man1"), t.TempDir()
	for _, dir := range []string{a, b} {
		code, _, errs := blksim("man", dir)
		require.Zero(t, code, errs)
	}
	pages, err := os.ReadDir(a)
	require.NoError(t, err)
	require.Greater(t, len(pages), 8)
	for _, p := range pages {
		one, err := os.ReadFile(filepath.Join(a, p.Name()))
		require.NoError(t, err)
		other, err := os.ReadFile(filepath.Join(b, p.Name()))
		require.NoError(t, err)
		require.Equal(t, one, other)
	}
	run, err := os.ReadFile(filepath.Join(a, "blksim-run.1"))
	require.NoError(t, err)
	for _, option := range []string{"rw", "iodepth", "rate-iops", "random-distribution", "deadline", "threshold"} {
		require.Contains(t, string(run), `--`+strings.ReplaceAll(option, "-", `-`), option)
	}
	code, _, _ := blksim("man")
	require.Equal(t, exitUsage, code)
}

func TestCompletionKnowsTheWordsOfAnOption(t *testing.T) {
	code, out, _ := blksim("__complete", "run", "--output-format=")
	require.Zero(t, code)
	require.Contains(t, out, "json+\n")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, out, errs := blksim("completion", shell)
		require.Zero(t, code, errs)
		require.Greater(t, len(out), 1000)
	}
}
