package uring

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options describe a ring. The zero value is a ring of 64 entries.
type Options struct {
	Entries   int // that can be submitted at once; made a power of two; 0: 64
	CQEntries int // completions that there is room for; 0: twice Entries

	// PollIdle, if not 0, has a kernel thread poll the submissions, so that
	// Submit makes no system call while that thread is awake; it sleeps when it
	// found nothing for so long. From 1 ms to MaxPollIdle: it occupies a core.
	PollIdle time.Duration

	// IOPoll has completions found by asking the device, which must have that
	// ability: only reads and writes with O_DIRECT, and only as long as somebody
	// waits.
	IOPoll bool
}

// MaxPollIdle is the longest that a kernel thread may spin for nothing.
const MaxPollIdle = 100 * time.Millisecond

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	const most = 1 << 20
	if o.Entries < 0 || o.Entries > most || o.CQEntries < 0 || o.CQEntries > most {
		return fmt.Errorf("uring: %d and %d entries: want 0 to %d", o.Entries, o.CQEntries, most)
	}
	if o.PollIdle != 0 && (o.PollIdle < time.Millisecond || o.PollIdle > MaxPollIdle) {
		return fmt.Errorf("uring: poll idle %v: want 0, or 1ms to %v", o.PollIdle, MaxPollIdle)
	}
	return nil
}

// A Ring is an io_uring. See the package's comment for the thread that it belongs
// to.
type Ring struct {
	fd         int
	enterFD    uintptr // fd, or the ring's place among the registered ones
	enterFlags uint32
	flags      uint32
	features   uint32

	rings, entries []byte // mapped
	files          bool   // are registered

	// The submission side. The kernel moves sqHead, we move sqTail, and sqFlags
	// tells whether a polling thread sleeps. filled is sqTail before Submit.
	sqHead, sqTail, sqFlags *atomic.Uint32
	sqes                    []SQE
	sqMask, filled          uint32

	// The completion side: the kernel moves cqTail, we move cqHead.
	cqHead, cqTail *atomic.Uint32
	cqes           []CQE
	cqMask         uint32

	// For WaitFor: on the heap, because the kernel gets their addresses.
	timeout *unix.Timespec
	arg     *eventsArg

	buffers []unix.Iovec // registered; kept for the collector
}

// attempts are the sets of flags that New tries, the fastest first.
func (o *Options) attempts() []uint32 {
	if o.PollIdle > 0 { // the polling thread runs the task work, so nothing can be deferred
		return []uint32{
			setupSQPoll | setupSubmitAll | setupSingleIssuer | setupNoSQArray,
			setupSQPoll | setupSubmitAll | setupSingleIssuer,
			setupSQPoll,
		}
	}
	return []uint32{
		setupSubmitAll | setupSingleIssuer | setupDeferTaskrun | setupTaskrunFlag | setupNoSQArray,
		setupSubmitAll | setupSingleIssuer | setupDeferTaskrun | setupTaskrunFlag,
		setupSubmitAll | setupCoopTaskrun | setupTaskrunFlag,
		0,
	}
}

// New makes a ring, on the thread that will use it. The error wraps the kernel's:
// ENOSYS where there is no io_uring, EPERM where it is forbidden.
func New(o Options) (*Ring, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Entries == 0 {
		o.Entries = 64
	}
	var p params
	var fd uintptr
	var errno unix.Errno
	for _, flags := range o.attempts() {
		if o.IOPoll {
			flags |= setupIOPoll
		}
		p = params{flags: flags | setupClamp, sqThreadIdle: uint32(o.PollIdle.Milliseconds())}
		if o.CQEntries > 0 {
			p.flags |= setupCQSize
			p.cqEntries = uint32(max(o.CQEntries, o.Entries))
		}
		fd, _, errno = unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(o.Entries), uintptr(unsafe.Pointer(&p)), 0)
		if errno != unix.EINVAL {
			break
		}
	}
	if errno != 0 {
		return nil, fmt.Errorf("uring: io_uring_setup: %w", errno)
	}
	r := &Ring{fd: int(fd), enterFD: fd, flags: p.flags, features: p.features, timeout: new(unix.Timespec), arg: new(eventsArg)}
	if err := r.mapRings(&p); err != nil {
		r.Close()
		return nil, err
	}
	r.registerSelf()
	return r, nil
}

// mapRings maps the memory that is shared with the kernel.
func (r *Ring) mapRings(p *params) error {
	if p.features&featSingleMmap == 0 {
		return fmt.Errorf("uring: this kernel maps the rings apart: want Linux 5.4: %w", unix.ENOSYS)
	}
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(CQE{})))
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	var err error
	if r.rings, err = unix.Mmap(r.fd, offRings, int(size), prot, flags); err != nil {
		return fmt.Errorf("uring: map the rings: %w", err)
	}
	if r.entries, err = unix.Mmap(r.fd, offSQEs, int(p.sqEntries)*int(unsafe.Sizeof(SQE{})), prot, flags); err != nil {
		return fmt.Errorf("uring: map the entries: %w", err)
	}
	word := func(off uint32) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&r.rings[off])) }
	r.sqHead, r.sqTail, r.sqFlags = word(p.sq.head), word(p.sq.tail), word(p.sq.flags)
	r.cqHead, r.cqTail = word(p.cq.head), word(p.cq.tail)
	r.sqMask, r.cqMask = word(p.sq.mask).Load(), word(p.cq.mask).Load()
	r.sqes = unsafe.Slice((*SQE)(unsafe.Pointer(&r.entries[0])), p.sqEntries)
	r.cqes = unsafe.Slice((*CQE)(unsafe.Pointer(&r.rings[p.cq.cqes])), p.cqEntries)
	if p.flags&setupNoSQArray == 0 {
		// The kernel finds entries by way of an array; ours are always in order.
		for i := range p.sqEntries {
			word(p.sq.array + 4*i).Store(i)
		}
	}
	return nil
}

// Entries is how many entries can be submitted at once, and CQEntries how many
// completions there is room for.
func (r *Ring) Entries() int   { return len(r.sqes) }
func (r *Ring) CQEntries() int { return len(r.cqes) }

// Polled says whether a kernel thread polls the submissions.
func (r *Ring) Polled() bool { return r.flags&setupSQPoll != 0 }

// TimedWait says whether WaitFor can have a limit.
func (r *Ring) TimedWait() bool { return r.features&featExtArg != 0 }

// Flags are the names of the features that the ring was made with.
func (r *Ring) Flags() (names []string) {
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{setupIOPoll, "IOPOLL"}, {setupSQPoll, "SQPOLL"}, {setupSubmitAll, "SUBMIT_ALL"}, {setupCoopTaskrun, "COOP_TASKRUN"},
		{setupSingleIssuer, "SINGLE_ISSUER"}, {setupDeferTaskrun, "DEFER_TASKRUN"}, {setupNoSQArray, "NO_SQARRAY"},
	} {
		if r.flags&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	if r.enterFlags&enterRegisteredRing != 0 {
		names = append(names, "REGISTERED_RING")
	}
	return names
}

// Close ends the ring: the kernel cancels what is in flight and waits for what
// it cannot cancel, perhaps after Close has returned.
func (r *Ring) Close() error {
	r.unregisterFiles()
	r.unregisterSelf()
	for _, m := range []*[]byte{&r.rings, &r.entries} {
		if *m != nil {
			_ = unix.Munmap(*m) // fails only for what is not mapped
			*m = nil
		}
	}
	if r.fd < 0 {
		return nil
	}
	err := unix.Close(r.fd)
	r.fd = -1
	return err
}
