package guard

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
)

const size = 8 << 20

// claim claims a path, and gives it up at once.
func claim(t *testing.T, path string, o Options) (*Claimed, error) {
	t.Helper()
	target, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	c, err := Claim(target, o)
	if err == nil {
		require.NoError(t, c.Close())
	}
	return c, err
}

// refused wants a refusal, with that in its reasons, that Overwrite does or does not
// override.
func refused(t *testing.T, path string, wanted bool, reason string) {
	t.Helper()
	_, err := claim(t, path, Options{})
	var r *Refusal
	require.ErrorAs(t, err, &r)
	require.Contains(t, strings.Join(r.Reasons, "; "), reason)
	require.Equal(t, wanted, r.Wanted)
	_, err = claim(t, path, Options{Overwrite: true})
	if wanted {
		require.NoError(t, err)
		return
	}
	require.ErrorAs(t, err, &r, "what is in use cannot be overridden")
	require.False(t, r.Wanted)
}

// sparse is a file of zeroes.
func sparse(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Sparse(path, size))
	return path
}

// format makes a file system.
func format(t *testing.T, path, fstype string) {
	t.Helper()
	err := loopdev.Format(path, fstype)
	if errors.Is(err, loopdev.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func TestAFreeFileOrDeviceIsClaimed(t *testing.T) {
	path := sparse(t)
	c, err := claim(t, path, Options{})
	require.NoError(t, err)
	require.EqualValues(t, size, c.Size)
	require.False(t, c.Block())
	l := loopdev.LoopFor(t, size, loopdev.Options{})
	c, err = claim(t, l.Path(), Options{})
	require.NoError(t, err)
	require.True(t, c.Block())
	require.EqualValues(t, size, c.Size)
}

// A claim leaves nothing in the page cache that would keep a write with O_DIRECT from
// going through at once.
func TestAClaimIsInNobodysWay(t *testing.T) {
	l := loopdev.LoopFor(t, size, loopdev.Options{})
	target, err := Resolve(l.Path())
	require.NoError(t, err)
	c, err := Claim(target, Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	fd, err := unix.Open(l.Path(), unix.O_WRONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(fd)
	block, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Munmap(block)) }()
	for _, off := range []int64{0, 4096, size - 4096} {
		_, err := unix.Pwritev2(fd, [][]byte{block}, off, unix.RWF_NOWAIT)
		if errors.Is(err, unix.EOPNOTSUPP) {
			t.Skip("skipped: a loop device takes no writes that may not wait")
		}
		require.NoError(t, err, "at %d", off)
	}
}

func TestWhatIsNoDiskIsNot(t *testing.T) {
	for path, want := range map[string]error{"/dev/null": ErrNotADisk, t.TempDir(): ErrNotADisk, "/dev/no-such-disk": fs.ErrNotExist, filepath.Join(t.TempDir(), "none"): fs.ErrNotExist} {
		_, err := claim(t, path, Options{})
		require.ErrorIs(t, err, want, path)
	}
	_, err := os.Lstat("/dev/no-such-disk")
	require.ErrorIs(t, err, fs.ErrNotExist, "nothing was created")
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	_, err = claim(t, fifo, Options{})
	require.ErrorIs(t, err, ErrNotADisk)
}

func TestASymbolicLinkLeadsToWhatIsRefused(t *testing.T) {
	l := loopdev.LoopFor(t, size, loopdev.Options{})
	format(t, l.Path(), "ext4")
	dir := t.TempDir()
	link := filepath.Join(dir, "b")
	require.NoError(t, os.Symlink(l.Path(), filepath.Join(dir, "a")))
	require.NoError(t, os.Symlink("a", link))
	refused(t, link, true, "ext4")
	target, err := Resolve(link)
	require.NoError(t, err)
	require.Equal(t, l.Path(), target.Real)
}

// TestAnotherNodeOfADeviceIsTheSameDevice: names say nothing.
func TestAnotherNodeOfADeviceIsTheSameDevice(t *testing.T) {
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	loopdev.MountFor(t, l.Path(), "ext4")
	info, err := os.Stat(l.Path())
	require.NoError(t, err)
	dev := deviceOf(info)
	node := filepath.Join("/dev/shm", filepath.Base(t.TempDir())+"-guard-test")
	if err := unix.Mknod(node, unix.S_IFBLK|0o600, int(unix.Mkdev(dev.Major, dev.Minor))); err != nil {
		t.Skip("no device nodes here: ", err)
	}
	defer os.Remove(node)
	refused(t, node, false, "mounted on")
}

func TestSignaturesAreRefusedUnlessOverridden(t *testing.T) {
	l := loopdev.LoopFor(t, size, loopdev.Options{})
	format(t, l.Path(), "ext4")
	refused(t, l.Path(), true, "file system: ext2/3/4 (ext4), magic at byte 1080")
	path := sparse(t)
	format(t, path, "ext2")
	refused(t, path, true, "ext2")
}

func TestWhatIsMountedIsRefused(t *testing.T) {
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	m := loopdev.MountFor(t, l.Path(), "ext4")
	refused(t, l.Path(), false, "mounted on "+m.Dir()+" (ext4)")
	refused(t, l.Backing(), false, "behind "+filepath.Base(l.Path())+", which is mounted on "+m.Dir())
}

func TestWhatIsBehindALoopDeviceIsRefused(t *testing.T) {
	l := loopdev.LoopFor(t, size, loopdev.Options{})
	refused(t, l.Backing(), false, "behind "+filepath.Base(l.Path()))
	top := loopdev.AttachFor(t, l.Path(), loopdev.Options{})
	refused(t, l.Path(), false, "behind "+filepath.Base(top.Path()))
	refused(t, l.Backing(), false, "behind "+filepath.Base(l.Path())+", which is behind "+filepath.Base(top.Path()))
}

// mbr is a table of one partition, of 4 MiB from 1 MiB on.
func mbr() []byte {
	b := make([]byte, 512)
	copy(b[446:], "\x00\x00\x00\x00\x83\x00\x00\x00\x00\x08\x00\x00\x00\x20\x00\x00")
	copy(b[510:], "\x55\xaa")
	return b
}

// addPartition has the kernel see that partition, also one that reads no tables:
// BLKPG_ADD_PARTITION, Linux, include/uapi/linux/blkpg.h.
func addPartition(t *testing.T, device string) (path string) {
	t.Helper()
	path = device + "p1"
	if _, err := os.Stat(path); err == nil {
		return path
	}
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	part := struct {
		start, length int64
		number        int32
		names         [128]byte
	}{start: 1 << 20, length: 4 << 20, number: 1}
	arg := struct {
		op, flags, size int32
		data            unsafe.Pointer
	}{1, 0, int32(unsafe.Sizeof(part)), unsafe.Pointer(&part)}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.BLKPG, uintptr(unsafe.Pointer(&arg))); errno != 0 {
		t.Skip("no partitions here: ", errno)
	}
	t.Cleanup(func() {
		arg.op = 2 // BLKPG_DEL_PARTITION
		f, err := os.OpenFile(device, os.O_RDWR, 0)
		require.NoError(t, err)
		defer f.Close()
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.BLKPG, uintptr(unsafe.Pointer(&arg)))
		require.Zero(t, errno)
	})
	require.Eventually(t, func() bool { _, err := os.Stat(path); return err == nil }, 5*time.Second, 10*time.Millisecond)
	return path
}

func TestPartitionsAreRefused(t *testing.T) {
	path := sparse(t)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(mbr(), 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	refused(t, path, true, "partition table: MBR (1 partition)")
	l := loopdev.AttachFor(t, path, loopdev.Options{PartScan: true})
	part := addPartition(t, l.Path())
	refused(t, l.Path(), true, "partition "+filepath.Base(part))
	_, err = claim(t, part, Options{})
	require.NoError(t, err, "an empty partition is free")
	m := loopdev.MountFor(t, part, "ext4")
	refused(t, l.Path(), false, "its partition "+filepath.Base(part)+" is mounted on "+m.Dir())
	refused(t, part, false, "mounted on "+m.Dir())
}

func TestActiveSwapIsRefused(t *testing.T) {
	l := loopdev.LoopFor(t, size, loopdev.Options{})
	mkswap, err := exec.LookPath("mkswap")
	if err != nil {
		t.Skip("mkswap is not installed")
	}
	out, err := exec.Command(mkswap, l.Path()).CombinedOutput()
	require.NoError(t, err, "%s", out)
	refused(t, l.Path(), true, "swap area")
	swapon, err := exec.LookPath("swapon")
	if err != nil {
		t.Skip("swapon is not installed")
	}
	if out, err := exec.Command(swapon, "--priority=0", l.Path()).CombinedOutput(); err != nil {
		t.Skipf("no swap may be added here: %s", out)
	}
	defer func() {
		out, err := exec.Command("swapoff", l.Path()).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}()
	refused(t, l.Path(), false, "active swap")
}

func TestWhoHoldsADeviceKeepsOthersOut(t *testing.T) {
	l := loopdev.LoopFor(t, size, loopdev.Options{})
	target, err := Resolve(l.Path())
	require.NoError(t, err)
	c, err := Claim(target, Options{})
	require.NoError(t, err)
	refused(t, l.Path(), false, "another program has it open exclusively")
	// Reading, which harms nobody, goes on; mounting does not.
	f, err := os.Open(l.Path())
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.ErrorIs(t, unix.Mount(l.Path(), t.TempDir(), "ext4", 0, ""), unix.EBUSY)
	require.NoError(t, c.Close())
	_, err = claim(t, l.Path(), Options{})
	require.NoError(t, err, "closed is free")
}

func TestWhoHasAFileOpenForWritingKeepsOthersOut(t *testing.T) {
	path := sparse(t)
	other, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	refused(t, path, false, "another program has it open")
	require.NoError(t, unix.Flock(int(other.Fd()), unix.LOCK_SH))
	refused(t, path, false, "flock")
	require.NoError(t, other.Close())
	_, err = claim(t, path, Options{})
	require.NoError(t, err)
}

func TestWhatIsReadOnlyIsRefused(t *testing.T) {
	l := loopdev.LoopFor(t, size, loopdev.Options{ReadOnly: true})
	_, err := claim(t, l.Path(), Options{})
	require.ErrorContains(t, err, "read-only")
	if os.Geteuid() == 0 {
		return // root may write to any file
	}
	path := sparse(t)
	require.NoError(t, os.Chmod(path, 0o400))
	_, err = claim(t, path, Options{})
	require.ErrorIs(t, err, fs.ErrPermission)
}

// TestWhatChangedMeanwhileIsNotOpened: between looking and opening somebody puts
// another file, or a symbolic link, in its place.
func TestWhatChangedMeanwhileIsNotOpened(t *testing.T) {
	path := sparse(t)
	target, err := Resolve(path)
	require.NoError(t, err)
	require.NoError(t, os.Rename(path, path+".old"))
	require.NoError(t, loopdev.Sparse(path, size))
	_, err = Claim(target, Options{})
	require.ErrorContains(t, err, "something else than a moment ago")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink(path+".old", path))
	_, err = Claim(target, Options{})
	require.ErrorIs(t, err, unix.ELOOP)
}

func TestAFileIsCreatedOnlyWhereThereIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new")
	require.NoError(t, Create(path, 3<<20))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 3<<20, info.Size())
	require.GreaterOrEqual(t, info.Sys().(*syscall.Stat_t).Blocks*512, int64(3<<20), "no holes")
	require.ErrorIs(t, Create(path, 3<<20), fs.ErrExist)
	for _, below := range []string{"/dev/sdz", "/dev/shm/../sdz", "/proc/sdz"} {
		require.ErrorContains(t, Create(below, 4096), "no file is created below")
	}
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink("/dev", link))
	require.ErrorContains(t, Create(filepath.Join(link, "sdz"), 4096), "no file is created below /dev")
	require.ErrorContains(t, Create(path+"2", 1000), "want a multiple of 4096")
	require.Error(t, Create(path+"3", 1<<60), "no room")
	_, err = os.Stat(path + "3")
	require.ErrorIs(t, err, fs.ErrNotExist, "nothing is left of what failed")
	c, err := claim(t, path, Options{})
	require.NoError(t, err)
	require.Empty(t, c.Found)
}
