// Package compare sets two runs beside each other and says which differences are
// more than chance.
//
// # How sure
//
// For each percentile the confidence interval of the change is found by bootstrap:
// both runs are drawn again many times, and the changes between those draws are
// sorted. To draw n latencies again and take the k-th is to take the quantile at
// a number of the distribution Beta(k, n-k+1), so a draw costs the same for ten
// I/Os and for a billion.
//
// Latencies of one moment resemble each other: n I/Os in a burst tell less than n
// I/Os apart, and a bootstrap that takes each by itself calls noise significant.
// So n is divided by the design effect, which the series of intervals tells: how
// much more the share of slow I/Os varies from block to block of time than it would
// by chance. The largest over several lengths of block counts. A run without a
// series is taken as it stands, and that is noted.
//
// Each row is judged by itself, at the confidence that was asked for; of a hundred
// rows between two runs of the same thing, one may be called different at 99 %.
// The draws come from a seed: the same two files give the same bytes.
package compare
