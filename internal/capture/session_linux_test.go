package capture

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/ebpf"
	"blksim/internal/loopdev"
)

// TestWhatCompletesAfterTheEndWasNotMissed: a disk that others use goes on counting while
// a recording ends.
func TestWhatCompletesAfterTheEndWasNotMissed(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	d, err := ebpf.FindDevice(l.Path())
	require.NoError(t, err)
	f, err := os.OpenFile(l.Path(), os.O_RDONLY|unix.O_DIRECT, 0)
	require.NoError(t, err)
	defer f.Close()
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer unix.Munmap(b)
	before, err := ebpf.ReadStat(d.Name)
	require.NoError(t, err)

	s, err := Start(ebpf.Options{Devices: []ebpf.Device{d}})
	if errors.Is(err, ebpf.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	var sum Summary
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		sum, err = s.Record(&collected{}, stop)
		ended <- err
	}()
	close(stop)
	for wait := true; wait; time.Sleep(200 * time.Microsecond) {
		_, err := f.ReadAt(b, 0)
		require.NoError(t, err)
		select {
		case err := <-ended:
			require.NoError(t, err)
			wait = false
		default:
		}
	}
	after, err := ebpf.ReadStat(d.Name)
	require.NoError(t, err)
	require.NoError(t, sum.Check())
	require.True(t, sum.Compared)
	require.Greater(t, int64(after.Completed()-before.Completed()), sum.StatCompleted, "some came after the end")
	require.LessOrEqual(t, sum.Missed(), int64(2), "the kernel may not tell a completion or two: see ebpf's tests")
}
