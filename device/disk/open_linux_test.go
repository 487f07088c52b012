package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
)

func TestOpenSaysWhatIsNoDisk(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	for path, want := range map[string]string{
		dir: "directory", fifo: "pipe", "/dev/null": "character device", filepath.Join(dir, "none"): "no such file",
	} {
		_, err := Open(path, Options{})
		require.ErrorContains(t, err, want)
	}
}

func TestInfoOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, 1<<20))
	f, err := Open(path, Options{Buffered: true})
	require.NoError(t, err)
	defer f.Close()
	i := f.Info()
	require.Equal(t, RegularFile, i.Kind)
	require.EqualValues(t, 1<<20, i.Size)
	require.Equal(t, 512, i.OffsetAlign)
	require.Equal(t, 1, i.MemoryAlign)
	require.False(t, i.Discard, "it is open for reading")
	require.True(t, f.Aligned(make([]byte, 10)[3:]))
}

func TestInfoOfALoopDevice(t *testing.T) {
	l := loopdev.LoopFor(t, 4<<20, loopdev.Options{BlockSize: 4096})
	f, err := Open(l.Path(), Options{Write: true, Exclusive: true})
	require.NoError(t, err)
	defer f.Close()
	i := f.Info()
	require.Equal(t, BlockDevice, i.Kind)
	require.EqualValues(t, 4<<20, i.Size)
	require.Equal(t, 4096, i.LogicalBlock)
	require.Equal(t, 4096, i.OffsetAlign)
	require.Equal(t, l.Backing(), i.Backing)
	require.Equal(t, filepath.Base(l.Path()), i.Device)
	require.Positive(t, i.Requests)
	require.True(t, i.WriteZeroes)
	_, err = Open(l.Path(), Options{Exclusive: true})
	require.ErrorIs(t, err, unix.EBUSY, "it is claimed")
}

// A partition has the limits of its disk, and says which that is.
func TestInfoOfAPartition(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, 8<<20))
	table := make([]byte, 512)
	binary.LittleEndian.PutUint32(table[446+8:], 2048)  // the first sector
	binary.LittleEndian.PutUint32(table[446+12:], 4096) // how many
	table[446+4], table[510], table[511] = 0x83, 0x55, 0xaa
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(table, 0)
	require.NoError(t, errors.Join(err, f.Close()))
	l := loopdev.AttachFor(t, path, loopdev.Options{PartScan: true})
	name := filepath.Base(l.Path()) + "p1"
	dev, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(l.Path()), name, "dev"))
	if err != nil {
		t.Skip("the kernel reads no partition tables: ", err)
	}
	var major, minor uint32
	_, err = fmt.Sscanf(string(dev), "%d:%d", &major, &minor)
	require.NoError(t, err)
	part := filepath.Join(t.TempDir(), name) // not everywhere does somebody make the node
	require.NoError(t, unix.Mknod(part, unix.S_IFBLK|0o600, int(unix.Mkdev(major, minor))))
	d, err := Open(part, Options{})
	require.NoError(t, err)
	defer d.Close()
	i := d.Info()
	require.EqualValues(t, 4096*512, i.Size)
	require.Equal(t, name, i.Device)
	require.Equal(t, filepath.Base(l.Path()), i.Disk)
	require.Positive(t, i.Requests)
}

// What a file is asked when it is opened must not change it.
func TestOpenLeavesAFileAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, 1<<20))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := Open(path, Options{Write: true, Buffered: true})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestArenaGivesPagesAndTakesThemBack(t *testing.T) {
	a, err := newArena(64 << 10)
	require.NoError(t, err)
	defer func() { require.NoError(t, a.close()) }()
	b := a.Alloc(5000)
	require.Len(t, b, 5000)
	require.Zero(t, uintptr(unsafe.Pointer(&b[0]))%arenaPage)
	require.True(t, a.has(b))
	a.Free(b[:10])
	again := a.Alloc(8192)
	require.Same(t, &b[0], &again[0])
	beyond := a.Alloc(64 << 10)
	require.False(t, a.has(beyond))
	require.Len(t, beyond, 64<<10)
	require.Zero(t, uintptr(unsafe.Pointer(&beyond[0]))%arenaPage)
	a.Free(beyond)
	require.False(t, a.has(make([]byte, 8)))
	_, err = io.ReadFull(zeroReader{}, a.Alloc(0))
	require.NoError(t, err)
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) { return len(b), nil }
