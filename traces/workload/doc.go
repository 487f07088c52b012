// Package workload describes a load by a profile: a TOML file of a dozen numbers that
// [traces.Generate] makes traces from, and that a [Fitter] takes from a real one.
//
// What a fit keeps: the rates of calm and of bursts, their length and distance; the mix
// of operations; the sizes of reads and of writes; the sequential share; how many of
// the regions of the address range are touched, and how unevenly. What it does not:
// volumes (they share one address range), interleaved sequential streams, reads that
// follow writes, times of day. Two runs of the same profile and seed are the same
// trace, on every machine.
package workload
