// Package loopdev makes block devices for tests and benchmarks, and takes them
// away again: loop devices over files, zram devices, file systems and mounts on
// them, and a limit on how fast they are. Nothing here touches a device that it did
// not make.
//
// # Who cleans up
//
// A loop device is made with autoclear: the kernel takes it away when the last who
// has it open closes it, so it goes with its process, however that ends. A zram
// device, a mount and a limit stay until they are taken back. A test leaves that to
// the functions that take a [TB]; a program adds what takes them back to an [Undo],
// which runs it also when a signal ends the program.
//
// # Who else makes devices
//
// Other processes make loop devices at the same time. The kernel is asked for a
// free one, and again if somebody else was faster; no number is ever assumed.
//
// # What may be missing
//
// On anything but Linux, without the right (root, CAP_SYS_ADMIN), or on a kernel
// without the feature, an error wraps [ErrUnavailable] and says what is missing;
// the functions for tests skip with it. Any goroutine may call everything here.
package loopdev
