// Package recorded turns what a trace recorded of its own I/Os into a run: the same
// tallies, distributions and intervals that a replay measures, so that whatever
// takes results takes a recording too (comparisons, thresholds, charts).
//
// A record counts as an I/O that was submitted when it was queued, was with the
// device from its issue to its completion, and ended with that. Records without a
// completion time are no I/Os of the run: they are counted as skipped, with that
// reason. The split in queue and device needs issue times, and is there only for the I/Os
// that have one.
package recorded
