package disk

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"github.com/ncw/directio"
	"golang.org/x/sys/unix"
)

// A File is an open disk. Its methods may be called from anywhere.
type File struct {
	file *os.File
	fd   int
	info Info
}

// letGo is how long a claim that was given up may still be there: the last I/O of Linux
// AIO lets go of its file by a worker of the kernel's, after the file was closed.
const letGo = 250 * time.Millisecond

// Open opens a file or block device that exists. The error wraps that of the
// operating system: EBUSY for a device that is in use, EINVAL for a file system
// without O_DIRECT.
func Open(path string, o Options) (*File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	switch mode := st.Mode(); {
	case mode.IsRegular():
	case mode&os.ModeDevice != 0 && mode&os.ModeCharDevice == 0:
	default: // opening a pipe would wait for a writer
		return nil, fmt.Errorf("disk: %s is a %s: want a regular file or a block device", path, kindOf(mode))
	}
	flags := os.O_RDONLY
	if o.Write {
		flags = os.O_RDWR
	}
	if o.Exclusive && !st.Mode().IsRegular() {
		flags |= os.O_EXCL // without O_CREATE: of block devices, the kernel's claim
	}
	open := directio.OpenFile
	if o.Buffered {
		open = os.OpenFile
	}
	try := func() (*os.File, error) {
		file, err := open(path, flags|unix.O_NOATIME, 0)
		if errors.Is(err, unix.EPERM) { // O_NOATIME is for the owner
			file, err = open(path, flags, 0)
		}
		return file, err
	}
	file, err := try()
	for waited := time.Duration(0); o.Exclusive && errors.Is(err, unix.EBUSY) && waited < letGo; waited += letGo / 50 {
		time.Sleep(letGo / 50)
		file, err = try()
	}
	switch {
	case errors.Is(err, unix.EINVAL) && !o.Buffered:
		return nil, fmt.Errorf("disk: %w: its file system has no O_DIRECT", err)
	case err != nil:
		return nil, fmt.Errorf("disk: %w", err)
	}
	f := &File{file: file, fd: int(file.Fd()), info: Info{Path: path, Direct: !o.Buffered, Write: o.Write}}
	if err := f.ask(); err != nil {
		return nil, errors.Join(fmt.Errorf("disk: %s: %w", path, err), file.Close())
	}
	return f, nil
}

func kindOf(m os.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&os.ModeNamedPipe != 0:
		return "pipe"
	case m&os.ModeSocket != 0:
		return "socket"
	case m&os.ModeCharDevice != 0:
		return "character device"
	}
	return "special file"
}

// Info is what the kernel said of the disk when it was opened.
func (f *File) Info() Info { return f.info }

// Fd is the file's descriptor, good until Close.
func (f *File) Fd() int { return f.fd }

// Close closes the file. No engine has it registered any more.
func (f *File) Close() error { return f.file.Close() }

// Aligned says whether the kernel takes b as a buffer as it is.
func (f *File) Aligned(b []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))&uintptr(f.info.MemoryAlign-1) == 0
}
