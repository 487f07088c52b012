package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestASecondProcessIsNotNoticed: its exit code, input and output are those of the
// command.
func TestASecondProcessIsNotNoticed(t *testing.T) {
	path := diskFile(t)
	for _, c := range []struct {
		args  []string
		stdin string
		code  int
		says  string
	}{
		{[]string{"run", "--device=" + path, "--rw=randread", "--number_ios=50"}, "", exitOK, ""},
		{[]string{"run", "--device=" + path, "--rw=write"}, "", exitUsage, "want --allow-write"},
		{[]string{"run", "--device=" + path, "--rw=randread", "--number_ios=50", "--threshold=iops<1"}, "", exitThreshold, "iops"},
		{[]string{"replay", "--device=" + path, "-"}, "blksim trace 1\n0 R 0 4096\n", exitOK, ""},
		{[]string{"run", "--device=" + path, "-"}, "[a]\nrw=randread\nnumber_ios=50\n", exitOK, ""},
		{[]string{"run", "-"}, "[global]\ndevice=" + path + "\n[a]\nrw=randread\nnumber_ios=50\n", exitOK, ""},
		{[]string{"run", "--device=" + path, "--rw=randread", "--runtime=1h", "--time-limit=100ms"}, "", exitTimeLimit, "the time limit is over"},
	} {
		cmd := command(t, c.args...)
		var out, errs bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.stdin), &out, &errs
		_ = cmd.Run() // the exit code says it
		require.Equal(t, c.code, cmd.ProcessState.ExitCode(), "%v: %s", c.args, errs.String())
		require.Contains(t, errs.String(), c.says)
		require.Equal(t, c.code != exitUsage, strings.Contains(out.String(), "driver   disk"), out.String())
	}
}

// TestTheSecondProcessEndsWithTheFirst: nothing goes on writing to a disk when the
// command was killed.
func TestTheSecondProcessEndsWithTheFirst(t *testing.T) {
	path := diskFile(t)
	out := filepath.Join(t.TempDir(), "out.json")
	cmd := command(t, "run", "--device="+path, "--rw=randrw", "--allow-write", "--rate_iops=100", "--runtime=1h", "--output-format=json", "--output="+out)
	start(t, cmd)
	require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
	require.Error(t, cmd.Wait())
	require.Eventually(t, func() bool { _, err := os.Stat(out); return err == nil }, time.Minute, 20*time.Millisecond,
		"it was terminated, and saved its partial result")
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	r := decode(t, string(text))[0]
	require.True(t, r.Partial)
	require.Positive(t, r.Accounting.Requests.Completed)
}
