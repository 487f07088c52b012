package spec

// Admin command opcodes (Base 5).
const (
	AdminDeleteSQ    = 0x00
	AdminCreateSQ    = 0x01
	AdminGetLogPage  = 0x02
	AdminDeleteCQ    = 0x04
	AdminCreateCQ    = 0x05
	AdminIdentify    = 0x06
	AdminAbort       = 0x08
	AdminSetFeatures = 0x09
	AdminGetFeatures = 0x0a
	AdminAsyncEvent  = 0x0c
	AdminNSManage    = 0x0d
	AdminNSAttach    = 0x15
	AdminFormat      = 0x80
)

// I/O command opcodes (Base 7.1, NVM 3.2).
const (
	IOFlush             = 0x00
	IOWrite             = 0x01
	IORead              = 0x02
	IOCompare           = 0x05
	IOWriteZeroes       = 0x08
	IODatasetManagement = 0x09
	IOVerify            = 0x0c
	IOCancel            = 0x18
	IOCopy              = 0x19
)

// NSIDAll names all namespaces.
const NSIDAll = 0xffff_ffff

// Bits of CDW12 of Read, Write and Write Zeroes (NVM 3.2.4, 3.2.6, 3.2.8). The
// low 16 are NLB, the number of logical blocks, 0's based.
const (
	RWDirectiveShift = 20              // DTYPE 23:20, writes
	RWDirectiveMask  = 0xf << 20       //
	RWDeallocate     = uint32(1) << 25 // DEAC, Write Zeroes
	RWForceUnit      = uint32(1) << 30 // FUA
	RWLimitedRetry   = uint32(1) << 31 // LR
)

// Dataset Management (NVM 3.2.3): CDW10 7:0 is the number of ranges, 0's based;
// CDW11 the attributes. Its data is an array of ranges.
const (
	DSMDeallocate = uint32(1) << 2 // CDW11 AD
	DSMRangeSize  = 16             // bytes of one range
	DSMMaxRanges  = 256
)

// DSMRange takes one 16-byte range apart: context attributes, length in logical
// blocks, first LBA.
func DSMRange(b []byte) (slba uint64, blocks uint32) {
	return le.Uint64(b[8:]), le.Uint32(b[4:])
}

// PutDSMRange writes one 16-byte range.
func PutDSMRange(b []byte, slba uint64, blocks uint32) {
	le.PutUint32(b[0:], 0)
	le.PutUint32(b[4:], blocks)
	le.PutUint64(b[8:], slba)
}

// QueueCDW10 is CDW10 of Create I/O Submission and Completion Queue: the
// queue's id and its entries (1's based). Delete uses the id alone.
func QueueCDW10(qid uint16, entries int) uint32 {
	return uint32(qid) | uint32(entries-1)<<16
}

// CreateCQCDW11 is CDW11 of Create I/O Completion Queue (Base 5.4), physically
// contiguous, with interrupts to vector iv if on.
func CreateCQCDW11(iv uint16, on bool) uint32 {
	v := QueueContiguous | uint32(iv)<<16
	if on {
		v |= CQInterrupts
	}
	return v
}

// CreateSQCDW11 is CDW11 of Create I/O Submission Queue (Base 5.5), physically
// contiguous.
func CreateSQCDW11(cqid uint16, prio uint8) uint32 {
	return QueueContiguous | uint32(prio&3)<<1 | uint32(cqid)<<16
}

// Bits of CDW11 of the create commands.
const (
	QueueContiguous = uint32(1) << 0 // PC
	CQInterrupts    = uint32(1) << 1 // IEN
)

// AbortCDW10 is CDW10 of Abort (Base 5.1).
func AbortCDW10(sqid, cid uint16) uint32 { return uint32(sqid) | uint32(cid)<<16 }

// AbortNotDone is the bit of Abort's completion dword 0 that says that the
// command was not aborted.
const AbortNotDone = 1

// CDW0 FUSE (Base 3.3.3.1): whether a command is one of a fused pair.
const (
	FuseNone   = 0
	FuseFirst  = 1
	FuseSecond = 2
)

// Cancel (Base 7.1, of revision 2.1): CDW10 as in Abort, and CDW11 the action.
const (
	CancelSingle   = 0 // one command, by CID
	CancelMultiple = 1 // all of the queue but itself, by NSID
	CIDAll         = 0xffff
)

// CancelResult is dword 0 of a Cancel's completion: how many commands it has
// aborted, and how many it may yet abort.
func CancelResult(aborted, deferred int) uint32 {
	return uint32(min(aborted, 0xffff)) | uint32(min(deferred, 0xffff))<<16
}

// CancelCounts is the reverse.
func CancelCounts(v uint32) (aborted, deferred int) { return int(v & 0xffff), int(v >> 16) }

// Copy (NVM 3.2.2): CDW10 and 11 are the destination, CDW12 7:0 the number of
// ranges, 0's based, 11:8 the format of their descriptors. A range of format 0
// has 32 bytes.
const (
	CopyRangeSize   = 32
	CopyFormatShift = 8
	CopyFormatMask  = 0xf << 8
)

// CopyRange takes one source range apart: first LBA and number of blocks, 1's
// based.
func CopyRange(b []byte) (slba uint64, blocks int) {
	return le.Uint64(b[8:]), int(le.Uint16(b[16:])) + 1
}

// PutCopyRange writes one.
func PutCopyRange(b []byte, slba uint64, blocks int) {
	clear(b[:CopyRangeSize])
	le.PutUint64(b[8:], slba)
	le.PutUint16(b[16:], uint16(blocks-1))
}

// Format NVM (Base 5.14): CDW10.
const (
	FormatLBAFMask   = 0xf     // LBAF 3:0
	FormatPIMask     = 7 << 5  // PI 7:5
	FormatSESShift   = 9       // SES 11:9, secure erase
	FormatSESMask    = 7 << 9  //
	FormatLBAFUMask  = 3 << 12 // LBAF 5:4
	FormatEraseNone  = 0       //
	FormatEraseUser  = 1       //
	FormatEraseCrypt = 2       //
)

// Namespace Management and Attachment (Base 5.21, 5.22): CDW10 3:0.
const (
	NSCreate = 0
	NSDelete = 1
	NSAttach = 0
	NSDetach = 1
)
