// Package load makes synthetic loads, described with fio's words, and runs them.
//
// A [Job] says what to do; its options, with fio's names, are rows of the one
// option table, so that a flag, a key of a job file and the manual mean the same.
// [ParseFile] reads fio's job files, strictly: an option that blksim has not is
// refused, and not left out.
//
// Each job is a [replay.Engine] on one lane with a source of its own, and so all
// that replays have (deadlines, cancels, drivers, recording) loads have too. A
// job with a rate is an open loop: each I/O is due at a time that does not depend
// on the others, and its latency counts from then; how long it took from its
// actual submit stands beside it. A job without is a closed loop of iodepth I/Os.
//
// In virtual time a run is a function of its jobs and seed. The distributions
// zipf, pareto and normal use the processor's floating point: they are the same
// on every machine of one architecture.
package load
