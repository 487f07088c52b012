// Package summary says what is in a trace: counts and sizes, its footprint, rates and
// bursts, how sequential it is, its volumes and processes, recorded latencies.
//
// A [Collector] takes batches of records in order of time and keeps a bounded amount
// of state, whatever the length: counters by volume and process (at most 65,536 of
// each), 16 KiB for each HyperLogLog, some counters for each scale of time. [Info] is
// its result; [Info.WriteTable] shows it to people, and its JSON has the schema
// "blksim.trace-info/v1", to which fields are only ever added.
//
// What is exact and what is not: counts, sizes, times and rates are exact. The
// footprint is exact up to 16,384 blocks of 4 KiB, and within about 0.8 % (one standard
// error) above. Latencies are within 1 %. The Hurst exponent is an estimate by
// aggregated variances, and says so.
package summary
