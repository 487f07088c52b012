// Package model checks the cancel protocol as a state machine: breadth first,
// through every state that a configuration can get into.
//
// [Check] takes any [Model]. It finds steps that break a rule, states in which
// somebody waits for ever, and states from which the end can no longer be
// reached, and gives a shortest trace to the first of them. States are compared
// in full, never by hash alone, so a state that is counted as seen was seen.
//
// Three families of models are here:
//
//   - [Protocol] is ours, step by step as in package aio: each load, store and
//     compare-and-swap of a shared word is a step of its own, and so are the
//     steps of a submit and of a delivery around it. A configuration is a list of
//     actors, each a short program of calls ([Configurations]).
//   - Protocols with one thing changed for the worse ([Faults]) must fail. They
//     show that the model would notice.
//   - The protocol of 2013 as posted, and as repaired in one line ([Posted]),
//     must fail as well, each defect with a trace.
//
// The model knows nothing of aio. What ties the two together is a test in aio,
// which compares every decision about every word with [Decide].
//
// # What a rule is called
//
// S1 to S15 and L1 to L5 are the rules of the contract, by their numbers there.
// The model holds S1 to S10, S12, S13 and S15, and by its check that every state
// can reach the end also L1, L2 and L4.
//
// # What it does not show
//
// Memory is sequentially consistent. The numbers of actors, slots and I/Os are
// those of the configurations. Pages, the caches of the tag pool and the inside
// of the completion rings are left to the explorer of the real code.
package model
