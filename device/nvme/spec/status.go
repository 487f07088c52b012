package spec

import "fmt"

// Status is the status field of a completion without the phase tag: SC 7:0,
// SCT 10:8, CRD 12:11, M 13, DNR 14 (Base 3.3.3.2.1).
type Status uint16

// Bits of Status beside the code.
const (
	More       Status = 1 << 13 // M: more in the error log
	DoNotRetry Status = 1 << 14 // DNR
	codeMask   Status = 0x7ff   // SCT and SC
)

// Generic command status (SCT 0).
const (
	Success              Status = 0x000
	InvalidOpcode        Status = 0x001
	InvalidField         Status = 0x002
	CIDConflict          Status = 0x003
	DataTransferError    Status = 0x004
	InternalError        Status = 0x006
	AbortRequested       Status = 0x007
	AbortedSQDeletion    Status = 0x008
	FusedFailed          Status = 0x009
	FusedMissing         Status = 0x00a
	InvalidNamespace     Status = 0x00b
	CommandSequenceError Status = 0x00c
	SGLInvalidSegment    Status = 0x00d
	SGLInvalidCount      Status = 0x00e
	SGLLengthInvalid     Status = 0x00f
	SGLTypeInvalid       Status = 0x011
	PRPOffsetInvalid     Status = 0x013
	LBAOutOfRange        Status = 0x080
	CapacityExceeded     Status = 0x081
	NamespaceNotReady    Status = 0x082
	FormatInProgress     Status = 0x084
)

// Command specific status (SCT 1).
const (
	CQInvalid                Status = 0x100
	InvalidQueueID           Status = 0x101
	InvalidQueueSize         Status = 0x102
	AbortLimitExceeded       Status = 0x103
	AERLimitExceeded         Status = 0x105
	InvalidInterruptVector   Status = 0x108
	InvalidLogPage           Status = 0x109
	InvalidFormat            Status = 0x10a
	InvalidQueueDeletion     Status = 0x10c
	FeatureNotSaveable       Status = 0x10d
	FeatureNotChangeable     Status = 0x10e
	FeatureNotPerNamespace   Status = 0x10f
	NSInsufficientCapacity   Status = 0x115
	NSIDUnavailable          Status = 0x116
	NSAlreadyAttached        Status = 0x118
	NSNotAttached            Status = 0x11a
	ThinNotSupported         Status = 0x11b
	ControllerListInvalid    Status = 0x11c
	CommandSetNotSupported   Status = 0x129
	ConflictingAttributes    Status = 0x180
	InvalidProtectionInfo    Status = 0x181
	WriteToReadOnlyRange     Status = 0x182
	CommandSizeLimitExceeded Status = 0x183
	InvalidCommandID         Status = 0x184 // of Cancel; other commands have other meanings for it
)

// Media and data integrity errors (SCT 2).
const (
	WriteFault      Status = 0x280
	UnrecoveredRead Status = 0x281
	CompareFailure  Status = 0x285
	AccessDenied    Status = 0x286
)

// Code is the status without the M, CRD and DNR bits: what the constants above
// are to be compared with.
func (s Status) Code() Status { return s & codeMask }

// SC is the status code within its type.
func (s Status) SC() uint8 { return uint8(s) }

// SCT is the status code type.
func (s Status) SCT() uint8 { return uint8(s >> 8 & 7) }

// DNR says that a repeated command would fail again.
func (s Status) DNR() bool { return s&DoNotRetry != 0 }

// OK says that the command succeeded.
func (s Status) OK() bool { return s&codeMask == 0 }

// String is the name of the code, as it appears in reports.
func (s Status) String() string {
	if name, ok := statusNames[s.Code()]; ok {
		return name
	}
	return fmt.Sprintf("status %d/%02xh", s.SCT(), s.SC())
}

var statusNames = map[Status]string{
	Success:                  "success",
	InvalidOpcode:            "invalid opcode",
	InvalidField:             "invalid field",
	CIDConflict:              "command id conflict",
	DataTransferError:        "data transfer error",
	InternalError:            "internal error",
	AbortRequested:           "abort requested",
	AbortedSQDeletion:        "aborted by queue deletion",
	FusedFailed:              "failed fused command",
	FusedMissing:             "missing fused command",
	InvalidNamespace:         "invalid namespace",
	CommandSequenceError:     "command sequence error",
	SGLInvalidSegment:        "invalid SGL segment descriptor",
	SGLInvalidCount:          "invalid number of SGL descriptors",
	SGLLengthInvalid:         "data SGL length invalid",
	SGLTypeInvalid:           "SGL descriptor type invalid",
	PRPOffsetInvalid:         "PRP offset invalid",
	LBAOutOfRange:            "LBA out of range",
	CapacityExceeded:         "capacity exceeded",
	NamespaceNotReady:        "namespace not ready",
	FormatInProgress:         "format in progress",
	CQInvalid:                "completion queue invalid",
	InvalidQueueID:           "invalid queue id",
	InvalidQueueSize:         "invalid queue size",
	AbortLimitExceeded:       "abort limit exceeded",
	AERLimitExceeded:         "event request limit exceeded",
	InvalidInterruptVector:   "invalid interrupt vector",
	InvalidLogPage:           "invalid log page",
	InvalidFormat:            "invalid format",
	InvalidQueueDeletion:     "invalid queue deletion",
	FeatureNotSaveable:       "feature not saveable",
	FeatureNotChangeable:     "feature not changeable",
	FeatureNotPerNamespace:   "feature not namespace specific",
	NSInsufficientCapacity:   "namespace insufficient capacity",
	NSIDUnavailable:          "namespace identifier unavailable",
	NSAlreadyAttached:        "namespace already attached",
	NSNotAttached:            "namespace not attached",
	ThinNotSupported:         "thin provisioning not supported",
	ControllerListInvalid:    "controller list invalid",
	CommandSetNotSupported:   "I/O command set not supported",
	ConflictingAttributes:    "conflicting attributes",
	InvalidProtectionInfo:    "invalid protection information",
	WriteToReadOnlyRange:     "write to read only range",
	CommandSizeLimitExceeded: "command size limit exceeded",
	InvalidCommandID:         "invalid command id",
	WriteFault:               "write fault",
	UnrecoveredRead:          "unrecovered read error",
	CompareFailure:           "compare failure",
	AccessDenied:             "access denied",
}
