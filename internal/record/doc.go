// Package record keeps of the I/Os of a run what histograms lose: the slowest
// ones with their stages, what happened when, and, for a Sink that wants it, each
// of them.
//
// All of it is bounded: [Slowest] keeps 1,024 I/Os, [Series] at most 512
// intervals, whose width doubles as the run gets longer, and a Stream to sinks
// has a fixed number of batches under way; a sink that is slower than the run
// holds the run up, and that is counted.
//
// A Recorder makes a watcher for each worker; a watcher belongs to its lane, and
// nothing is locked. Sinks run on a goroutine of their own. In a simulation all
// that is recorded is a function of the run: batches leave in the order in which
// they fill, on the one goroutine that there is.
package record
