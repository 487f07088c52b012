package ebpf

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
	"blksim/internal/uring"
	"blksim/traces"
)

// iocb and ioEvent are those of uapi/linux/aio_abi.h.
type iocb struct {
	data   uint64
	_, _   uint32
	_      uint16 // IOCB_CMD_PREAD is 0
	_      int16
	fd     uint32
	buf    uint64
	bytes  uint64
	offset int64
	_, _   uint64
}

type ioEvent struct{ data, obj, res, res2 uint64 }

// aioReads reads so many blocks of a file by Linux AIO, with ids from first on.
func aioReads(t *testing.T, f *os.File, buf []byte, first uint64, n int) {
	t.Helper()
	var ctx uintptr
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, uintptr(n), uintptr(unsafe.Pointer(&ctx)), 0); errno != 0 {
		t.Skipf("no Linux AIO: %v", errno)
	}
	defer unix.Syscall(unix.SYS_IO_DESTROY, ctx, 0, 0)
	blocks := make([]iocb, n)
	list := make([]*iocb, n)
	for i := range blocks {
		blocks[i] = iocb{data: first + uint64(i), fd: uint32(f.Fd()), buf: uint64(uintptr(unsafe.Pointer(&buf[i<<12]))), bytes: 4096, offset: int64(i) << 13}
		list[i] = &blocks[i]
	}
	got, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, ctx, uintptr(n), uintptr(unsafe.Pointer(&list[0])))
	require.Zero(t, errno)
	require.EqualValues(t, n, got)
	events := make([]ioEvent, n)
	for errno = unix.EINTR; errno == unix.EINTR; { // the Go scheduler's signals
		got, _, errno = unix.Syscall6(unix.SYS_IO_GETEVENTS, ctx, uintptr(n), uintptr(n), uintptr(unsafe.Pointer(&events[0])), 0, 0)
	}
	require.Zero(t, errno)
	require.EqualValues(t, n, got)
	for _, e := range events {
		require.EqualValues(t, 4096, e.res)
	}
}

// uringReads does the same by io_uring.
func uringReads(t *testing.T, f *os.File, buf []byte, first uint64, n int) {
	t.Helper()
	runtime.LockOSThread() // which the ring belongs to: another could not take the files back
	defer runtime.UnlockOSThread()
	r, err := uring.New(uring.Options{})
	if err != nil {
		t.Skipf("no io_uring: %v", err)
	}
	defer r.Close()
	require.NoError(t, r.RegisterFiles([]int32{int32(f.Fd())}))
	require.NoError(t, r.RegisterBuffers([][]byte{buf}))
	for i := range n {
		e := r.Next()
		e.Opcode, e.Flags, e.UserData = uring.OpReadFixed, uring.FixedFile, first+uint64(i)
		e.Addr, e.Len, e.Off = uint64(uintptr(unsafe.Pointer(&buf[i<<12]))), 4096, uint64(i)<<13
	}
	require.NoError(t, r.Wait(n))
	c := make([]uring.CQE, n)
	require.Equal(t, n, r.Reap(c))
	for _, one := range c {
		require.EqualValues(t, 4096, one.Res)
	}
}

// TestApplicationsOwnIDsAreFound on a block device and through a file system, by both
// interfaces; read(2) has none.
func TestApplicationsOwnIDsAreFound(t *testing.T) {
	l := loopdev.LoopFor(t, 32<<20, loopdev.Options{})
	m := loopdev.MountFor(t, l.Path(), "ext4")
	image := filepath.Join(m.Dir(), "data")
	require.NoError(t, loopdev.Filled(image, 1<<20))
	d := device(t, l.Path())
	const n = 16
	for name, path := range map[string]string{"block device": l.Path(), "ext4": image} {
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
		require.NoError(t, err)
		defer f.Close()
		buf, err := unix.Mmap(-1, 0, n<<12, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		require.NoError(t, err)
		t.Cleanup(func() { unix.Munmap(buf) })
		for kind, read := range map[AppKind]func(t *testing.T, f *os.File, buf []byte, first uint64, n int){AIO: aioReads, IOUring: uringReads} {
			t.Run(name+", "+kind.String(), func(t *testing.T) {
				each(t, func(t *testing.T, open func(Options) *Tracer) {
					o := own(d)
					o.AppIDs, o.Ops = true, []traces.Op{traces.Read}
					tr := open(o)
					if tr.programs.noApps != nil {
						t.Skip(tr.programs.noApps)
					}
					const first = 0xfeed_0000_0001
					_, err := f.ReadAt(buf[:4096], 64<<10)
					require.NoError(t, err)
					read(t, f, buf, first, n)
					evs, c := drain(t, tr)
					sawAll(t, c)
					ids := map[uint64]bool{}
					for _, e := range evs {
						if e.AppKind == NoApp {
							require.Zero(t, e.App)
							continue
						}
						require.Equal(t, kind, e.AppKind)
						ids[e.App] = true
						if path == l.Path() { // there the place is known
							require.EqualValues(t, e.App-first, e.Sector>>4)
						}
					}
					require.Len(t, ids, n)
					require.Greater(t, len(evs), n)
					for i := range uint64(n) {
						require.True(t, ids[first+i], "id %x", first+i)
					}
				})
			})
		}
	}
}
