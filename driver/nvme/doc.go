// Package nvme is the host driver for an NVMe controller (NVM Express Base 2.0,
// NVM Command Set 1.0, PCIe Transport 1.0) that it reaches through
// [blksim/device/nvme.Registers]. The memory and the interrupts of the host are
// its own: [Options].Connect hands them to the controller.
//
// # What runs where
//
//   - Open, OpenQueue, Close: outside all lanes. They wait for lanes, and for the
//     controller by timers of the admin lane, always for a bounded time.
//   - A queue's Submit, Commit, Poll, Cancel, and its interrupt handler: on the
//     queue's lane, which owns the queue and its slots.
//   - The admin queue, with the Aborts of all queues: on the admin lane.
//   - memory.Window and interrupts.Raise: on the controller's lane.
//
// Lanes meet in four places. Queue memory goes to the controller by a doorbell
// and comes back by a completion's phase bit. An interrupt is a post, at most one
// at a time for each queue. An Abort travels between a queue's lane and the
// admin lane by posts. Counters are written on one lane and read anywhere. There
// is no lock on any of these ways; Driver.mu is for opening and closing.
//
// # A command
//
// Submit takes a slot, maps the request's buffers onto the slot's bus addresses
// (memory.go, scatter.go), describes them by PRPs (prp.go) and fills in the
// submission entry in place. Commit rings the doorbell. The handler consumes
// completions and completes their requests. The head doorbell is rung at most
// once for a batch, and along with the next tail if that is soon enough.
//
// # The states of a command identifier
//
//	          Submit             CQE
//	free ------------> in flight ----> free
//	                    |     ^
//	             Cancel |     | release
//	                    v     |
//	                   aborting -----> quarantined ------> free
//	                             CQE               release
//
// Abort names its victim by queue and command identifier (Base 5.1) and travels
// on another queue, so the command may have completed, and its identifier have
// been given to another I/O, before the controller acts on the Abort. Therefore
// an identifier whose Abort is queued or outstanding is not given away: the
// request completes as soon as its completion entry (CQE) comes, and the
// identifier is quarantined until the Abort is answered, or dropped unsent
// (release). Identifiers beyond the queue's depth keep this from costing depth.
//
// Where Options.Cancel asks for it and the controller has it, Cancel is sent in
// the command's own queue instead (cancelcmd.go): it needs no other lane, and is
// not bound by the controller's Abort limit. The identifier is held in the same
// way.
//
// Status 07h, Command Abort Requested, completes a request as Cancelled, so the
// number of those is the number of Aborts answered "aborted" and of commands that
// Cancels counted, unless something else aborts commands of ours.
//
// # What cannot fail
//
// A completion that names no command of ours (unknown, free, completed before,
// or of the wrong queue) is counted in Stats.Strays and ignored. An address that
// is not mapped has no window. Submit, Commit and completions allocate nothing,
// once a slot has grown to the sizes that it is used for.
//
// A controller that stops answering is not noticed here: its commands stay with
// it, and whoever sent them has the timeouts. He may poll a queue, cancel, and at
// last call [Driver.Reset] (reset.go), after which every request has ended, or the
// driver is gone.
package nvme
