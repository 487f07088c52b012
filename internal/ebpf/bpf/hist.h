/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* Latency histograms in the kernel, one for each CPU, stage and kind of op. */
#ifndef BLKSIM_HIST_H
#define BLKSIM_HIST_H

enum { HIST_OFF, HIST_LINEAR, HIST_LOG2 };
enum stage { STAGE_QUEUE, STAGE_DEVICE, STAGE_TOTAL, STAGES };
enum { OPS = 6 }; /* read, write, flush, discard, write zeroes, any other */

/* The buckets of internal/hist, which are fio's: a bucket for each value below 128, and
 * 64 for each power of two from there on. */
#define INDEX_BITS 6
#define GROUPS 29
#define BUCKETS (GROUPS << INDEX_BITS)

struct {
	UINT(type, MAP_TYPE_PERCPU_ARRAY);
	UINT(max_entries, STAGES *OPS *BUCKETS);
	TYPE(key, u32);
	TYPE(value, u64);
} buckets SEC(".maps");

struct extremes {
	u64 sum, min, max; /* ns; of values that are 1 and more: a min of 0 is none */
	u64 beyond;        /* values that only the last bucket could take */
};

struct {
	UINT(type, MAP_TYPE_PERCPU_ARRAY);
	UINT(max_entries, STAGES *OPS);
	TYPE(key, u32);
	TYPE(value, struct extremes);
} extremes SEC(".maps");

/* top_bit is the number of the highest bit that is set, 0 for none. */
INLINE u32 top_bit(u64 v)
{
	u32 r = 0;

	if (v >> 32) { v >>= 32; r += 32; }
	if (v >> 16) { v >>= 16; r += 16; }
	if (v >> 8) { v >>= 8; r += 8; }
	if (v >> 4) { v >>= 4; r += 4; }
	if (v >> 2) { v >>= 2; r += 2; }
	return r + (v >> 1);
}

INLINE u32 bucket_of(u64 v)
{
	u32 top = top_bit(v);

	if (want_histograms == HIST_LOG2)
		return top;
	if (top <= INDEX_BITS)
		return v;
	if (top >= INDEX_BITS + GROUPS - 1)
		return BUCKETS - 1;
	return ((top - INDEX_BITS) << INDEX_BITS) + (v >> (top - INDEX_BITS));
}

/* op_row is the row of an op in tables of Go's traces.Op. */
INLINE u32 op_row(u32 opf)
{
	switch (opf & 0xff) {
	case 0: return 0;
	case 1: return 1;
	case 2: return 2;
	case 3:
	case 5: return 3; /* secure erase */
	case 9: return 4;
	}
	return 5;
}

VERIFIED_ONCE int hist_count(u32 row, u64 v)
{
	u32 k = row * BUCKETS + bucket_of(v);
	u64 *n = map_lookup(&buckets, &k);
	struct extremes *x = map_lookup(&extremes, &row);

	/* Two programs may count here, one in an interrupt of the other: atomically. */
	if (n)
		__sync_fetch_and_add(n, 1);
	if (!x)
		return 0;
	__sync_fetch_and_add(&x->sum, v);
	if (v < x->min || x->min == 0)
		x->min = v;
	if (v > x->max)
		x->max = v;
	if (v >> (INDEX_BITS + GROUPS - 1))
		__sync_fetch_and_add(&x->beyond, 1);
	return 0;
}

INLINE void hist_add(u32 opf, enum stage stage, u64 from, u64 to)
{
	hist_count(op_row(opf) * STAGES + stage, to > from ? to - from : 1);
}

#endif
