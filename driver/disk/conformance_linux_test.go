package disk

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/device/disk"
	"blksim/driver"
	"blksim/driver/drivertest"
	"blksim/internal/loopdev"
)

// conform runs the conformance kit over a disk, opened anew for each seed.
func conform(t *testing.T, path string, o Options, seeds int) {
	t.Helper()
	available(t, path, o)
	drivertest.RunWith(t, func(drivertest.Env) (driver.Driver, error) {
		d, err := Open(path, o)
		if o.Buffered {
			return oneByOne{d}, err
		}
		return d, err
	}, drivertest.Options{Seeds: seeds, RealTime: true, Bound: 20 * time.Second})
}

// oneByOne takes one request at a time: the page cache lets a read see half of a
// write that is under way, which the kit would not forgive.
type oneByOne struct{ *Disk }

func (d oneByOne) Limits() driver.Limits {
	l := d.Disk.Limits()
	l.QueueDepth = 1
	return l
}

// available skips a test where the file system has no O_DIRECT.
func available(t *testing.T, path string, o Options) {
	t.Helper()
	d, err := Open(path, o)
	if errors.Is(err, unix.EINVAL) {
		t.Skip(err)
	}
	require.NoError(t, err)
	require.NoError(t, d.Close())
}

// The kit's rules on a file: in real time, on few seeds, of which -short takes one.
func TestAFileKeepsTheContract(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) { conform(t, tempFile(t, 1<<20), o, 4) })
}

func TestAFileThroughThePageCacheKeepsTheContract(t *testing.T) {
	for _, kind := range []disk.EngineKind{disk.IOURing, disk.Sync} {
		t.Run(string(kind), func(t *testing.T) {
			o := Options{Engine: disk.EngineOptions{Kind: kind}}
			o.Write, o.Buffered = true, true
			conform(t, tempFile(t, 1<<20), o, 2)
		})
	}
}

func TestALoopDeviceKeepsTheContract(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		l := loopdev.LoopFor(t, 4<<20, loopdev.Options{BlockSize: 4096})
		o.Exclusive = true
		conform(t, l.Path(), o, 2)
	})
}
