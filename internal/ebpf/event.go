package ebpf

import (
	"fmt"
	"syscall"

	"blksim/traces"
)

// Kind says what an Event tells of.
type Kind uint8

const (
	// Bio is an I/O as it was handed to the block layer, before any merge or split:
	// what an application or a file system asked for.
	Bio Kind = 1
	// Request is what the driver got: one or several bios, or a part of one.
	Request Kind = 2
)

func (k Kind) String() string {
	switch k {
	case Bio:
		return "bio"
	case Request:
		return "request"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// AppKind says whose id Event.App is.
type AppKind uint8

const (
	NoApp   AppKind = iota
	AIO             // aio_data of Linux AIO's iocb
	IOUring         // user_data of an io_uring entry
)

func (k AppKind) String() string {
	switch k {
	case NoApp:
		return "none"
	case AIO:
		return "aio"
	case IOUring:
		return "io_uring"
	}
	return fmt.Sprintf("app(%d)", uint8(k))
}

// OtherOp stands for operations that traces have no name for (zone management,
// passthrough commands).
const OtherOp = traces.Op(traces.NumOps)

// Event is one bio or one request that has completed. Times are of CLOCK_MONOTONIC, in
// ns; 0 is not seen: a bio of a driver that takes bios (zram, device mapper) was never
// issued, a request without a scheduler never inserted.
type Event struct {
	Queue    int64 // the bio was handed to the block layer; of a request, its first bio
	Insert   int64 // the request went to the I/O scheduler
	Issue    int64 // the driver got the request, for the last time if it was requeued
	Complete int64 // 0 only for what Options.Unfinished asks for

	Sector   int64 // of 512 bytes, on the whole disk also where a partition was addressed
	Bytes    int64
	App      uint64 // the application's id of a bio's I/O, see AppKind
	Dev      Dev
	PID, TID uint32 // process and thread that queued the bio; a kernel thread for buffered writes
	Bios     uint16 // request: how many bios it had; bio: in how many pieces it went
	Requeues uint16 // how often the driver gave the request back
	Status   syscall.Errno
	Kind     Kind
	AppKind  AppKind
	Op       traces.Op // OtherOp for what traces have no name for
	Flags    traces.Flags
	Comm     [16]byte // name of the thread, ends at the first NUL
}

// Command is the name of the thread that queued the I/O.
func (e *Event) Command() string {
	for i, c := range e.Comm {
		if c == 0 {
			return string(e.Comm[:i])
		}
	}
	return string(e.Comm[:])
}

// QueueTime is how long the I/O waited before the driver got it, in ns; ok is whether
// both ends were seen.
func (e *Event) QueueTime() (ns int64, ok bool) { return between(e.Queue, e.Issue) }

// DeviceTime is how long driver and device had it, in ns.
func (e *Event) DeviceTime() (ns int64, ok bool) { return between(e.Issue, e.Complete) }

// TotalTime is QueueTime and DeviceTime together, in ns.
func (e *Event) TotalTime() (ns int64, ok bool) { return between(e.Queue, e.Complete) }

func between(from, to int64) (int64, bool) {
	if from == 0 || to == 0 {
		return 0, false
	}
	return max(to-from, 0), true
}

// Dev is a device's number as the kernel keeps it: major<<20 | minor.
type Dev uint32

// MakeDev is the number of a device.
func MakeDev(major, minor uint32) Dev { return Dev(major<<20 | minor&(1<<20-1)) }

// Major is the number of the driver.
func (d Dev) Major() uint32 { return uint32(d) >> 20 }

// Minor is the number of the device.
func (d Dev) Minor() uint32 { return uint32(d) & (1<<20 - 1) }

func (d Dev) String() string { return fmt.Sprintf("%d:%d", d.Major(), d.Minor()) }
