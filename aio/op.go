package aio

import "fmt"

// Op is what an I/O asks of its target.
type Op uint8

// The operations. Flush moves no data and has no extent; Discard and
// WriteZeroes have an extent and no buffer.
const (
	OpRead Op = iota
	OpWrite
	OpFlush
	OpDiscard
	OpWriteZeroes

	NumOps = iota // how many operations there are
)

var opNames = [NumOps]string{"read", "write", "flush", "discard", "write-zeroes"}

// String returns the operation's name, as it appears in reports.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// HasData says whether the operation moves a buffer.
func (o Op) HasData() bool { return o <= OpWrite }

// Flags refine a write, on a device with a volatile cache; elsewhere, and on other
// operations than the one named, they change nothing.
type Flags uint8

const (
	// FUA (force unit access): the write's data is on the medium when it
	// completes.
	FUA Flags = 1 << iota
	// PreFlush: what had completed before this write was submitted is on the
	// medium before any of the write's own data.
	PreFlush
)

// Status is how an I/O ended. It is a small integer because it travels on the
// hot path; [Status.Err] turns it into an error at the edge.
type Status uint8

const (
	OK           Status = iota // done in full
	Cancelled                  // not done, because somebody cancelled it
	Busy                       // from a driver's Submit only: no room now, try again later
	Invalid                    // not aligned, too long, or malformed
	OutOfRange                 // the extent passes the end of the device
	NotSupported               // the target has no such operation
	IOError                    // the device failed it
	MediaError                 // the device could not read or write the medium
	TimedOut                   // the device gave no answer in time
	Gone                       // the device was removed or the driver closed

	NumStatuses = iota // how many statuses there are
)

var statusNames = [NumStatuses]string{
	"ok", "cancelled", "busy", "invalid", "out-of-range", "not-supported",
	"io-error", "media-error", "timed-out", "gone",
}

// String returns the status's name, as it appears in reports.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// StatusError is a Status other than OK as an error.
type StatusError struct{ Status Status }

func (e *StatusError) Error() string { return "aio: " + e.Status.String() }

// Err returns nil for OK and a *StatusError for any other status.
func (s Status) Err() error {
	if s == OK {
		return nil
	}
	return &StatusError{s}
}
