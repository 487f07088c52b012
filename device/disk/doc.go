// Package disk does I/O on real disks: files and block devices of Linux, with
// O_DIRECT, by io_uring, Linux AIO or a pool of threads. On other systems Open says
// that it is not supported.
//
// # What it has
//
//   - [Open] opens a path and asks the device what it takes: [Info].
//   - [Engines] has one [Engine] for each lane that does I/O, whatever number of
//     disks that lane serves, and the [Arena] whose memory all of them know.
//   - An [IO] is one I/O. Its user makes it once and uses it again and again, so
//     that nothing is allocated on the way.
//
// driver/disk makes a block driver of it.
//
// # What runs where
//
// An Engine is the [lane.Waiter] of its lane: the lane waits for its I/Os and for
// whoever posts to it in one system call, so no goroutine stands between a
// completion and the lane. All methods of an Engine but Wake are for its lane
// alone, which is locked to its thread. Submit only queues. Poll and Wait hand the
// queue to the kernel, all that has come together in one system call, and Push does so
// at once ([lane.Pusher]). Poll calls the completions.
//
// Operations that the kernel can only do while somebody waits (discards, zeroes; with
// the engine sync all) go to a few goroutines, the pool, which gives them back
// through a list behind a leaf lock.
//
// # Memory
//
// The buffers of an IO belong to the kernel from Submit until CompleteIO, whatever
// Cancel was answered, and the engine holds on to them. An engine that is closed
// with I/Os in the kernel is left behind with their memory, for good: see
// [Engine.Close].
package disk
