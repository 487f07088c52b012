// Package explore runs real concurrent code through every interleaving of its
// shared steps.
//
// It works in builds with the tag "interleave", in which the marks of package
// step are scheduling points. A [Scenario] makes fresh state and two to four
// actors, plain functions. Each actor is a coroutine, parked before its next
// shared step; one runs at a time, and which one is next is the explorer's
// choice. After a run the last choice that has an untried alternative is
// changed, and the scenario is run again from the start with the same choices
// up to there. That way all schedules are run, depth first, without saving any
// state of the code under test.
//
// # What it finds
//
//   - a check that fails: [Trial.Failf] in an actor, in an [Trial.Invariant]
//     (after each step) or in a [Trial.Final] (after the last);
//   - a panic in an actor;
//   - actors that all wait for each other: every one that is left stands in
//     step.Yield, and nobody has written what it read before, or in step.Recv
//     with nothing to receive, or in step.Lock. A lost wake-up shows like this;
//   - a schedule that does not end.
//
// A finding comes with its schedule, as one digit a step, with a trace that
// names what each step did and where it is in the source, and with the command
// that runs that one schedule again. The schedule is a short one: by small changes,
// and then by running all schedules with fewer switches, within a bound of runs and
// time, it was brought down to few switches from actor to actor, and of these to
// few steps, with the same reason but for its numbers. EXPLORE_SHRINK=0 in the
// environment leaves it as it was found.
//
// # Reduction
//
// Two steps are independent if they touch different words or if both only read.
// Schedules that differ in the order of neighbouring independent steps do the
// same, and one of each such class is run:
//
//   - [Races], the default, tries another order only where two steps of the
//     schedule at hand race (dynamic partial-order reduction with source sets);
//   - [States] leaves out a step where the outcome would be that of an earlier
//     branch (sleep sets, Godefroid). It runs the same classes and cuts many
//     more runs short, but it reaches every state, so an invariant sees all;
//   - [None] leaves out nothing.
//
// The first two also leave out that a step.CAS fails: nothing happened then but
// that its actor starts over, and to have come later is another schedule.
//
// This package's tests compare the three on random programs: final states, states
// on the way, classes run once each, and the outcomes of programs that branch,
// lock, send, receive, spin and compare-and-swap.
//
// # What a scenario must keep to
//
//   - It is deterministic: no clock, no random number, no map order, no
//     goroutine. A run that does not repeat its prefix is an error.
//   - State that its actors share besides the code under test is marked as
//     that is, with step.Read and step.Write, unless only Final reads it.
//   - It never blocks but in step.Yield, step.Recv and step.Lock: an actor
//     parked under a plain mutex that another one wants stops the program.
//   - What an actor does before its first mark is run as part of the setup.
//
// # What it does not show
//
// Memory is sequentially consistent here, as Go's atomics are; plain accesses
// that race are the race detector's to find. And the proof is for the scenario's
// actors and sizes, not for more.
package explore
