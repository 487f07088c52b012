//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestASignalSavesThePartialResult interrupts a run that would take a minute.
func TestASignalSavesThePartialResult(t *testing.T) {
	path := file(t, "long.blk", "blksim trace 1\n"+strings.Repeat("0.0 R 0 4096\n", 100)+"60 R 0 4096\n")
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: exitInterrupted, syscall.SIGTERM: exitTerminated} {
		timer := time.AfterFunc(300*time.Millisecond, func() {
			if err := syscall.Kill(os.Getpid(), sig); err != nil {
				t.Error(err)
			}
		})
		start := time.Now()
		code, out, errs := blksim("replay", "--realtime", "--output-format=json", path)
		timer.Stop()
		require.Equal(t, want, code, errs)
		require.Less(t, time.Since(start), 10*time.Second)
		r := decode(t, out)[0]
		require.True(t, r.Partial)
		require.True(t, r.Accounting.Balanced)
		require.EqualValues(t, 100, r.Accounting.Requests.Completed)
	}
}
