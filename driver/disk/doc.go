// Package disk is the driver of real disks: files and block devices of Linux through
// device/disk. Its queues need lanes in real time.
//
// # Requests
//
// A request is one I/O of the kernel, and goes to it with all others that the lane
// has come by in the same round. The end of a file that was cut, or a device that
// gives less than it was asked for, ends a request early: whole blocks that came
// are OK, and the block layer asks for the rest; none is IOError.
//
// # Buffers
//
// The kernel takes a buffer as it is if its address is a multiple of
// Info.MemoryAlign, and looks up no pages for it if it is of [Disk.Alloc]. A request
// with another buffer is copied through one of the driver's own, and counted
// (Stats.Bounced): to refuse it would shut out callers whose buffers lie well on one
// kernel and badly on the next.
//
// # Cancellation
//
// Cancel takes back what the kernel has not been told of yet, and asks the kernel
// for the rest, which it nearly never gives (Stats.Cancels says what it answered):
// then the request ends when the device ends it, as what the device says. Its buffers
// are the kernel's until then. What should be cancelled at once must wait above, in
// the block layer: that is what a small queue depth is for.
//
// # Errors
//
// A status says less than an errno, so Stats has the errnos, counted.
package disk
