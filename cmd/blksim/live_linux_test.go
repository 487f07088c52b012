package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/loopdev"
)

// TestCtrlCEndsAViewWithItsTotals: of every view, and in both forms.
func TestCtrlCEndsAViewWithItsTotals(t *testing.T) {
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
	for _, args := range [][]string{
		{"snoop"}, {"snoop", "--output-format=json"}, {"top", "--interval=50ms"}, {"biolatency", "--interval=50ms", "--queue"},
	} {
		cmd := command(t, append(args, "--device="+l.Path())...)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		var errs strings.Builder
		cmd.Stderr = &errs
		require.NoError(t, cmd.Start())
		stop := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() }) // the test fails then
		// dd, until the view has shown some of what it does.
		var text strings.Builder
		lines := bufio.NewScanner(out)
		busy := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-busy:
					return
				case <-time.After(20 * time.Millisecond):
				}
				exec.Command("dd", "if="+l.Path(), "of=/dev/null", "bs=4k", "count=20", "iflag=direct").Run()
			}
		}()
		for lines.Scan() {
			text.WriteString(lines.Text() + "\n")
			if strings.Count(text.String(), "\n") == 6 {
				require.NoError(t, cmd.Process.Signal(os.Interrupt))
			}
		}
		close(busy)
		<-done
		stop.Stop()
		err = cmd.Wait()
		traceable(t, errs.String())
		require.NoError(t, err, "%v: %s", args, errs.String())
		says := "started "
		if strings.Contains(strings.Join(args, " "), "json") {
			says = `"schema":"blksim.live-totals/v1"`
		}
		require.Contains(t, text.String(), says, "%v", args)
	}
}

func TestAViewIntoAClosedPipeIsAnOutputError(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	defer w.Close()
	cmd := command(t, "snoop", "--device="+l.Path(), "--duration=1s")
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = w, &errs
	err = cmd.Run()
	traceable(t, errs.String())
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, exitOutput, exit.ExitCode())
	require.Equal(t, "blksim: standard output: broken pipe\n", errs.String())
}

// TestWithoutRightsAViewSaysWhatIsMissing: as somebody who is not root.
func TestWithoutRightsAViewSaysWhatIsMissing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "snoop", "--duration=10ms")
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var errs strings.Builder
	cmd.Stderr = &errs
	err = cmd.Run()
	if os.IsPermission(err) {
		t.Skip("the test's program is where nobody else may run it")
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, errs.String())
	require.Equal(t, exitDevice, exit.ExitCode(), errs.String())
	require.Contains(t, errs.String(), "CAP_BPF is missing")
	require.Contains(t, errs.String(), "run as root")
}
