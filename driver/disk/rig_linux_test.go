package disk

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/device/disk"
	"blksim/internal/loopdev"
)

// kinds are the engines that every test is for.
var kinds = []disk.EngineKind{disk.IOURing, disk.LibAIO, disk.Sync}

// eachEngine runs a test with each engine that this machine has.
func eachEngine(t *testing.T, test func(t *testing.T, o Options)) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			o := Options{Engine: disk.EngineOptions{Kind: kind}}
			o.Write = true
			test(t, o)
		})
	}
}

// tempFile is a file of size bytes, all of them written.
func tempFile(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, size))
	return path
}

// openDisk opens a disk, or skips the test where the file system has no O_DIRECT.
func openDisk(t *testing.T, path string, o Options) *Disk {
	t.Helper()
	d, err := Open(path, o)
	if errors.Is(err, unix.EINVAL) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return d
}

// missing skips a test for what the machine does not have.
func missing(t *testing.T, err error) {
	t.Helper()
	for _, e := range []error{unix.ENOSYS, unix.EPERM, unix.EAGAIN, disk.ErrNotSupported} {
		if errors.Is(err, e) {
			t.Skip(err)
		}
	}
	require.NoError(t, err)
}

// rig is a disk in a whole stack, on one lane.
type rig struct {
	t     *testing.T
	group *lane.Real
	drv   *Disk
	blk   *blk.Disk
	ctx   *aio.Context

	// The lane's.
	events []aio.Event
	want   int
	done   func()
	again  func(n int) // gets the number of events instead, if set
}

func newRig(t *testing.T, path string, o Options, b blk.Options) *rig {
	t.Helper()
	r := &rig{t: t, drv: openDisk(t, path, o), group: lane.NewReal(1)}
	b.Queues = []lane.Lane{r.group.Lane(0)}
	var err error
	r.blk, err = blk.Open(r.drv, b)
	if err != nil {
		require.NoError(t, r.drv.Close())
		r.group.Close()
		missing(t, err)
	}
	r.ctx, err = aio.New(aio.Options{Lanes: b.Queues, OnEvents: r.got})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, r.blk.Close())
		r.group.Close()
	})
	return r
}

func (r *rig) got(_ lane.Lane, evs []aio.Event) {
	if r.again != nil {
		r.again(len(evs))
		return
	}
	r.events = append(r.events, evs...)
	if r.want > 0 && len(r.events) >= r.want {
		r.want = 0
		r.done()
	}
}

// do submits I/Os at once, calls then, and returns their events.
func (r *rig) do(ios []aio.IO, then func(ids []aio.ID)) []aio.Event {
	r.t.Helper()
	err := r.group.Do(0, func(done func()) {
		r.events, r.want, r.done = nil, len(ios), done
		var ids []aio.ID
		for _, io := range ios {
			id, err := r.ctx.Submit(r.group.Lane(0), r.blk, io)
			if err != nil {
				panic(err)
			}
			ids = append(ids, id)
		}
		if then != nil {
			then(ids)
		}
	})
	require.NoError(r.t, err)
	return r.events
}

// one does one I/O.
func (r *rig) one(io aio.IO) aio.Event {
	r.t.Helper()
	if io.Buf != nil {
		io.Len = int64(len(io.Buf))
	}
	return r.do([]aio.IO{io}, nil)[0]
}
