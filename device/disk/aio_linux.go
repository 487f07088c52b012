package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// aioBackend does I/O by Linux AIO: io_submit for a batch, and completions read from
// the ring that the kernel maps into the process, without a system call.
type aioBackend struct {
	e      *Engine
	ctx    uintptr // also the address of the ring
	ring   *aioRing
	events []ioEvent // the ring's
	iocbs  []iocb    // by index in the engine's table; the last is the bell's
	batch  []*iocb

	answer *ioEvent  // of io_cancel, which fills it in on old kernels
	got    []ioEvent // what a wait brought; left is what of it is to be reaped
	left   []ioEvent
	limit  *unix.Timespec

	armed   bool // the bell is being polled
	careful int  // calls of io_submit that the Go scheduler is to know of
}

// What follows is the kernel's include/uapi/linux/aio_abi.h and fs/aio.c, for little
// endian machines.

type iocb struct {
	data    uint64
	key     uint32
	rwFlags uint32
	opcode  uint16
	prio    int16
	fd      uint32
	buf     uint64
	n       uint64
	off     int64
	_       uint64
	flags   uint32
	resfd   uint32
}

type ioEvent struct {
	data, obj uint64
	res, res2 int64
}

type aioRing struct {
	id, nr, head, tail     uint32
	magic                  uint32
	compat, incompat, size uint32
}

const (
	aioPread   = 0
	aioPwrite  = 1
	aioFdsync  = 3 // 4.18, as is aioPoll
	aioPoll    = 5
	aioPreadv  = 7
	aioPwritev = 8

	aioMagic = 0xa10a10a1
	aioRoom  = 1024 // of the 65,536 that a machine has by default

	// slowSubmit is when io_submit has waited for something: for a free request of
	// the device, or for the file system. It does so again, then, and the Go
	// scheduler must be able to go on without this thread.
	slowSubmit = 200 * time.Microsecond
	carefully  = 256
)

// newAIO makes a context.
func newAIO(e *Engine) (*aioBackend, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, fmt.Errorf("disk: Linux AIO on a big-endian machine: %w", ErrNotSupported)
	}
	b := &aioBackend{e: e, got: make([]ioEvent, 64), limit: new(unix.Timespec), answer: new(ioEvent)}
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, aioRoom+1, uintptr(unsafe.Pointer(&b.ctx)), 0); errno != 0 {
		return nil, fmt.Errorf("disk: io_setup: %w", errno)
	}
	// The kernel's mapping, which Go knows nothing of.
	b.ring = *(**aioRing)(unsafe.Pointer(&b.ctx))
	if b.ring.magic != aioMagic || b.ring.incompat != 0 {
		return nil, errors.Join(fmt.Errorf("disk: the ring of Linux AIO has another form than is known: %w", ErrNotSupported), b.close())
	}
	b.events = unsafe.Slice((*ioEvent)(unsafe.Add(unsafe.Pointer(b.ring), b.ring.size)), b.ring.nr)
	b.iocbs = make([]iocb, aioRoom+1)
	b.batch = make([]*iocb, 0, aioRoom+1)
	if b.arm(); b.submit() != 0 || !b.armed { // see that it can poll
		return nil, errors.Join(fmt.Errorf("disk: Linux AIO without poll (Linux 4.18): %w", ErrNotSupported), b.close())
	}
	return b, nil
}

func (b *aioBackend) room() int              { return aioRoom }
func (b *aioBackend) register(*Handle) error { return nil }
func (b *aioBackend) unregister(*Handle)     {}
func (b *aioBackend) listens() bool          { return b.armed }
func (b *aioBackend) deferred() bool         { return false }
func (b *aioBackend) head() *uint32          { return &b.ring.head }
func (b *aioBackend) tail() uint32           { return atomic.LoadUint32(&b.ring.tail) } // pairs with the kernel's barrier
func (b *aioBackend) ready() bool            { return len(b.left) > 0 || *b.head() != b.tail() }

// enter submits, and waits by another call if nothing is complete.
func (b *aioBackend) enter(ios []*IO, d time.Duration) (taken int) {
	for _, io := range ios {
		b.e.place(io)
		b.batch = append(b.batch, b.fill(io))
	}
	if d != 0 {
		b.arm()
	}
	errno := b.submit()
	refused := len(b.batch) // of the last, which Submit will bring again
	for _, c := range b.batch {
		if c.opcode == aioPoll {
			b.armed = false
			refused--
			continue
		}
		b.e.unplace(b.e.table[uint32(c.data)])
	}
	b.batch = b.batch[:0]
	taken = len(ios) - refused
	if d == 0 || b.ready() {
		return taken
	}
	if errno == unix.EAGAIN && b.e.inKernel == 0 && (d < 0 || d > time.Millisecond) {
		d = time.Millisecond // others have what it wants
	}
	b.wait(d)
	return taken
}

// submit calls io_submit until the kernel has all of the batch, or answers EAGAIN.
// What it refuses for another reason ends with that.
func (b *aioBackend) submit() unix.Errno {
	batch := b.batch
	for len(batch) > 0 {
		b.e.enters.Add(1)
		call := unix.RawSyscall
		if b.careful > 0 {
			b.careful--
			call = unix.Syscall
		}
		start := time.Now()
		n, _, errno := call(unix.SYS_IO_SUBMIT, b.ctx, uintptr(len(batch)), uintptr(unsafe.Pointer(&batch[0])))
		if time.Since(start) > slowSubmit {
			b.careful = carefully
		}
		switch errno {
		case 0:
			batch = batch[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			b.batch = b.batch[:copy(b.batch, batch)]
			return errno
		default:
			if c := batch[0]; c.opcode == aioPoll {
				b.armed = false
			} else {
				b.e.refused(b.e.table[uint32(c.data)], errno)
			}
			batch = batch[1:]
		}
	}
	b.batch = b.batch[:0]
	return 0
}

func (b *aioBackend) fill(io *IO) *iocb {
	c := &b.iocbs[io.index]
	*c = iocb{data: io.token(), fd: uint32(io.File.file.fd)}
	if io.Op == Flush {
		c.opcode = aioFdsync
		return c
	}
	c.off = io.Off
	if io.FUA {
		c.rwFlags = unix.RWF_DSYNC
	}
	write := uint16(io.Op - Read)
	if len(io.Bufs) > 1 {
		v := io.fillVector()
		c.opcode = aioPreadv + write
		c.buf, c.n = uint64(uintptr(unsafe.Pointer(&v[0]))), uint64(len(v))
		return c
	}
	buf := io.Bufs[0]
	c.opcode = aioPread + write
	c.buf, c.n = uint64(uintptr(unsafe.Pointer(&buf[0]))), uint64(len(buf))
	return c
}

// arm has the bell polled, so that it ends a wait.
func (b *aioBackend) arm() {
	if b.armed {
		return
	}
	c := &b.iocbs[aioRoom]
	*c = iocb{data: kindBell, opcode: aioPoll, fd: uint32(b.e.bell.fd), buf: unix.POLLIN}
	b.batch = append(b.batch, c)
	b.armed = true
}

// wait waits for a completion: at first for a short time and unknown to the Go
// scheduler. EINTR is as good as one: the lane goes round once more.
func (b *aioBackend) wait(d time.Duration) {
	short, rest := b.e.short(d)
	if short != 0 {
		errno := b.getEvents(unix.RawSyscall6, short)
		if b.e.stalled = !b.ready(); !b.e.stalled || errno != 0 || rest == 0 || short < 0 {
			return
		}
	}
	b.getEvents(unix.Syscall6, rest)
}

type syscall6 func(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err unix.Errno)

// getEvents waits for a completion, at most for d (d < 0: no limit). The answer is 0
// or EINTR.
func (b *aioBackend) getEvents(call syscall6, d time.Duration) unix.Errno {
	limit := b.limit
	if d < 0 {
		limit = nil
	} else {
		*limit = unix.NsecToTimespec(int64(d))
	}
	got, _, errno := call(unix.SYS_IO_GETEVENTS, b.ctx, 1, uintptr(len(b.got)),
		uintptr(unsafe.Pointer(&b.got[0])), uintptr(unsafe.Pointer(limit)), 0)
	switch errno {
	case 0:
		b.left = b.got[:got]
	case unix.EINTR:
	default:
		panic("disk: io_getevents: " + errno.Error())
	}
	return errno
}

// reap ends what has come back: what a wait brought, and then what is in the ring,
// which is later.
func (b *aioBackend) reap() {
	for len(b.left) > 0 {
		ev := &b.left[0]
		b.left = b.left[1:]
		b.ended(ev)
	}
	for h, t := *b.head(), b.tail(); h != t; t = b.tail() {
		for ; h != t; h = (h + 1) % uint32(len(b.events)) {
			b.ended(&b.events[h])
		}
		atomic.StoreUint32(b.head(), h) // the places are the kernel's again
	}
}

func (b *aioBackend) ended(ev *ioEvent) {
	if ev.data == kindBell {
		b.armed = false
		b.e.bell.read()
		return
	}
	b.e.returned(ev.data, ev.res)
}

// cancel asks for one I/O, and is answered at once: by EINVAL, for all that a disk
// has, on every kernel so far.
func (b *aioBackend) cancel(io *IO) {
	_, _, errno := unix.RawSyscall(unix.SYS_IO_CANCEL, b.ctx, uintptr(unsafe.Pointer(&b.iocbs[io.index])), uintptr(unsafe.Pointer(b.answer)))
	switch errno {
	case 0, unix.EINPROGRESS:
		io.File.kernel.Add(1)
	case unix.EAGAIN:
		io.File.running.Add(1)
	case unix.ENOENT:
		io.File.unknown.Add(1)
	default:
		io.File.refused.Add(1)
	}
}

// close ends the context, and with it the poll of the bell.
func (b *aioBackend) close() error {
	if _, _, errno := unix.Syscall(unix.SYS_IO_DESTROY, b.ctx, 0, 0); errno != 0 {
		return fmt.Errorf("disk: io_destroy: %w", errno)
	}
	return nil
}
