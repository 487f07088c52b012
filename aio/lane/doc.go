// Package lane is the one seam between blksim's stack and the world: time,
// scheduling and nothing else.
//
// A [Lane] runs functions one at a time. The stack (aio, blk, driver,
// device/nvme) is written against Lane alone, so the same code runs on
// goroutines in real time ([NewReal]) and on one goroutine in virtual time
// (package sim), and cannot tell which.
//
// Rules, for both:
//   - Post never runs inline, never blocks, and is FIFO for each (sender, lane).
//   - A Timer belongs to its lane: Arm and Stop are called there, and its
//     function runs there.
//   - Two functions of one lane never overlap, and what the first wrote the
//     second sees.
//
// In a real group each lane is a goroutine with an inbox behind a leaf lock, and
// a queue of timers that only the lane touches. A lane with nothing to do parks;
// it never spins, unless asked to ([Spinner]). Posted functions and due timers take
// turns of bounded length, so neither keeps the other waiting for long. A lane may
// wait in the ring of an I/O engine rather than for its inbox alone ([Waiter]).
package lane
