//go:build ignore

/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* The same tracepoints as perf and blktrace see them, for kernels without BTF: a
 * program gets the formatted record of the event, and no structures of the kernel. It
 * goes to user space as it is, which knows its fields from tracefs, and finds there which
 * events are of one I/O. */
#include "bpf.h"
#include "state.h"
#include "filter.h"

char terms[] SEC("license") = "Dual BSD/GPL";

enum action { QUEUE = 1, ISSUE, REQUEUE, COMPLETE, BIO_COMPLETE };

const volatile u32 dev_at[8], sector_at[8], count_at[8], rwbs_at[8]; /* by action: places of the fields */

struct raw {
	u64 time; /* CLOCK_MONOTONIC */
	u64 tids;
	u32 action;
	u32 zero;
	char comm[16];
	u8 event[88];
};

/* op_of is the operation by the letters of rwbs: F for a flush before comes first. */
INLINE u32 op_of(const void *rwbs, u32 count)
{
	u8 letters[2] = {};

	probe_read_kernel(letters, sizeof(letters), rwbs);
	if (letters[0] == 'F' && count == 0)
		return 2;
	switch (letters[0] == 'F' ? letters[1] : letters[0]) {
	case 'R': return 0;
	case 'W': return 1;
	case 'D': return 3;
	case 'F': return 2;
	}
	return 63;
}

INLINE int tell(void *ctx, enum action a)
{
	u64 sector = 0, tids = get_current_pid_tgid();
	u32 dev = 0, count = 0;
	struct raw *r;

	probe_read_kernel(&dev, sizeof(dev), ctx + dev_at[a]);
	probe_read_kernel(&sector, sizeof(sector), ctx + sector_at[a]);
	probe_read_kernel(&count, sizeof(count), ctx + count_at[a]);
	if (!wanted(dev, sector, count))
		return 0;
	if (a == QUEUE) {
		if (!wanted_process(tids >> 32) || !wanted_op(op_of(ctx + rwbs_at[a], count)))
			return 0;
		COUNT_TOGETHER(started);
	}
	r = reserve(sizeof(*r));
	if (!r) {
		/* Without its start, an I/O is lost; without its end, it is never seen to end. */
		if (a == QUEUE)
			COUNT_TOGETHER(lost);
		else
			COUNT_TOGETHER(cut);
		return 0;
	}
	r->time = ktime_get_ns();
	r->tids = tids;
	r->action = a;
	r->zero = 0;
	get_current_comm(r->comm, sizeof(r->comm));
	probe_read_kernel(r->event, sizeof(r->event), ctx);
	submit(r, sizeof(*r));
	return 0;
}

#define CLASSIC(event, action) \
	SEC("tracepoint/block/" #event) int classic_##event(void *ctx) { return tell(ctx, action); }

CLASSIC(block_bio_queue, QUEUE)
CLASSIC(block_rq_issue, ISSUE)
CLASSIC(block_rq_requeue, REQUEUE)
CLASSIC(block_rq_complete, COMPLETE)
CLASSIC(block_bio_complete, BIO_COMPLETE)
