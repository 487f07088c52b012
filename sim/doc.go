// Package sim is the simulated world: a [lane.Group] whose lanes all run on the
// caller's goroutine, over a virtual clock that jumps from event to event.
//
// A [World] is a pure function of its seed and of what is run on it. Its events
// (posted functions and timers) run one at a time, strictly in the order of
// (time, sequence): an earlier time first, and at one time the one first that
// was posted or armed first. Nothing else decides: no goroutine, no map, no
// wall clock.
//
// # How it runs
//
// What is posted at the current instant waits in a first-in, first-out ring; a
// timer for later waits in the event queue of package wheel. The clock moves
// only when the ring is empty, and then to the next timer, so everything in the
// ring was posted after everything that was armed for this instant before it
// began: timers of the instant first, then the ring, is the order of (time,
// sequence) without comparing anything. A timer armed with d <= 0 joins the
// ring.
//
// # Who may call what
//
// A world belongs to one goroutine. Outside of all events that goroutine may
// call everything but the methods of timers, which belong to their lanes.
// Inside an event it may not step the world again. Both are programmer's errors
// and panic with a text that begins with "sim: ".
//
// # Random numbers
//
// [World.Rand] gives a stream for each purpose, seeded from (seed, purpose): a
// new consumer never shifts the numbers of another. All draws are computed with
// integers, so they are the same on every machine.
package sim
