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
	InvalidNamespace     Status = 0x00b
	CommandSequenceError Status = 0x00c
	PRPOffsetInvalid     Status = 0x013
	LBAOutOfRange        Status = 0x080
	CapacityExceeded     Status = 0x081
	NamespaceNotReady    Status = 0x082
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
	InvalidQueueDeletion     Status = 0x10c
	FeatureNotSaveable       Status = 0x10d
	FeatureNotChangeable     Status = 0x10e
	FeatureNotPerNamespace   Status = 0x10f
	ConflictingAttributes    Status = 0x180
	InvalidProtectionInfo    Status = 0x181
	WriteToReadOnlyRange     Status = 0x182
	CommandSizeLimitExceeded Status = 0x183
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
	switch s.Code() {
	case Success:
		return "success"
	case InvalidOpcode:
		return "invalid opcode"
	case InvalidField:
		return "invalid field"
	case CIDConflict:
		return "command id conflict"
	case DataTransferError:
		return "data transfer error"
	case InternalError:
		return "internal error"
	case AbortRequested:
		return "abort requested"
	case AbortedSQDeletion:
		return "aborted by queue deletion"
	case InvalidNamespace:
		return "invalid namespace"
	case CommandSequenceError:
		return "command sequence error"
	case PRPOffsetInvalid:
		return "PRP offset invalid"
	case LBAOutOfRange:
		return "LBA out of range"
	case CapacityExceeded:
		return "capacity exceeded"
	case NamespaceNotReady:
		return "namespace not ready"
	case CQInvalid:
		return "completion queue invalid"
	case InvalidQueueID:
		return "invalid queue id"
	case InvalidQueueSize:
		return "invalid queue size"
	case AbortLimitExceeded:
		return "abort limit exceeded"
	case AERLimitExceeded:
		return "event request limit exceeded"
	case InvalidInterruptVector:
		return "invalid interrupt vector"
	case InvalidLogPage:
		return "invalid log page"
	case InvalidQueueDeletion:
		return "invalid queue deletion"
	case FeatureNotSaveable:
		return "feature not saveable"
	case FeatureNotChangeable:
		return "feature not changeable"
	case FeatureNotPerNamespace:
		return "feature not namespace specific"
	case ConflictingAttributes:
		return "conflicting attributes"
	case InvalidProtectionInfo:
		return "invalid protection information"
	case WriteToReadOnlyRange:
		return "write to read only range"
	case CommandSizeLimitExceeded:
		return "command size limit exceeded"
	case WriteFault:
		return "write fault"
	case UnrecoveredRead:
		return "unrecovered read error"
	case CompareFailure:
		return "compare failure"
	case AccessDenied:
		return "access denied"
	}
	return fmt.Sprintf("status %d/%02xh", s.SCT(), s.SC())
}
