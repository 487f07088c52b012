// Package blk is the block layer: it takes I/Os from [blksim/aio] and gives
// requests to a [blksim/driver].
//
// A [Disk] is an aio.Target. An I/O goes
//
//	Start -> bounds -> bio -> software queue of the submitting lane (plug)
//	      -> hardware queue (on its lane): merge, scheduler
//	      -> tag, TryStart, split -> driver.Queue.Submit
//	      -> Commit after the run -> ... -> Request.Complete -> Kiocb.Complete
//
// That is the way of all. Most I/Os go a shorter one with the same result, without a
// request (plain.go).
//
// # Who owns what
//
//   - A bio belongs to the slot of its kiocb and is kept there for the next I/O.
//     The submitting lane fills it, and from the hand-over on the hardware
//     queue's lane has it.
//   - A software queue belongs to its submitting lane.
//   - A hardware queue, its requests, its tags and its counters belong to its
//     lane. If a submitter is on that lane the hand-over is a call, else a Post.
//   - What concerns all queues, a reset or a removal, belongs to the lane of the
//     first queue (control.go).
//
// # Cancellation
//
// TryStart decides the race between a cancel and the dispatch: after a lost one
// the device never sees the I/O. A bio that can be dispatched at once carries no
// callback: the mark on its kiocb is enough. One that has to wait gets a callback
// that posts a kick to the queue's lane, where it is taken out of the middle of
// the queue (not with Options.LazyCancel). A bio that is with the driver is left
// alone if the driver's queue has no Cancel; if it has, the kick calls that, once
// (cancel.go). Of I/Os that share a request:
//
//   - A cancelled one is taken out of the request before it is dispatched, and the
//     others go; the request is skipped only if all of its I/Os are cancelled.
//   - The driver is asked to cancel it only if all of them are.
//   - An I/O that was split ends once, by the rule at the type outcome (bio.go).
//   - I/Os behind one [Gate] start all, or none.
//
// # Recursion and waiting
//
// A driver may complete inside Submit, and an event handler may submit again: the
// queue notes it and goes on from its loop. A queue that stops, for want of a tag
// or because the driver said Busy, is run again by the next completion, by the
// set whose tags it shares, or by a timer if nothing is in flight. Nothing spins.
//
// # A device that does not answer
//
// With Options.Timeout everything ends: timeout.go has the ladder. Without, what
// the device keeps it keeps.
package blk
