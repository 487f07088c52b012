package nvme

import (
	"blksim/aio"
	"blksim/device/nvme/spec"
)

// statusOf is what a command's status means to whoever asked for the I/O
// (Base 3.3.3.2.1, NVM 4.1.3). Do Not Retry and More do not change it.
func statusOf(s spec.Status) aio.Status {
	switch s.Code() {
	case spec.Success:
		return aio.OK
	case spec.AbortRequested:
		return aio.Cancelled
	case spec.InvalidOpcode:
		return aio.NotSupported
	case spec.InvalidField, spec.PRPOffsetInvalid, spec.CommandSizeLimitExceeded:
		return aio.Invalid
	case spec.LBAOutOfRange:
		return aio.OutOfRange
	case spec.AbortedSQDeletion, spec.InvalidNamespace:
		return aio.Gone
	}
	const media = 2 // SCT of media and data integrity errors
	if s.SCT() == media && s.Code() != spec.CompareFailure {
		return aio.MediaError
	}
	return aio.IOError
}
