package traces

import "fmt"

// Op is what a record asks of the device.
type Op uint8

const (
	Read Op = iota
	Write
	Flush
	Discard
	WriteZeroes

	NumOps = int(iota)
)

var opNames = [...]string{"read", "write", "flush", "discard", "write-zeroes"}

// opLetters are the ops as blksim's text format and Options.OpMap write them.
const opLetters = "RWFDZ"

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// ParseOp reads an op by its name or by its letter, R W F D or Z.
func ParseOp(s string) (Op, bool) {
	for i, name := range opNames {
		if s == name || s == opLetters[i:i+1] {
			return Op(i), true
		}
	}
	return 0, false
}

// Flags are the properties of an I/O that do not change where its data goes; after
// the kernel's REQ_* flags, as blkparse's rwbs shows them.
type Flags uint8

const (
	FUA       Flags = 1 << iota // to stable media before it completes
	Preflush                    // the device's cache is to be flushed before it
	Sync                        // somebody waits for it
	Meta                        // metadata of a file system
	Readahead                   // nobody has asked for it yet

	allFlags = FUA | Preflush | Sync | Meta | Readahead
)

// Record is one I/O of a trace. Of the fields behind Line, zero is what the format
// or the trace does not hold.
//
// native and blksim's text hold all of them; MSR, SYSTOR and vscsi2 have a response
// time; of blktrace and blkparse one event of each I/O becomes the record, and the later
// ones are paired with it (pairing.go).
type Record struct {
	Time        int64 // ns from the trace's first record: when the I/O was queued
	Offset      int64 // bytes; never negative
	Length      int64 // bytes; 0 only for Flush; Offset+Length fits in an int64
	CancelAfter int64 // ns after Time at which this I/O is to be cancelled; -1: never
	Line        int64 // line (text, from 1), byte offset (binary) or number (native, from 1)

	Issued    int64  // ns after Time at which the driver got it, at least 1; 0: not recorded
	Completed int64  // ns after Time at which it completed, at least 1; 0: not recorded
	App       uint64 // the application's own id of the I/O, such as io_uring's user_data
	Volume    uint32 // index into Names.Volumes
	Process   uint32 // index into Names.Processes; 0: not recorded
	Status    uint16 // errno that it completed with; 0: success, or not recorded
	Flags     Flags
	Op        Op
}

// Process is who asked for an I/O.
type Process struct {
	PID  uint32
	Name string // comm: at most 255 bytes
}

// Names are what the indexes of records stand for. The lists only grow while a
// trace is read; they are not to be changed.
type Names struct {
	Volumes   []string  // "" is a trace's only volume if it names none
	Processes []Process // the first is the zero Process: not recorded
}
