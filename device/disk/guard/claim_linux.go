package guard

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"blksim/device/disk/signature"
	"blksim/device/disk/sysfs"
)

// Claim takes a target for writing, or says why it must not be written to: a
// *[Refusal], or what the kernel answered. Nothing is written. From outside all
// lanes, since it reads the disk.
func Claim(t *Target, o Options) (*Claimed, error) {
	s, err := Read()
	if err != nil {
		return nil, err
	}
	if reasons := s.Users(t); len(reasons) > 0 {
		return nil, &Refusal{Path: t.Path, Reasons: reasons}
	}
	f, err := t.openExclusive()
	if err != nil {
		return nil, err
	}
	c := &Claimed{Target: *t, File: f}
	if err := c.inspect(o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return c, nil
}

// Read reads who uses which device. Any goroutine.
func Read() (*System, error) { return readSystem("/", kernel{}) }

// kernel looks at the paths of this machine.
type kernel struct{}

func (kernel) device(path string) (sysfs.Dev, bool) {
	if path == "" || path[0] != '/' {
		return sysfs.Dev{}, false // no path, as the source of a proc or of a pool
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeDevice == 0 || info.Mode()&os.ModeCharDevice != 0 {
		return sysfs.Dev{}, false
	}
	return deviceOf(info), true
}

func (kernel) same(path string, f os.FileInfo) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f)
}

// openExclusive opens the target so that others are kept out.
func (t *Target) openExclusive() (*os.File, error) {
	flags := unix.O_RDWR | unix.O_NOFOLLOW // Real has no symbolic link, unless somebody has just put one there
	if t.Block() {
		// Without O_CREAT, O_EXCL on a block device means: nobody else so, no mount,
		// no swap, no holder. See open(2) and blkdev_get_by_dev in Linux.
		flags |= unix.O_EXCL
	}
	f, err := os.OpenFile(t.Real, flags, 0)
	// The claim of a program that has just ended may be there a little longer than it:
	// the kernel's workers let go of its last I/Os.
	for range 50 {
		if !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(5 * time.Millisecond)
		f, err = os.OpenFile(t.Real, flags, 0)
	}
	switch {
	case errors.Is(err, unix.EBUSY):
		return nil, &Refusal{Path: t.Path, Reasons: []string{"another program has it open exclusively, or it is mounted where this process cannot see"}}
	case errors.Is(err, unix.EROFS):
		return nil, &Refusal{Path: t.Path, Reasons: []string{"it is read-only"}}
	case err != nil:
		return nil, err
	}
	if err := t.alone(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// alone checks that what was opened is what was looked at, and keeps others out of a
// file as far as files have that.
func (t *Target) alone(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(info, t.Info) || t.Block() && deviceOf(info) != t.Node.Dev {
		return fmt.Errorf("%s: something else than a moment ago", t.Path)
	}
	if t.Block() {
		ro, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKROGET)
		if err == nil && ro != 0 {
			return &Refusal{Path: t.Path, Reasons: []string{"the device is read-only"}}
		}
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return &Refusal{Path: t.Path, Reasons: []string{"another program has a lock on it (flock)"}}
	}
	// A lease for writing is given only where nobody else has the file open for
	// writing (fcntl(2), F_SETLEASE), as the program of a virtual machine would. It
	// is given back at once: what it would do to others is not wanted. File systems
	// without leases say so by other errors.
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); errors.Is(err, unix.EAGAIN) {
		return &Refusal{Path: t.Path, Reasons: []string{"another program has it open"}}
	} else if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
		return err
	}
	return nil
}

// inspect looks for what is on the target.
func (c *Claimed) inspect(o Options) error {
	found, err := signature.Probe(c.File, c.Size)
	if err != nil {
		return fmt.Errorf("%s: what is on it cannot be told, so it is not written to: %w", c.Path, err)
	}
	c.Found = found
	// What was looked at is in the page cache now. The kernel takes it out before a
	// write with O_DIRECT, for which io_uring hands the write to another thread: late,
	// and behind those that come after it.
	if err := unix.Fadvise(int(c.File.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("%s: fadvise: %w", c.Path, err)
	}
	var reasons []string
	for _, f := range found {
		reasons = append(reasons, f.String())
	}
	if c.Block() {
		for _, p := range c.Node.Parts {
			c.Parts = append(c.Parts, p.Name)
			reasons = append(reasons, "partition "+p.Name)
		}
	}
	if len(reasons) > 0 && !o.Overwrite {
		return &Refusal{Path: c.Path, Reasons: reasons, Wanted: true}
	}
	return nil
}
