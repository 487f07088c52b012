package disk

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"blksim/internal/uring"
)

// ringBackend does I/O by io_uring. The memory of the arena and the files are
// registered, so that the kernel need not look them up for each I/O.
type ringBackend struct {
	e     *Engine
	ring  *uring.Ring
	known []byte // of the arena: what is registered
	cqes  []uring.CQE

	files   bool        // a table of files is registered
	armed   int         // how many times the bell is listened to
	inline  bool        // what is submitted has lately been complete at once
	trial   uint8       // counts waits: now and then inline is tried
	cancels []cancelAsk // to be sent
}

// cancelAsk is a cancel: of which use of an I/O, and of whose.
type cancelAsk struct {
	token uint64
	h     *Handle
}

const (
	ringEntries     = 256
	ringCompletions = 4096
	ringFiles       = 64

	// The kinds of user data, above an I/O's token.
	kindBell   = 1 << 62
	kindCancel = 1 << 63
)

// newRing makes a ring on the thread that it is for.
func newRing(e *Engine, a *Arena) (*ringBackend, error) {
	r, err := uring.New(uring.Options{Entries: ringEntries, CQEntries: ringCompletions, IOPoll: e.polled})
	if err != nil {
		return nil, err
	}
	if !r.TimedWait() {
		return nil, errors.Join(fmt.Errorf("io_uring without a limit for waits (Linux 5.11): %w", ErrNotSupported), r.Close())
	}
	b := &ringBackend{e: e, ring: r, cqes: make([]uring.CQE, 64)}
	features := r.Flags()
	places := make([]int32, ringFiles)
	for i := range places {
		places[i] = -1
	}
	if b.files = r.RegisterFiles(places) == nil; b.files {
		features = append(features, "registered files")
	}
	for n := len(a.memory); n >= 1<<20 && b.known == nil; n /= 4 { // beyond the limit of locked memory it fails
		if r.RegisterBuffers([][]byte{a.memory[:n]}) == nil {
			b.known = a.memory[:n]
			features = append(features, fmt.Sprintf("%d MiB of registered buffers", n>>20))
		}
	}
	e.why += " (" + strings.Join(features, ", ") + ")"
	return b, nil
}

func (b *ringBackend) room() int { return b.ring.CQEntries() - 1 } // the bell's

func (b *ringBackend) register(h *Handle) error {
	if h.fixed = b.files && h.index < ringFiles; h.fixed {
		return b.ring.UpdateFile(h.index, int32(h.file.fd))
	}
	return nil
}

func (b *ringBackend) unregister(h *Handle) {
	if h.fixed {
		_ = b.ring.UpdateFile(h.index, -1) // it was registered
	}
}

func (b *ringBackend) ready() bool    { return b.ring.Ready() > 0 }
func (b *ringBackend) deferred() bool { return b.ring.Deferred() || b.e.polled && b.e.inKernel > 0 }
func (b *ringBackend) listens() bool  { return b.armed > 0 }

// enter submits and waits in one call, but for two cases. Where I/Os are complete when
// the submitting call returns, as on a disk in memory, there is no other. And an I/O
// that is alone is submitted first: the way back from that call is where the kernel
// lets its thread that does the I/O have this CPU, if it chose that, and this thread
// may then find the I/O complete without having slept.
func (b *ringBackend) enter(ios []*IO, d time.Duration) (taken int) {
	b.ask()
	for taken < len(ios) {
		n := b.prepare(ios[taken:])
		if taken += n; taken < len(ios) || n == 0 {
			if b.submit() != nil || n == 0 {
				return taken // it is full: what is there is to be reaped first
			}
		}
	}
	if d == 0 {
		if b.ring.Unsubmitted() > 0 || b.ring.Deferred() || b.e.polled && b.e.inKernel > 0 {
			_ = b.submit() // busy: the next call does it
		}
		return taken
	}
	if b.trial++; taken > 0 && (b.inline || b.trial%64 == 0 || b.e.inKernel == 1) {
		err := b.submit()
		if b.inline = b.ring.Ready() > 0; b.inline || err != nil {
			return taken
		}
	}
	b.wait(d)
	return taken
}

// wait submits what is left and waits: at first for a short time, for several and
// unknown to the Go scheduler, and then for one.
func (b *ringBackend) wait(d time.Duration) {
	short, rest := b.e.short(d)
	n := b.e.several(&short)
	b.arm(n)
	var err error
	if short != 0 {
		err = b.ring.WaitShort(n, short)
		if b.e.stalled = !b.ready(); err == nil && (!b.e.stalled || rest == 0 || short < 0) {
			return
		}
	}
	switch {
	case err != nil:
	case rest < 0:
		err = b.ring.Wait(1)
	default:
		err = b.ring.WaitFor(1, rest)
	}
	if b.must(err); err != nil {
		time.Sleep(outOfMemory)
	}
}

// outOfMemory is how long to leave the kernel alone that has no memory for more.
const outOfMemory = 100 * time.Microsecond

func (b *ringBackend) submit() error {
	b.e.enters.Add(1)
	var err error
	if b.e.hasty {
		err = b.ring.Push()
	} else {
		err = b.ring.Submit()
	}
	b.must(err)
	return err
}

// must ends the program for what only a mistake here can cause.
func (b *ringBackend) must(err error) {
	if err != nil && !errors.Is(err, uring.ErrBusy) {
		panic("disk: " + err.Error())
	}
}

// prepare fills in entries and says for how many there was room.
func (b *ringBackend) prepare(ios []*IO) int {
	for i, io := range ios {
		s := b.ring.Next()
		if s == nil {
			return i
		}
		b.e.place(io)
		b.fill(s, io)
	}
	return len(ios)
}

func (b *ringBackend) fill(s *uring.SQE, io *IO) {
	s.UserData = io.token()
	s.FD = int32(io.File.file.fd)
	if io.File.fixed {
		s.FD, s.Flags = int32(io.File.index), uring.FixedFile
	}
	if io.Op == Flush {
		s.Opcode, s.OpFlags = uring.OpFsync, uring.FsyncDatasync
		return
	}
	s.Off = uint64(io.Off)
	if io.FUA {
		s.OpFlags = unix.RWF_DSYNC
	}
	write := io.Op - Read // 0 or 1: each pair of operations stands together
	if len(io.Bufs) > 1 {
		v := io.fillVector()
		s.Opcode = uring.OpReadv + uint8(write)
		s.Addr, s.Len = uint64(uintptr(unsafe.Pointer(&v[0]))), uint32(len(v))
		return
	}
	buf := io.Bufs[0]
	s.Addr, s.Len = uint64(uintptr(unsafe.Pointer(&buf[0]))), uint32(len(buf))
	if within(b.known, buf) {
		s.Opcode = uring.OpReadFixed + uint8(write) // of buffer 0
	} else {
		s.Opcode = uring.OpRead + uint8(write)
	}
}

// arm has the bell end a wait for n completions, by as many of its own.
func (b *ringBackend) arm(n int) {
	for ; b.armed < n; b.armed++ {
		s := b.ring.Next()
		if s == nil {
			return // so much was submitted that something will come
		}
		s.Opcode, s.FD, s.UserData = uring.OpPollAdd, int32(b.e.bell.fd), kindBell
		s.OpFlags = unix.POLLIN
	}
}

// reap ends what has come back.
func (b *ringBackend) reap() {
	for b.ring.Ready() > 0 {
		cqes := b.cqes[:b.ring.Reap(b.cqes)]
		if len(cqes) > 1 {
			for i := range cqes {
				if token := cqes[i].UserData; token < kindBell {
					b.e.expect(token)
				}
			}
		}
		for _, c := range cqes {
			switch {
			case c.UserData&kindCancel != 0:
				b.answered(c)
			case c.UserData&kindBell != 0:
				b.armed--
				b.e.bell.read()
			default:
				b.e.returned(c.UserData, int64(c.Res))
			}
		}
	}
}

// cancel notes the cancel, which goes to the kernel with the next call.
func (b *ringBackend) cancel(io *IO) {
	b.cancels = append(b.cancels, cancelAsk{io.token(), io.File})
}

// ask sends the cancels. One that is late meets no later use of the same IO, which has
// another token.
func (b *ringBackend) ask() {
	sent := 0
	for _, c := range b.cancels {
		s := b.ring.Next()
		if s == nil {
			break
		}
		s.Opcode, s.FD, s.Addr = uring.OpAsyncCancel, -1, c.token
		s.UserData = kindCancel | c.h.name()
		sent++
	}
	b.cancels = b.cancels[:copy(b.cancels, b.cancels[sent:])]
}

// answered counts the kernel's answer to a cancel.
func (b *ringBackend) answered(c uring.CQE) {
	h := b.e.handles[uint32(c.UserData)]
	if h == nil || h.name() != c.UserData&^kindCancel {
		return // the file is gone, and nobody asks any more
	}
	switch unix.Errno(-c.Res) {
	case 0:
		h.kernel.Add(1)
	case unix.ENOENT:
		h.unknown.Add(1)
	case unix.EALREADY:
		h.running.Add(1)
	default:
		h.refused.Add(1)
	}
}

// close ends the ring, and what it listens to.
func (b *ringBackend) close() error { return b.ring.Close() }
