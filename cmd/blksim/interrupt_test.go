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
		code, out, errs := blksim("replay", "--realtime", "--output-format=json", "--baseline", path, path)
		timer.Stop()
		require.Equal(t, want, code, errs)
		require.Less(t, time.Since(start), 10*time.Second)
		r := decode(t, out)[0]
		require.True(t, r.Partial)
		require.Equal(t, "interrupted", r.Error)
		require.Contains(t, r.Odd, "not run: "+path+" (the device's driver), "+path)
		require.Equal(t, 1, strings.Count(errs, "blksim: interrupted"), errs)
		require.True(t, r.Accounting.Balanced)
		require.EqualValues(t, 100, r.Accounting.Requests.Completed)
	}
}

// TestSignalsThatComeTogetherCountOnce: timeout(1) sends two at once.
func TestSignalsThatComeTogetherCountOnce(t *testing.T) {
	ended := make(chan int, 1)
	i := catchInterrupts(func(code int) { ended <- code })
	defer i.release()
	stopped := make(chan bool, 1)
	defer i.stops(func() { stopped <- true })()
	for range 4 { // the channel holds two: the others have been taken out
		i.signals <- os.Interrupt
	}
	<-stopped
	require.Equal(t, exitInterrupted, i.code())
	time.Sleep(interruptEcho + 10*time.Millisecond)
	require.Empty(t, ended)
	i.signals <- syscall.SIGTERM // and this one is meant
	require.Equal(t, exitInterrupted, <-ended)
}
