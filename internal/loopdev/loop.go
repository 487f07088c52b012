package loopdev

import (
	"errors"
	"fmt"
	"os"
)

// ErrUnavailable says that this machine or this user cannot have such a device.
var ErrUnavailable = errors.New("not available here")

// unavailable is an error that wraps ErrUnavailable.
func unavailable(format string, args ...any) error {
	return fmt.Errorf("loopdev: "+format+": %w", append(args, ErrUnavailable)...)
}

// Options describe a loop device. The zero value has blocks of 512 bytes and goes
// around the page cache of the backing file.
type Options struct {
	BlockSize int  // logical, in bytes: a power of two from 512 to 4096; 0: 512
	ReadOnly  bool // the device takes no writes
	Buffered  bool // the backing file is read and written through the page cache
	PartScan  bool // partitions become devices of their own: /dev/loopNp1
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	switch o.BlockSize {
	case 0, 512, 1024, 2048, 4096:
		return nil
	}
	return fmt.Errorf("loopdev: block size %d: want 512, 1024, 2048 or 4096", o.BlockSize)
}

// A Loop is a loop device that Attach has made.
type Loop struct {
	path    string
	backing string
	file    *os.File // keeps the device
}

// Path is the device's node, as /dev/loop7.
func (l *Loop) Path() string { return l.path }

// Backing is the path of the file behind the device.
func (l *Loop) Backing() string { return l.backing }

// A Zram is a compressed disk in memory that AddZram has made.
type Zram struct {
	path   string
	number int
}

// Path is the device's node, as /dev/zram1.
func (z *Zram) Path() string { return z.path }

// A Mount is a file system that MountAt has mounted.
type Mount struct{ dir string }

// Dir is where it is mounted.
func (m *Mount) Dir() string { return m.dir }

// Limits are how fast a device may be, for this process and all others of its
// control group. 0: no limit.
type Limits struct {
	ReadIOPS, WriteIOPS int
	ReadBPS, WriteBPS   int64 // bytes a second
}

// Sparse makes a file of size bytes that occupies no space, or fails if there is
// one at path.
func Sparse(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

// Filled is Sparse with every block written, by its number and zeros: reads of a hole
// do not reach the disk below.
func Filled(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	const chunk = 1 << 20
	data := make([]byte, chunk)
	for off := int64(0); off < size && err == nil; off += chunk {
		for i := 0; i < chunk; i += 512 {
			copy(data[i:], fmt.Sprintf("%016x", (off+int64(i))/512))
		}
		_, err = f.WriteAt(data[:min(chunk, size-off)], off)
	}
	return errors.Join(err, f.Sync(), f.Close())
}
