// Package driver is the contract between the block layer and a block driver.
//
// An author writes two types: a [Driver], which is an open device, and a
// [Queue], which takes requests on one lane. There is nothing to lock: a queue's
// methods, its completions and its timers all run on its lane, and a driver
// never sees a goroutine. driver/ram is a complete driver in under 60 lines: the
// file to copy.
//
// # Cancellation, with and without a callback
//
// Every request can be cancelled, whatever the driver does. The block layer
// skips a cancelled I/O that is still in its own queues: the driver never sees
// it. For one that is already with the driver there are two flavours, and they
// differ by one method:
//
//   - A queue without Cancel. The I/O is marked, and the device finishes it as
//     if nothing had happened. That is always correct, and only as quick as the
//     device.
//   - A queue with Cancel ([Canceler]). The block layer calls it on the queue's
//     lane, and the driver may give the request back early with
//     [blksim/aio.Cancelled], if it can do so truthfully: the buffers must not be
//     touched afterwards.
//
// Either way each request is completed exactly once, and the result given by
// Complete is the truth: OK for an I/O that was done although somebody had
// cancelled it.
package driver
