package disk

import (
	"syscall"

	"blksim/aio"
)

// Errnos that not every system has a name for; the kernel's blk_errors[] of Linux
// (block/blk-core.c) says which failure of a device becomes which.
const (
	eNoData    = syscall.Errno(61)  // the medium
	eNoLink    = syscall.Errno(67)  // the transport
	eIllegal   = syscall.Errno(84)  // protection information
	eCancelled = syscall.Errno(125) // by io_uring, or by the engine
	eNoMedium  = syscall.Errno(123)
	eNotSupp   = syscall.Errno(95)
	eTimedOut  = syscall.Errno(110)
	eBadF      = syscall.Errno(9)
	eNoDev     = syscall.Errno(19)
	eNxIO      = syscall.Errno(6)
	eInval     = syscall.Errno(22)
	eShutdown  = syscall.Errno(108)
	eNoSys     = syscall.Errno(38)
)

// statusOf is the status that an errno means. What has none of its own, such as
// ENOSPC, is an IOError.
func statusOf(e syscall.Errno) aio.Status {
	switch e {
	case eCancelled:
		return aio.Cancelled
	case eNoData, eIllegal:
		return aio.MediaError
	case eTimedOut:
		return aio.TimedOut
	case eNoDev, eNxIO, eNoMedium, eShutdown, eBadF:
		return aio.Gone
	case eInval:
		return aio.Invalid
	case eNotSupp, eNoSys:
		return aio.NotSupported
	}
	return aio.IOError
}
