/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* What is looked at, and how it is counted. */
#ifndef BLKSIM_FILTER_H
#define BLKSIM_FILTER_H

/* COUNT is for what one program alone counts. COUNT_TOGETHER is for what several do, of
 * which one may run in an interrupt of another: atomically. No program runs in an
 * interrupt of itself, but in kernels before 5.12. */
#define COUNT_TOGETHER(field)                                          \
	({                                                             \
		struct counters *c_ = counters_here();                 \
		if (c_)                                                \
			__sync_fetch_and_add(&c_->field, 1);           \
	})
#ifndef PLAIN_TABLES
#define COUNT(field)                                                   \
	({                                                             \
		struct counters *c_ = counters_here();                 \
		if (c_)                                                \
			c_->field++;                                   \
	})
#else
#define COUNT(field) COUNT_TOGETHER(field)
#endif

/* wanted is whether an extent is on a device that is traced; partitions are ranges. What
 * has no data has no place, and is for the whole disk. */
INLINE int wanted(u32 dev, u64 sector, u32 bytes)
{
	if (device_count == 0)
		return dev != 0;
	for (u32 i = 0; i < MAX_DEVICES; i++) {
		if (i == device_count)
			break;
		if (devices[i].dev == dev &&
		    (bytes == 0 || (sector >= devices[i].first && sector < devices[i].end)))
			return 1;
	}
	return 0;
}

/* opf is bi_opf, or an operation alone: REQ_OP_READ is 0, and so on. */
INLINE int wanted_op(u32 opf)
{
	return op_mask == 0 || (op_mask >> (opf & 63) & 1);
}

INLINE int wanted_process(u32 tgid)
{
	if (tgid == skip_process && skip_process != 0)
		return 0;
	if (process_count == 0)
		return 1;
	for (u32 i = 0; i < MAX_PROCESSES; i++) {
		if (i == process_count)
			break;
		if (process_ids[i] == tgid)
			return 1;
	}
	return 0;
}

#endif
