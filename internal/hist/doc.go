// Package hist counts latencies in buckets that grow with the value, so that
// percentiles over any number of I/Os cost 15 KB and no allocation.
//
// The buckets are fio's (stat.h, FIO_IO_U_PLAT_BITS 6, 29 groups), so that
// figures can be set beside fio's without a second rounding: values below 128
// have a bucket each, and from there on every power of two is divided in 64
// equal buckets. A bucket is represented by its middle, which is at most 1/128,
// less than 1 %, away from any of its values. There are 1,856 buckets, up to
// 2^34 ns (17.2 s); what is longer is counted in the last one, and
// [Histogram.Beyond] says how many those are.
//
// Two histograms merge by addition, exactly: it does not matter in which order
// lanes, workers or runs are merged, or whether they ever were apart.
//
// A Histogram is a plain value without locks; it belongs to one lane, or to
// whoever merges.
package hist
