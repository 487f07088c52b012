// Package sched decides which of the requests that wait in a hardware queue goes
// to the driver next.
//
// Three schedulers stand behind one interface, after those of Linux: none (in
// order of arrival), mq-deadline (in order of the extents, with an expiry for
// each direction; block/mq-deadline.c), and kyber (tokens for each class of
// operation, as many as keep the latency targets; block/kyber-iosched.c).
//
// A [Scheduler] belongs to one hardware queue and its lane; nothing here is
// locked, waits, or reads a clock: the time comes in as an argument. All links
// are in the [Entry], so adding and removing allocate nothing. Any entry can be
// taken out at any time: that is how a cancelled request leaves the queue, and
// how one that a merge has made longer at its front takes its new place. None of
// it can fail.
package sched
