// Package guard keeps a run from writing to what somebody needs.
//
// # What is refused
//
// [Claim] gives the right to write to a file or block device, or says why not:
//
//   - It is in use: mounted, active swap, held by another device (device mapper, md,
//     bcache) or behind a loop device; itself, one of its partitions, the disk that
//     it is a partition of, or anything stacked on those. Or another program has it
//     open: a block device exclusively, a file for writing.
//   - It is read-only.
//   - It has something on it that looks wanted: a signature (package signature), or
//     partitions. That, and nothing else, can be overridden: what is in use must be
//     released by whoever uses it, since two writers make garbage of both.
//
// A claim is an open file, exclusive where the kernel has that (O_EXCL on block
// devices), and stays so until it is closed: what was free at the begin of a run is
// not mounted in the midst of it.
//
// # Why so many ways to look
//
// Each misses something. O_EXCL does not see the file or device behind a loop device.
// /proc/self/mountinfo does not see other mount namespaces, which O_EXCL does. The
// strings of /proc/mounts are not the names that a user writes: symbolic links and
// other device nodes lead to the same device, so devices are told by their number.
// btrfs and others mount with numbers of their own, so the source counts as well.
//
// Symbolic links are resolved once; what is then opened is compared with what was
// looked at. Nothing is ever created below /dev, where a file of a mistyped name
// would take the data into memory.
package guard
