package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/ncw/directio"
	"golang.org/x/sys/unix"

	"blksim/device/disk/sysfs"
)

// ask fills in the info of an open file.
func (f *File) ask() error {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return fmt.Errorf("fstat: %w", err)
	}
	i := &f.info
	dev := st.Dev
	i.Size, i.WriteCache = st.Size, true
	i.LogicalBlock, i.PhysicalBlock = 512, 512
	i.OffsetAlign, i.MemoryAlign = 512, 1
	if st.Mode&unix.S_IFMT == unix.S_IFBLK {
		i.Kind, dev = BlockDevice, st.Rdev
	}
	i.Major, i.Minor = unix.Major(dev), unix.Minor(dev)
	i.askSysfs(fmt.Sprintf("/sys/dev/block/%d:%d", i.Major, i.Minor))
	if i.Kind == BlockDevice {
		if err := f.askDevice(); err != nil {
			return err
		}
	} else if err := f.askFile(); err != nil {
		return err
	}
	if i.Direct {
		f.askAlignment()
		i.NoWait = f.tryNoWait()
	}
	return nil
}

// askDevice asks the device itself for its size and blocks.
func (f *File) askDevice() error {
	i := &f.info
	size := uint64(0)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(f.fd), unix.BLKGETSIZE64, uintptr(unsafe.Pointer(&size))); errno != 0 {
		return fmt.Errorf("BLKGETSIZE64: %w", errno)
	}
	i.Size = int64(size)
	for _, q := range []struct {
		name string
		req  uint
		to   *int
	}{{"BLKSSZGET", unix.BLKSSZGET, &i.LogicalBlock}, {"BLKPBSZGET", unix.BLKPBSZGET, &i.PhysicalBlock}} {
		n, err := unix.IoctlGetUint32(f.fd, q.req)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		*q.to = int(n)
	}
	i.OffsetAlign = max(512, i.LogicalBlock)
	i.Discard, i.WriteZeroes = i.MaxDiscard > 0, true // the kernel writes zeroes if it must
	return nil
}

// answerLimit is how long a file system has to say what it can do. One that is frozen
// (fsfreeze, a snapshot under way) holds up whoever asks until it is thawed.
const answerLimit = 10 * time.Second

// askFile finds out what the file system can do: it is asked to make holes behind the
// file's end, which changes nothing. Where it does not answer, the thread that asked is
// left in the kernel, and the file stays open for as long.
func (f *File) askFile() error {
	i := &f.info
	if !i.Write {
		return nil
	}
	const keep, block = unix.FALLOC_FL_KEEP_SIZE, 1 << 20
	end := (i.Size + block - 1) / block * block
	raw, err := f.file.SyscallConn() // keeps the descriptor, also when the file is closed meanwhile
	if err != nil {
		return err
	}
	answer := make(chan bool, 1)
	go func() {
		can := false
		err := raw.Control(func(fd uintptr) {
			can = unix.Fallocate(int(fd), keep|unix.FALLOC_FL_PUNCH_HOLE, end, block) == nil
		})
		answer <- can && err == nil
	}()
	select {
	case i.Discard = <-answer:
		i.WriteZeroes = i.Discard // a hole reads as zeroes
		return nil
	case <-time.After(answerLimit):
		return fmt.Errorf("its file system has not answered for %s: is it frozen (fsfreeze)?", answerLimit)
	}
}

// askAlignment asks how O_DIRECT wants offsets and buffers (Linux 6.1; for a block
// device 6.11), and takes blocks of the device where nobody knows.
func (f *File) askAlignment() {
	i := &f.info
	i.OffsetAlign, i.MemoryAlign = max(512, i.LogicalBlock), max(512, i.LogicalBlock)
	var stx unix.Statx_t
	if unix.Statx(f.fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &stx) != nil || stx.Mask&unix.STATX_DIOALIGN == 0 || stx.Dio_offset_align == 0 {
		return
	}
	i.OffsetAlign, i.MemoryAlign = max(512, int(stx.Dio_offset_align)), int(stx.Dio_mem_align)
}

// tryNoWait reads the first block with RWF_NOWAIT, which a device without that
// ability refuses. The first read brings in what the file system needs for it.
func (f *File) tryNoWait() bool {
	block := directio.AlignedBlock(max(f.info.OffsetAlign, f.info.MemoryAlign))
	if f.info.Size < int64(len(block)) {
		return true
	}
	if _, err := unix.Pread(f.fd, block, 0); err != nil {
		return true // whatever it is, it will be met again
	}
	for range 8 {
		_, err := unix.Preadv2(f.fd, [][]byte{block}, 0, unix.RWF_NOWAIT)
		if err != unix.EAGAIN {
			return err != unix.EOPNOTSUPP
		}
	}
	return false
}

// askSysfs reads what the kernel's block layer tells of a device.
func (i *Info) askSysfs(dir string) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return // a file system without a device of its own
	}
	i.Device, i.Disk = filepath.Base(real), filepath.Base(real)
	if _, err := os.Stat(filepath.Join(real, "partition")); err == nil {
		real = filepath.Dir(real)
		i.Disk = filepath.Base(real)
	}
	text := func(name string) string {
		b, err := os.ReadFile(filepath.Join(real, name))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	number := func(name string) int64 {
		n, err := strconv.ParseInt(text("queue/"+name), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	id := sysfs.IdentityAt(real)
	i.Model, i.Serial, i.Scheduler, i.Rotational, i.Requests = id.Model, id.Serial, id.Scheduler, id.Rotational, id.Requests
	i.LogicalBlock = max(512, id.LogicalBlock)
	i.PhysicalBlock = max(i.LogicalBlock, id.PhysicalBlock)
	i.Backing = text("loop/backing_file")
	i.FUA, i.Poll = number("fua") == 1, number("io_poll") == 1
	i.WriteCache = text("queue/write_cache") != "write through"
	i.MaxSegments = int(number("max_segments"))
	i.MaxTransfer = number("max_sectors_kb") << 10
	i.MaxDiscard, i.MaxWriteZeroes = number("discard_max_bytes"), number("write_zeroes_max_bytes")
}
