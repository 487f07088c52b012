// Package aio is the asynchronous I/O core: I/Os that can be cancelled at any
// stage, and of which each completes exactly once.
//
// A [Context] has a fixed number of kiocbs. [Context.Submit] takes one, hands a
// [Kiocb] to a [Target], and returns an [ID]. The target calls Kiocb.Complete
// when it is done, and an [Event] arrives: from [Context.Events] in real time, or
// at [Options].OnEvents. [Context.Cancel] may come at any moment from anywhere: it
// never waits, never decides for the target, and answers what it could do.
//
// # For targets
//
// A target without a cancel callback looks at Kiocb.Cancelled before each step
// that costs something, and asks Kiocb.TryStart before it hands the I/O to its
// device: after a false, the device must never see it. A target that has to be
// kicked registers a callback with Kiocb.SetCancelFunc. Both give the same
// guarantees:
//
//   - an accepted cancel is never lost, whenever the callback was registered;
//   - the callback runs at most once, never two at a time, and never for
//     another I/O;
//   - a cancel that was accepted before TryStart keeps the I/O from its device;
//   - the event tells the truth: OK where the I/O was done after all.
//
// # What runs where
//
// Submit runs on a lane, Start too; Complete on any lane, or on none. A callback
// runs on whatever goroutine cancels. OnEvents runs on the lane that completed,
// from its loop. Nothing here starts a goroutine or reads a clock.
//
// # What is shared
//
// Per kiocb its slot, a line of the cache (page.go), with the cancel word (word.go
// has the protocol and its reasons), and
// between lanes the tag pool (tags.go), the page table (page.go), the completion
// rings (ring.go), and the counts of submitted and reaped (context.go). The only locks
// are leaves, off the path of an I/O: one for completions delivered outside all
// lanes, and one for each of the turns of those who reap and those who close.
//
// # What cannot fail
//
// A place in the completion rings is reserved at submit and given back at reap,
// so a completion always has room. Tags are conserved on every path: a failed
// submit leaves its slot FREE in a new generation, or never published.
package aio
