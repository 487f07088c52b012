package uring

// What follows is the kernel's include/uapi/linux/io_uring.h, as far as it is used.

// SQE is a submission entry.
type SQE struct {
	Opcode   uint8
	Flags    uint8
	IOPrio   uint16
	FD       int32
	Off      uint64 // or addr2
	Addr     uint64
	Len      uint32
	OpFlags  uint32 // rw_flags, poll32_events, cancel_flags, ...
	UserData uint64
	BufIndex uint16 // or buf_group
	_        uint16 // personality
	_        int32  // file_index, ...
	_        [2]uint64
}

// CQE is a completion entry. Res is what the system call would have returned:
// an error is its number, negated.
type CQE struct {
	UserData uint64
	Res      int32
	Flags    uint32
}

// Operations, for SQE.Opcode.
const (
	OpNop         = 0
	OpReadv       = 1
	OpWritev      = 2
	OpFsync       = 3
	OpReadFixed   = 4
	OpWriteFixed  = 5
	OpPollAdd     = 6
	OpAsyncCancel = 14
	OpRead        = 22
	OpWrite       = 23
)

// FixedFile, in SQE.Flags: FD is an index of the registered files.
const FixedFile = 1 << 0

// FsyncDatasync, in SQE.OpFlags of OpFsync: as fdatasync.
const FsyncDatasync = 1 << 0

// Flags of io_uring_setup.
const (
	setupIOPoll       = 1 << 0
	setupSQPoll       = 1 << 1
	setupCQSize       = 1 << 3
	setupClamp        = 1 << 4
	setupSubmitAll    = 1 << 7  // 5.18
	setupCoopTaskrun  = 1 << 8  // 5.19
	setupTaskrunFlag  = 1 << 9  // 5.19
	setupSingleIssuer = 1 << 12 // 6.0
	setupDeferTaskrun = 1 << 13 // 6.1
	setupNoSQArray    = 1 << 16 // 6.6
)

const (
	featSingleMmap = 1 << 0
	featExtArg     = 1 << 8

	offRings = 0
	offSQEs  = 0x10000000

	enterGetEvents      = 1 << 0
	enterSQWakeup       = 1 << 1
	enterExtArg         = 1 << 3
	enterRegisteredRing = 1 << 4

	sqNeedWakeup = 1 << 0
	sqOverflow   = 1 << 1
	sqTaskrun    = 1 << 2

	registerBuffers   = 0
	registerFiles     = 2
	unregisterFiles   = 3
	updateFiles       = 6
	registerRingFDs   = 20
	unregisterRingFDs = 21
)

type params struct {
	sqEntries, cqEntries uint32
	flags                uint32
	sqThreadCPU          uint32
	sqThreadIdle         uint32 // milliseconds
	features             uint32
	wqFD                 uint32
	_                    [3]uint32
	sq                   sqOffsets
	cq                   cqOffsets
}

type sqOffsets struct {
	head, tail, mask, entries, flags, dropped, array, _ uint32
	_                                                   uint64
}

type cqOffsets struct {
	head, tail, mask, entries, overflow, cqes, flags, _ uint32
	_                                                   uint64
}

// rsrcUpdate is struct io_uring_rsrc_update.
type rsrcUpdate struct {
	offset, _ uint32
	data      uint64
}

// filesUpdate is struct io_uring_files_update.
type filesUpdate struct {
	offset, _ uint32
	fds       uint64
}

// eventsArg is struct io_uring_getevents_arg.
type eventsArg struct {
	sigmask   uint64
	sigmaskSz uint32
	_         uint32
	ts        uint64 // address of a timespec
}
