package disk

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/device/disk"
	"blksim/driver"
	"blksim/internal/loopdev"
	"blksim/sim"
)

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		path := tempFile(t, 1<<20)
		r := newRig(t, path, o, blk.Options{})
		kind, why := r.drv.Engine()
		require.Equal(t, o.Engine.Kind, kind)
		t.Log(why, r.drv.Info())
		data := r.drv.Alloc(64 << 10)
		for i := range data {
			data[i] = byte(i * 7)
		}
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpWrite, Off: 128 << 10, Buf: data}).Status)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpFlush}).Status)
		back := r.drv.Alloc(64 << 10)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpRead, Off: 128 << 10, Buf: back}).Status)
		require.True(t, bytes.Equal(data, back))
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, whole[128<<10:192<<10]), "as another reader has it")
	})
}

func TestBuffersAtAnyAddressAreCopied(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		r := newRig(t, tempFile(t, 1<<20), o, blk.Options{})
		data := bytes.Repeat([]byte("abcdefg"), 1200)[:8192+1]
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpWrite, Off: 4096, Buf: data[1:]}).Status)
		back := make([]byte, 8192+1)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpRead, Off: 4096, Buf: back[1:]}).Status)
		require.Equal(t, data[1:], back[1:])
		require.EqualValues(t, 2, r.drv.Stats().Bounced)
	})
}

// The file was cut while it was open: what was there is read, the rest is an error.
func TestReadBeyondWhatIsThere(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		path := tempFile(t, 1<<20)
		r := newRig(t, path, o, blk.Options{})
		require.NoError(t, os.Truncate(path, 8192+512))
		ev := r.one(aio.IO{Op: aio.OpRead, Off: 4096, Buf: r.drv.Alloc(16384)})
		require.Equal(t, aio.IOError, ev.Status)
		require.EqualValues(t, 4096+512, ev.N, "what was there")
		require.EqualValues(t, 2, r.drv.Stats().Short)
		require.Equal(t, aio.OutOfRange, r.one(aio.IO{Op: aio.OpRead, Off: 1 << 20, Buf: r.drv.Alloc(512)}).Status)
	})
}

func TestErrnosOfTheDeviceAreCounted(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
		r := newRig(t, l.Path(), o, blk.Options{})
		require.NoError(t, os.Truncate(l.Backing(), 512<<10))
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpRead, Buf: r.drv.Alloc(4096)}).Status)
		require.Equal(t, aio.IOError, r.one(aio.IO{Op: aio.OpRead, Off: 768 << 10, Buf: r.drv.Alloc(4096)}).Status)
		require.Equal(t, []ErrnoCount{{syscall.EIO, 1}}, r.drv.Stats().Errnos)
	})
}

func TestNoSpaceBehindASparseFile(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		m := loopdev.MountFor(t, loopdev.LoopFor(t, 8<<20, loopdev.Options{}).Path(), "ext4")
		path := filepath.Join(m.Dir(), "disk")
		require.NoError(t, loopdev.Sparse(path, 32<<20))
		d := openDisk(t, path, o)
		require.NoError(t, d.Close())
		t.Run("", func(t *testing.T) { // it must be closed before the mount
			r := newRig(t, path, o, blk.Options{})
			failed := 0
			for off := int64(0); off < 16<<20; off += 1 << 20 {
				if ev := r.one(aio.IO{Op: aio.OpWrite, Off: off, Buf: r.drv.Alloc(1 << 20)}); ev.Status != aio.OK {
					require.Equal(t, aio.IOError, ev.Status)
					failed++
				}
			}
			require.NotZero(t, failed)
			errnos := r.drv.Stats().Errnos
			require.Len(t, errnos, 1)
			require.Equal(t, syscall.ENOSPC, errnos[0].Errno)
		})
	})
}

// Whoever runs over a block device may have claimed it by another descriptor.
func TestEveryOperationBesideAClaim(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
		claim, err := os.OpenFile(l.Path(), os.O_RDWR|syscall.O_EXCL, 0)
		require.NoError(t, err)
		defer claim.Close()
		r := newRig(t, l.Path(), o, blk.Options{})
		data := append(r.drv.Alloc(4096)[:0], bytes.Repeat([]byte{7}, 4096)...)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpWrite, Off: 8192, Buf: data}).Status)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpFlush}).Status)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpDiscard, Off: 8192, Len: 4096}).Status)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpWriteZeroes, Off: 8192, Len: 4096}).Status)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpRead, Off: 8192, Buf: data}).Status)
		require.Equal(t, make([]byte, 4096), data)
	})
}

func TestDisksOfALaneShareAnEngine(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			engines, err := disk.NewEngines(disk.EngineOptions{Kind: kind})
			require.NoError(t, err)
			group := lane.NewReal(1)
			defer group.Close()
			var disks []*Disk
			for range 3 {
				d := openDisk(t, tempFile(t, 1<<20), Options{Engines: engines})
				_, err := d.OpenQueue(group.Lane(0), 0, 4)
				missing(t, err)
				disks = append(disks, d)
			}
			require.Same(t, disks[0].queues[0].engine, disks[2].queues[0].engine)
			require.ErrorContains(t, engines.Close(), "still have files open")
			other := openDisk(t, tempFile(t, 1<<20), Options{Engine: disk.EngineOptions{Kind: kind}})
			_, err = other.OpenQueue(group.Lane(0), 0, 4)
			require.ErrorContains(t, err, "lane 0 has an engine already")
			require.NoError(t, other.Close())
			for _, d := range disks {
				require.NoError(t, d.Close())
			}
			require.NoError(t, engines.Close())
		})
	}
}

func TestADiskNeedsLanesInRealTime(t *testing.T) {
	o := Options{}
	o.Buffered = true
	d := openDisk(t, tempFile(t, 1<<20), o)
	_, err := d.OpenQueue(sim.NewWorld(1, 1).Lane(0), 0, 1)
	require.ErrorIs(t, err, disk.ErrNotSupported)
	require.NoError(t, d.Close())
}

func TestWhatIsOpenForReadingTakesNoWrites(t *testing.T) {
	o := Options{}
	o.Buffered = true
	path := tempFile(t, 1<<20)
	r := newRig(t, path, o, blk.Options{})
	require.Equal(t, driver.Ops(aio.OpRead), r.drv.Limits().Ops)
	require.Equal(t, aio.NotSupported, r.one(aio.IO{Op: aio.OpWrite, Buf: r.drv.Alloc(4096)}).Status)
}

func TestTooSmallADisk(t *testing.T) {
	o := Options{}
	o.Buffered = true
	_, err := Open(tempFile(t, 100), o)
	require.ErrorContains(t, err, "100 bytes: want at least a block of 512")
}

func TestStatusOfErrnos(t *testing.T) {
	for errno, want := range map[syscall.Errno]aio.Status{
		syscall.EIO: aio.IOError, syscall.ENOSPC: aio.IOError, syscall.EREMOTEIO: aio.IOError, syscall.ENODEV: aio.Gone, syscall.ENXIO: aio.Gone,
		syscall.ENODATA: aio.MediaError, syscall.EILSEQ: aio.MediaError, syscall.ETIMEDOUT: aio.TimedOut, syscall.EINVAL: aio.Invalid,
		syscall.EOPNOTSUPP: aio.NotSupported, syscall.ECANCELED: aio.Cancelled, syscall.ENOMEDIUM: aio.Gone, syscall.ENOSYS: aio.NotSupported,
		syscall.ESHUTDOWN: aio.Gone, syscall.EBADF: aio.Gone,
	} {
		require.Equal(t, want, statusOf(errno), errno)
	}
}

// The path of an I/O through the driver and the engine allocates nothing; what aio and
// blk do on it have tests of their own.
func TestNothingIsAllocatedForARequest(t *testing.T) {
	for _, kind := range kinds[:2] {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, tempFile(t, 1<<20), Options{Engine: disk.EngineOptions{Kind: kind}}, blk.Options{})
			ios := make([]aio.IO, 32)
			for i := range ios {
				ios[i] = aio.IO{Op: aio.OpRead, Off: int64(i) * 8192, Len: 4096, Buf: r.drv.Alloc(4096)}
			}
			var left int
			var finished func()
			r.again = func(n int) {
				if left -= n; left > 0 && left%len(ios) == 0 {
					_, _ = r.ctx.SubmitBatch(r.group.Lane(0), r.blk, ios, nil)
				} else if left == 0 {
					finished()
				}
			}
			run := func(rounds int) {
				require.NoError(t, r.group.Do(0, func(done func()) {
					finished, left = done, rounds*len(ios)
					_, err := r.ctx.SubmitBatch(r.group.Lane(0), r.blk, ios, nil)
					require.NoError(t, err)
				}))
			}
			run(20)
			some := testing.AllocsPerRun(5, func() { run(100) })
			require.Less(t, some, 100.0, "for 3200 I/Os: those of Do and of timers")
		})
	}
}
