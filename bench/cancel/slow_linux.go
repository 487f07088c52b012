package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A slowFile is a file of zeroes in a FUSE file system of its own: its reads are
// served one at a time, in the order in which they come, each in the same time. A
// loop device over it is a disk with one head, which nothing else on the machine
// makes irregular; a limit of the block layer's (blkio) lets I/Os through as many at
// once as 20 or 100 ms have room for.
//
// It is served by a process of its own. Otherwise a benchmark that is killed would
// wait for its own I/Os, for ever: the kernel does not end a process before its AIO is
// done, nor close its /dev/fuse before that.
type slowFile struct {
	fd      int
	size    int64
	service time.Duration

	mu      sync.Mutex // guards waiting
	waiting []readRequest
	some    chan struct{} // has a value after waiting grew
}

type readRequest struct {
	unique uint64
	size   uint32
}

// The part of the kernel's include/uapi/linux/fuse.h that a file of one name needs.
const (
	fuseLookup      = 1
	fuseForget      = 2
	fuseGetattr     = 3
	fuseOpen        = 14
	fuseRead        = 15
	fuseStatfs      = 17
	fuseRelease     = 18
	fuseFlush       = 25
	fuseInit        = 26
	fuseInterrupt   = 36
	fuseDestroy     = 38
	fuseBatchForget = 42

	fuseHeaderIn  = 40
	fuseHeaderOut = 16

	fuseAsyncRead = 1 << 0
	fuseAsyncDIO  = 1 << 15
	fopenDirectIO = 1 << 0

	rootNode = 1
	fileNode = 2
	fileName = "disk"
)

// mountSlow mounts the file system. Whoever has the result serves it.
func mountSlow(dir string, size int64, service time.Duration) (*slowFile, error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/fuse: %w", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)
	if err := unix.Mount("blksim-slow", dir, "fuse", unix.MS_NODEV|unix.MS_NOSUID, options); err != nil {
		return nil, errors.Join(fmt.Errorf("mount fuse: %w", err), unix.Close(fd))
	}
	return &slowFile{fd: fd, size: size, service: service, some: make(chan struct{}, 1)}, nil
}

// serve answers the kernel until the file system is unmounted.
func (s *slowFile) serve() error {
	go s.work()
	buf := make([]byte, 1<<20)
	for {
		n, err := unix.Read(s.fd, buf)
		switch {
		case err == unix.EINTR, err == unix.EAGAIN, err == unix.ENOENT: // the request was taken back
			continue
		case err == unix.ENODEV: // unmounted
			return nil
		case err != nil:
			return fmt.Errorf("fuse: %w", err)
		case n < fuseHeaderIn:
			return fmt.Errorf("fuse: a request of %d bytes: %w", n, io.ErrUnexpectedEOF)
		}
		if err := s.handle(buf[:n]); err != nil {
			return err
		}
	}
}

func (s *slowFile) handle(req []byte) error {
	le := binary.LittleEndian
	op, unique, node := le.Uint32(req[4:]), le.Uint64(req[8:]), le.Uint64(req[16:])
	body := req[fuseHeaderIn:]
	switch op {
	case fuseInit:
		out := make([]byte, 64)
		le.PutUint32(out[0:], 7)
		le.PutUint32(out[4:], 31)
		le.PutUint32(out[12:], le.Uint32(body[12:])&(fuseAsyncRead|fuseAsyncDIO))
		le.PutUint16(out[16:], 1024) // requests at once: as many as there are
		le.PutUint16(out[18:], 1024)
		le.PutUint32(out[20:], 4096)
		le.PutUint32(out[24:], 1)
		return s.reply(unique, 0, out)
	case fuseLookup:
		if node != rootNode || string(body) != fileName+"\x00" {
			return s.reply(unique, unix.ENOENT, nil)
		}
		out := make([]byte, 40, 128)
		le.PutUint64(out[0:], fileNode)
		le.PutUint64(out[16:], 3600)
		le.PutUint64(out[24:], 3600)
		return s.reply(unique, 0, append(out, s.attributes(fileNode)...))
	case fuseGetattr:
		out := make([]byte, 16, 104)
		le.PutUint64(out[0:], 3600)
		return s.reply(unique, 0, append(out, s.attributes(node)...))
	case fuseOpen:
		out := make([]byte, 16)
		le.PutUint32(out[8:], fopenDirectIO)
		return s.reply(unique, 0, out)
	case fuseRead:
		s.mu.Lock()
		s.waiting = append(s.waiting, readRequest{unique, le.Uint32(body[16:])})
		s.mu.Unlock()
		select {
		case s.some <- struct{}{}:
		default:
		}
		return nil
	case fuseStatfs:
		return s.reply(unique, 0, make([]byte, 80))
	case fuseForget, fuseBatchForget, fuseInterrupt:
		return nil // want no answer: what is being read goes on
	case fuseRelease, fuseFlush, fuseDestroy:
		return s.reply(unique, 0, nil)
	}
	return s.reply(unique, unix.ENOSYS, nil)
}

// attributes are struct fuse_attr.
func (s *slowFile) attributes(node uint64) []byte {
	le := binary.LittleEndian
	out := make([]byte, 88)
	le.PutUint64(out[0:], node)
	mode, size := uint32(unix.S_IFDIR|0o500), int64(0)
	if node == fileNode {
		mode, size = unix.S_IFREG|0o400, s.size
	}
	le.PutUint64(out[8:], uint64(size))
	le.PutUint64(out[16:], uint64(size/512))
	le.PutUint32(out[60:], mode)
	le.PutUint32(out[64:], 1)
	le.PutUint32(out[80:], 4096)
	return out
}

// reply answers a request. One that was taken back meanwhile is nobody's loss.
func (s *slowFile) reply(unique uint64, errno unix.Errno, body []byte) error {
	out := make([]byte, fuseHeaderOut, fuseHeaderOut+len(body))
	le := binary.LittleEndian
	le.PutUint32(out[0:], uint32(fuseHeaderOut+len(body)))
	le.PutUint32(out[4:], uint32(-int32(errno)))
	le.PutUint64(out[8:], unique)
	_, err := unix.Write(s.fd, append(out, body...))
	if err == unix.ENOENT || err == unix.ENODEV {
		return nil
	}
	return err
}

// work is the head: it serves what waits, each in the same time. Times are absolute,
// so that a late wake is made good by the next.
func (s *slowFile) work() {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // or it is a little less regular
	free := monotonic()                                // when the head is
	for range s.some {
		for {
			s.mu.Lock()
			if len(s.waiting) == 0 {
				s.mu.Unlock()
				break
			}
			r := s.waiting[0]
			s.waiting = s.waiting[1:]
			s.mu.Unlock()
			now := monotonic()
			if now-free > s.service {
				free = now // it was idle
			}
			free += s.service
			until := unix.NsecToTimespec(int64(free))
			for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &until, nil) == unix.EINTR {
			}
			if err := s.reply(r.unique, 0, make([]byte, r.size)); err != nil {
				fmt.Fprintln(os.Stderr, "bench/cancel: the slow file:", err)
			}
		}
	}
}

func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("bench: clock_gettime: " + err.Error())
	}
	return time.Duration(ts.Nano())
}

const slowReady = "ready\n"

// serveSlow is the process that serves: it says that it is ready by a line, and goes
// on until the file system is unmounted. When its input ends, whoever it works for is
// gone, and it unmounts by itself and removes the folder.
func serveSlow(dir string, size int64, service time.Duration) error {
	s, err := mountSlow(dir, size, service)
	if err != nil {
		return err
	}
	fmt.Print(slowReady)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		// A loop device may be over the file a moment longer.
		_ = unix.Unmount(dir, unix.MNT_DETACH)
		_ = os.Remove(dir)
	}()
	return s.serve()
}
