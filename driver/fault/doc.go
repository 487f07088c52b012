// Package fault wraps a driver and makes the faults of a plan, in the language of
// [blksim/sim/faultplan]: the same that the simulated device takes.
//
// What it makes of an operation that is hit:
//
//	read-error, write-error   it ends as MediaError or IOError; the device never has it
//	corrupt                   one bit of what a read brings is wrong
//	torn-write                the first half of the blocks is stored
//	misdirected-write         the blocks are stored behind where they belong, or at the start
//	lost-write                nothing is stored
//	spike, stall              it is held for so long, or until the stall is over
//	hang                      it is kept until Heal or a reset, whatever is cancelled
//	lost-interrupt            its completion is kept until Poll, Heal or a reset
//	duplicate                 it is completed twice in a row
//	fatal                     from then on everything hangs, until a reset
//	remove                    from then on everything ends as Gone
//
// A power cut takes the device's memory and a late completion its own protocol, so
// a plan with those is refused. Buffers stay whole: what is failed is not passed
// on, and what is with the wrapped driver ends when that gives it back.
//
// A queue has Cancel if the wrapped one has; with lost-interrupt in the plan it has
// Poll. The driver has Reset: what is kept ends as TimedOut, and the wrapped driver
// is reset if it can be, or else awaited.
//
// A queue belongs to its lane. The injector, which counts for all of them, is
// behind a leaf lock.
package fault
