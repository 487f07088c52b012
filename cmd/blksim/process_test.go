//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const asCommand = "BLKSIM_TEST_AS_COMMAND"

// TestMain lets the test binary be the command, for tests of a process.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// command is blksim as a process of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

func TestAClosedPipeIsAnOutputError(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	defer w.Close()
	cmd := command(t, "replay", file(t, "a.blk", "blksim trace 1\n0 R 0 4096\n"))
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &errs
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &exit)
	require.Equal(t, exitOutput, exit.ExitCode(), "%v", exit)
	require.Equal(t, "blksim: standard output: broken pipe\n", errs.String())
}

func TestDashReadsStandardInput(t *testing.T) {
	const trace = "blksim trace 1\n0 R 0 4096\n0.1 W 0 4096\n"
	cmd := command(t, "replay", "--output-format=json", "-")
	cmd.Stdin = strings.NewReader(trace)
	out, err := cmd.Output()
	require.NoError(t, err)
	r := decode(t, string(out))[0]
	require.Equal(t, "standard input", r.Trace.Name)
	require.EqualValues(t, 2, r.Accounting.Requests.Completed)

	for _, args := range [][]string{{"-", "-"}, {"--baseline", "-"}, {"--driver=nvme", "--driver=nvme,callback=off", "-"}} {
		code, _, errs := blksim(append([]string{"replay"}, args...)...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "standard input can be read once")
	}
}

// TestStandardOutputByNameIsNotReplaced: a shell may append to it.
func TestStandardOutputByNameIsNotReplaced(t *testing.T) {
	if _, err := os.Stat("/dev/stdout"); err != nil {
		t.Skip("no /dev/stdout here: ", err)
	}
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("kept\n"), 0o600))
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	defer log.Close()
	cmd := command(t, "replay", "--output=/dev/stdout", file(t, "a.blk", "blksim trace 1\n0 R 0 4096\n"))
	cmd.Stdout = log
	require.NoError(t, cmd.Run())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(got), "kept\ntrace "), "%s", got)
}
