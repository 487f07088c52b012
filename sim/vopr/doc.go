// Package vopr runs the whole stack (aio, blk, a driver, a device) in a simulated
// world, under options and a workload that are drawn from a seed, and checks that
// nothing goes wrong. One seed is one run, which runs the same way every time;
// thousands of seeds are the test.
//
// The idea, and the name, are those of TigerBeetle's VOPR (Viewstamped Operation
// Replicator): swarm testing (Groce et al., ISSTA 2012), where each run leaves
// most features out, so that those that are in get room, and two phases.
//
//   - Safety: clients submit, overlap, cancel, and cancel again; what can fail does.
//     Every event must be the truth, and what is read must be what a model
//     ([blksim/internal/blockmodel]) allows.
//   - Healing: nothing is cancelled and nothing fails any more, and everything that
//     is under way must end in bounded time. Then all blocks are read and compared,
//     every I/O is accounted for in each layer's own counters, and the stack closes.
//
// [Draw] makes the [Options] of a seed, [Run] runs them, and [Shrink] makes options
// that fail as simple as they go. A [Failure] prints the command that runs it
// again. Everything is on one goroutine, so nothing here is locked.
package vopr
