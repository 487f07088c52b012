/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* What the loader sets, what is counted, and what goes to user space. The Go side
 * has the same layouts in config.go, counts.go and record.go of internal/ebpf; a test compares them. */
#ifndef BLKSIM_STATE_H
#define BLKSIM_STATE_H

#define MAX_DEVICES 8
#define MAX_PROCESSES 16

/* Arguments of tracepoints changed over the releases: these say, from the running
 * kernel's BTF, where they are. */
const volatile u8 arg_insert;		/* of the request in block_rq_insert: 0, or 1 behind the queue (to 5.10) */
const volatile u8 arg_issue;		/* in block_rq_issue */
const volatile u8 arg_requeue;		/* in block_rq_requeue */
const volatile u8 arg_rq_merge;		/* in block_rq_merge */
const volatile u8 arg_bio_queue;	/* of the bio in block_bio_queue: 0, or 1 */
const volatile u8 arg_bio_complete;	/* in block_bio_complete: 0 or 1 */
const volatile u8 arg_bio_merge;	/* in block_bio_backmerge and block_bio_frontmerge: 0 or 2 */
const volatile u8 arg_split;		/* in block_split: 0 or 1; the sector comes behind it */

/* What is wanted. */
const volatile u8 want_events;		/* records into the ring */
const volatile u8 want_bios;		/* bios are followed from block_bio_queue on */
const volatile u8 want_bio_events;	/* a record a bio */
const volatile u8 want_request_events;	/* a record a request */
const volatile u8 want_unfinished;	/* a record of bios that were never seen to end, too */
const volatile u8 want_apps;		/* the application's id of each bio */
const volatile u8 want_histograms;	/* 1: log-linear, 2: powers of two */
const volatile u8 follow_bios;		/* bios of traced devices may complete in requests of others */
const volatile u32 wake_bytes;		/* wake the reader when a CPU has written so much */
const volatile u64 op_mask;		/* bit of each op; 0: all */
const volatile u64 min_latency_ns;	/* shorter ones are counted only */
const volatile u32 device_count;	/* 0: all */
const volatile u32 process_count;	/* 0: all */
const volatile u32 skip_process;	/* this one's I/O is not looked at; 0: none */
const volatile u32 process_ids[MAX_PROCESSES];
const volatile struct device {
	u32 dev;
	u32 zero;
	u64 first, end; /* sectors: a partition is a range of its disk */
} devices[MAX_DEVICES];

/* Addresses of functions, by which it is told what a void * points to; 0: not known. */
const volatile u64 fn_blkdev_end_io_async, fn_blkdev_end_io, fn_iomap_end_io;
const volatile u64 fn_aio_complete, fn_uring_complete, fn_uring_complete_poll;

enum app_kind { APP_NONE, APP_AIO, APP_URING };
enum record_kind { RECORD_BIO = 1, RECORD_REQUEST = 2 };

struct record {
	u64 queue, insert, issue, complete; /* CLOCK_MONOTONIC; 0: not seen */
	u64 sector;
	u64 app;
	u32 bytes;
	u32 opf;
	u32 dev;    /* major << 20 | minor */
	u32 tgid, tid;
	s32 status; /* blk_status_t, or a negative errno (to 4.12 and in old tracepoints) */
	u8 kind, app_kind;
	u16 bios;     /* request: how many it has; bio: in how many pieces it went */
	u16 requeues;
	u16 zero;
	char comm[16];
};

/* One for each CPU, so that counting shares no cache line. */
struct counters {
	u64 started;      /* bios: queued, and passed the filters */
	u64 done;         /* bios: completed, and in the ring (or in a histogram) */
	u64 lost;         /* bios: completed, but the ring was full */
	u64 brief;        /* bios: completed faster than min_latency_ns */
	u64 no_room;      /* bios: started, but the table was full */
	u64 stale;        /* bios: began anew in memory whose last bio was never seen to complete */
	u64 unmatched;    /* bios: pieces that completed without a start that was seen */
	u64 cut;          /* requests with more bios than are walked, and pieces without room: some bios will never be seen to end */
	u64 pieces;       /* bios and pieces of split ones: completed in requests, all of them */
	u64 unissued;     /* bios: completed without any request issued */
	u64 inserted;     /* requests */
	u64 issued;
	u64 requeued;
	u64 requests;     /* completed, and passed the filters */
	u64 requests_lost; /* the ring was full */
	u64 requests_unmatched; /* completed without an issue that was seen */
	u64 requests_stale; /* began anew in memory whose last request was never seen to complete */
	u64 requests_no_room;
	u64 back_merges, front_merges, request_merges;
	u64 splits;
	u64 unread;       /* bytes written since the reader was last woken */
	u64 failed;       /* requests that completed with a status */
	u64 errors;       /* block_rq_error: those of them that the kernel reports */
};

struct {
	UINT(type, MAP_TYPE_PERCPU_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, struct counters);
} counters SEC(".maps");

INLINE struct counters *counters_here(void)
{
	u32 zero = 0;

	return map_lookup(&counters, &zero);
}

/* Records go to the CPU's own ring: one for all would have its lock and its positions
 * go from CPU to CPU, for a quarter of the cost of an event. */
struct ring {
	UINT(type, MAP_TYPE_RINGBUF);
	UINT(max_entries, 1 << 20);
};

struct {
	UINT(type, MAP_TYPE_ARRAY_OF_MAPS);
	UINT(max_entries, 1);
	TYPE(key, u32);
	struct ring *values[];
} rings SEC(".maps");

const volatile u32 ring_count = 1;

INLINE void *reserve(u32 size)
{
	u32 k = get_smp_processor_id() % ring_count;
	void *ring = map_lookup(&rings, &k);

	return ring ? ringbuf_reserve(ring, size, 0) : 0;
}

/* submit wakes the reader only when this CPU has written enough: waking is most of the
 * cost of an event. A reader looks in by itself from time to time. */
INLINE void submit(void *r, u32 size)
{
	struct counters *c = counters_here();
	u64 flags = RB_NO_WAKEUP;

	if (c && (c->unread += size) >= wake_bytes) {
		c->unread = 0;
		flags = RB_FORCE_WAKEUP;
	}
	ringbuf_submit(r, flags);
}

#endif
