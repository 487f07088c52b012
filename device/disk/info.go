package disk

import (
	"errors"
	"time"
)

var (
	// ErrNotSupported says that this system, or what a path leads to, cannot do
	// what was asked.
	ErrNotSupported = errors.New("not supported on this system")

	// ErrInKernel says that an engine was closed, or a file, while the kernel had
	// I/Os that never came back.
	ErrInKernel = errors.New("I/Os are still in the kernel")
)

// Options say how to open a disk. The zero value opens it for reading, with
// O_DIRECT.
type Options struct {
	Write     bool // for reading and writing
	Exclusive bool // a block device fails with EBUSY if it, or a part of it, is mounted or held (O_EXCL); a file does not mind
	Buffered  bool // through the page cache: without O_DIRECT
}

// Kind is what a path leads to.
type Kind uint8

const (
	RegularFile Kind = iota
	BlockDevice
)

// String returns the kind as it appears in reports.
func (k Kind) String() string { return [...]string{"file", "block device"}[k] }

// Info is what the kernel says of a disk. Of a file the lines from Device on are
// about the device below its file system, and empty if that has no single one.
type Info struct {
	Path   string // as it was opened
	Kind   Kind
	Size   int64 // bytes
	Direct bool  // O_DIRECT
	Write  bool  // opened for writing

	LogicalBlock  int // bytes: what the device addresses
	PhysicalBlock int // bytes: what it writes at once
	OffsetAlign   int // bytes: offsets and lengths are multiples of it; at least 512
	MemoryAlign   int // bytes: addresses of buffers are multiples of it; 1 where buffered

	NoWait      bool // the kernel can tell that an I/O would block, and io_uring need not hand it to a thread
	Discard     bool // discards are possible
	WriteZeroes bool // extents can be zeroed without sending zeroes

	Device     string // its name, such as nvme0n1p2; "": unknown
	Disk       string // the whole disk that it is a partition of, or itself
	Major      uint32
	Minor      uint32
	Model      string
	Serial     string
	Scheduler  string // of the kernel's block layer: none, mq-deadline, bfq, kyber
	Backing    string // of a loop device: the file behind it
	Rotational bool
	WriteCache bool // volatile: what was written may be lost until a flush; true if unknown
	FUA        bool // it can write through that cache
	Poll       bool // completions can be polled for (IOPOLL)

	Requests       int   // that its queue holds (nr_requests): beyond it a submit blocks; 0: unknown
	MaxTransfer    int64 // bytes (max_sectors_kb): longer ones the kernel splits; 0: unknown
	MaxSegments    int   // 0: unknown
	MaxDiscard     int64 // bytes a discard; 0: none
	MaxWriteZeroes int64 // bytes; 0: the kernel writes zeroes instead
}

// EngineKind names a way into the kernel.
type EngineKind string

// The engines. Auto is io_uring, or libaio where that is better or all there is, or
// sync; Engine.Why says which and why.
const (
	Auto    EngineKind = "auto"
	IOURing EngineKind = "io_uring"
	LibAIO  EngineKind = "libaio"
	Sync    EngineKind = "sync"
)

// EngineOptions say what engines to make. The zero value leaves the choice to the
// kernel's abilities.
type EngineOptions struct {
	Kind  EngineKind    // "": Auto
	Poll  time.Duration // how long a lane with I/Os in the kernel looks for completions before it sleeps, with io_uring by IOPOLL where the lane's first file has it; at most MaxPoll; 0: not at all
	Arena int64         // bytes of buffers that the kernel knows; 0: 16 MiB
}

const (
	// MaxPoll is how long a lane may look for a completion without sleeping.
	MaxPoll = 10 * time.Millisecond

	defaultArena = 16 << 20
	maxArena     = 1 << 30 // the kernel's limit for a registered buffer
)

// Validate says what is wrong with the options.
func (o EngineOptions) Validate() error {
	switch o.Kind {
	case "", Auto, IOURing, LibAIO, Sync:
	default:
		return errors.New("disk: engine " + string(o.Kind) + ": want io_uring, libaio, sync or auto")
	}
	if o.Poll < 0 || o.Poll > MaxPoll {
		return errors.New("disk: poll " + o.Poll.String() + ": want 0 to " + MaxPoll.String())
	}
	if o.Arena < 0 || o.Arena > maxArena {
		return errors.New("disk: arena: want 0 to 1 GiB")
	}
	return nil
}

// Counts is what an engine, or several together, did.
type Counts struct {
	IOs    uint64 // that came back
	Enters uint64 // system calls that submit or look, and never wait
	Waits  uint64 // system calls that may wait
	Pooled uint64 // IOs that the pool did
	Cancels
}

// Cancels tells what became of calls of Cancel. Asked is the sum of the others,
// but for answers of the kernel that are on their way.
type Cancels struct {
	Asked   uint64
	Ours    uint64 // the kernel had not been told of it: it never will
	Kernel  uint64 // the kernel says that it cancelled it
	Running uint64 // too late: it is being done (EALREADY)
	Unknown uint64 // the kernel does not find it, as it never does block I/O in flight (ENOENT)
	Refused uint64 // the kernel cancels no such thing (io_cancel: EINVAL)
}

// Add adds what other engines did.
func (c *Counts) Add(o Counts) {
	c.IOs += o.IOs
	c.Enters += o.Enters
	c.Waits += o.Waits
	c.Pooled += o.Pooled
	c.Cancels.Add(o.Cancels)
}

// Add adds what others were answered.
func (c *Cancels) Add(o Cancels) {
	c.Asked += o.Asked
	c.Ours += o.Ours
	c.Kernel += o.Kernel
	c.Running += o.Running
	c.Unknown += o.Unknown
	c.Refused += o.Refused
}
