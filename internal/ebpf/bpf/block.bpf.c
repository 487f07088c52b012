//go:build ignore

/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* What becomes of bios and requests, at the kernel's block tracepoints.
 *
 * Each program is here twice, for BTF tracepoints (tp_btf: arguments have types, and a
 * member is one load) and for raw tracepoints (a member is a call of a helper). Both
 * are the same functions with a constant, `typed`. See doc.go of the Go package for
 * what is told of an I/O. */
#include "bpf.h"
#include "kernel.h"
#include "state.h"
#include "filter.h"
#include "table.h"
#include "hist.h"
#include "app.h"

char terms[] SEC("license") = "Dual BSD/GPL";

#define MAX_BIOS 512 /* that are walked of one request */

INLINE u32 dev_of_disk(int typed, struct gendisk *disk)
{
	return disk ? FIELD(typed, disk, major) << 20 | FIELD(typed, disk, first_minor) : 0;
}

INLINE u32 dev_of_bio(int typed, struct bio *bio)
{
	struct block_device *bdev;

	if (!FIELD_EXISTS(bio->bi_bdev))
		return dev_of_disk(typed, FIELD(typed, (struct bio___disk *)bio, bi_disk));
	bdev = FIELD(typed, bio, bi_bdev);
	return bdev ? dev_of_disk(typed, FIELD(typed, bdev, bd_disk)) : 0;
}

INLINE u32 dev_of_request(int typed, struct request *rq)
{
	struct request_queue *q;

	if (FIELD_EXISTS(((struct request___disk *)rq)->rq_disk))
		return dev_of_disk(typed, FIELD(typed, (struct request___disk *)rq, rq_disk));
	q = FIELD(typed, rq, q);
	return q ? dev_of_disk(typed, FIELD(typed, q, disk)) : 0;
}

/* opf_of is the op and flags; a write without data is a flush, which has an op of its
 * own only in the driver. */
INLINE u32 opf_of(u32 opf, u32 bytes)
{
	return (opf & 0xff) == 1 && bytes == 0 ? opf + 1 : opf;
}

/* Bios. */

INLINE int wanted_bio(int typed, struct bio *bio)
{
	return wanted(dev_of_bio(typed, bio), FIELD(typed, bio, bi_iter.bi_sector), FIELD(typed, bio, bi_iter.bi_size));
}

INLINE void fill(struct record *r, struct bio_slot *s, u64 now)
{
	r->queue = s->queue;
	r->insert = s->insert;
	r->issue = s->issue;
	r->complete = now;
	r->sector = s->sector;
	r->app = s->app;
	r->bytes = s->bytes;
	r->opf = s->opf;
	r->dev = s->dev;
	r->tgid = s->tids >> 32;
	r->tid = s->tids;
	r->status = s->status;
	r->app_kind = s->app_kind;
	r->bios = s->pieces;
	r->requeues = s->requeues;
	r->zero = 0;
	((u64 *)r->comm)[0] = ((u64 *)s->comm)[0];
	((u64 *)r->comm)[1] = ((u64 *)s->comm)[1];
}

/* stale_bio is for a slot whose bio was never seen to end, and which is taken from it. */
INLINE void stale_bio(struct bio_slot *s)
{
	struct record *r;

	if (s->parent)
		return; /* a piece */
	COUNT_TOGETHER(stale);
	if (!want_unfinished)
		return;
	r = reserve(sizeof(*r));
	if (!r)
		return;
	fill(r, s, 0);
	r->kind = RECORD_BIO;
	submit(r, sizeof(*r));
}

INLINE void forget_stale(u64 key)
{
	struct bio_slot *s = bio_find(key);

	if (s) {
		stale_bio(s);
		bio_free(key);
	}
}

INLINE int on_bio_queue(int typed, struct bio *bio)
{
	u32 dev = dev_of_bio(typed, bio), bytes = FIELD(typed, bio, bi_iter.bi_size);
	u32 opf = opf_of(FIELD(typed, bio, bi_opf), bytes);
	u64 sector = FIELD(typed, bio, bi_iter.bi_sector), tids;
	u64 key = number(bio);
	struct bio_slot *s;
	int stale;

	if (!wanted(dev, sector, bytes)) {
		if (follow_bios)
			forget_stale(key);
		return 0;
	}
	tids = get_current_pid_tgid();
	if (!wanted_op(opf) || !wanted_process(tids >> 32)) {
		forget_stale(key);
		return 0;
	}
	COUNT(started);
	s = bio_claim(key, &stale);
	if (!s) {
		COUNT(no_room);
		return 0;
	}
	if (stale)
		stale_bio(s);
	s->insert = s->issue = s->parent = s->app = 0;
	s->sector = sector;
	s->bytes = s->left = bytes;
	s->opf = opf;
	s->dev = dev;
	s->status = 0;
	s->app_kind = APP_NONE;
	s->requeues = 0;
	s->pieces = 1;
	s->tids = tids;
	if (want_events) {
		get_current_comm(s->comm, sizeof(s->comm));
		if (want_apps)
			s->app = app_of(key, &s->app_kind);
	}
	s->queue = ktime_get_ns();
	return 0;
}

/* A bio that is too long goes in pieces: each but the last is a bio of its own, which
 * the kernel has chained to the whole one. */
INLINE int on_split(int typed, struct bio *piece)
{
	u64 whole = number(FIELD(typed, piece, bi_private)), key = number(piece);
	struct bio_slot *w, *s;
	int stale;

	if (!wanted_bio(typed, piece))
		return 0;
	COUNT(splits);
	w = bio_find(whole);
	if (!w)
		return 0;
	w->pieces++;
	if (w->parent)
		whole = w->parent;
	s = bio_claim(key, &stale);
	if (!s) {
		COUNT_TOGETHER(cut);
		return 0;
	}
	if (stale)
		stale_bio(s);
	s->parent = whole;
	s->bytes = FIELD(typed, piece, bi_iter.bi_size);
	return 0;
}

/* ended tells of a bio that has ended, and lets its slot go. */
INLINE void ended(struct bio_slot *s, u64 key, u64 now)
{
	if (now - s->queue < min_latency_ns) {
		COUNT_TOGETHER(brief);
		goto out;
	}
	if (want_histograms) {
		if (s->issue) {
			hist_add(s->opf, STAGE_QUEUE, s->queue, s->issue);
			hist_add(s->opf, STAGE_DEVICE, s->issue, now);
		}
		hist_add(s->opf, STAGE_TOTAL, s->queue, now);
	}
	if (want_bio_events) {
		struct record *r = reserve(sizeof(*r));

		if (!r) {
			COUNT_TOGETHER(lost);
			goto out;
		}
		fill(r, s, now);
		r->kind = RECORD_BIO;
		submit(r, sizeof(*r));
	}
	COUNT_TOGETHER(done);
out:
	bio_free(key);
}

/* piece_ended is for a bio, or a piece of one, in the request whose key is rq, of which
 * some bytes have completed: the lower half of size_left. The upper half is the bio's size. It
 * gives the bytes that are left for the bios behind. */
VERIFIED_ONCE u32 piece_ended(u64 key, u64 size_left, u64 rq, s32 status, u64 now)
{
	u32 size = size_left >> 32, left = size_left, bytes = size < left ? size : left;
	struct bio_slot *s = bio_find(key);
	struct rq_slot *r;

	if (s && s->parent) {
		u64 whole = s->parent;

		if (bytes == size)
			bio_free(key);
		key = whole;
		s = bio_find(key);
	}
	if (!s) {
		/* A bio without data that was found before: the end of a flush
		 * sequence, whose data has been told of. */
		if (bytes)
			COUNT_TOGETHER(unmatched);
		return left - bytes;
	}
	if (bytes == size)
		COUNT(pieces);
	r = rq_find(rq);
	if (r && r->issue >= s->queue) { /* an earlier one is of a request whose issue was missed */
		if (s->issue == 0 || r->issue < s->issue)
			s->issue = r->issue;
		if (s->insert == 0)
			s->insert = r->insert;
		s->requeues = r->requeues;
	}
	if (status)
		s->status = status;
	if (bio_took(s, bytes))
		ended(s, key, now);
	return left - bytes;
}

/* block_bio_complete fires for bios that were in no request: those of drivers that
 * take bios (zram, device mapper, md), and those that ended before they had one. */
INLINE int on_bio_complete(int typed, struct bio *bio)
{
	u64 key = number(bio), now;
	struct bio_slot *s;
	u8 status;

	/* The extent may have moved on by now: the device decides. */
	if (!follow_bios && !wanted(dev_of_bio(typed, bio), 0, 0))
		return 0;
	s = bio_find(key);
	if (!s)
		return 0;
	now = ktime_get_ns();
	status = FIELD(typed, bio, bi_status);
	if (s->parent) {
		u64 whole = s->parent;
		u32 bytes = s->bytes;

		bio_free(key);
		s = bio_find(whole);
		if (s && status)
			s->status = status;
		if (s && bio_took(s, bytes))
			ended(s, whole, now);
		return 0;
	}
	if (status)
		s->status = status;
	if (s->issue == 0)
		COUNT(unissued);
	ended(s, key, now);
	return 0;
}

/* Requests. */

INLINE u32 opf_of_request(int typed, struct request *rq)
{
	return opf_of(FIELD(typed, rq, cmd_flags), FIELD(typed, rq, __data_len));
}

INLINE int wanted_request(int typed, struct request *rq)
{
	return wanted(dev_of_request(typed, rq), FIELD(typed, rq, __sector), FIELD(typed, rq, __data_len)) &&
	       wanted_op(opf_of_request(typed, rq));
}

/* rq_begin is the slot of a request, made if it is not there. A request that was
 * issued and not requeued has no business here: its completion was missed. */
INLINE struct rq_slot *rq_begin(u64 key)
{
	int there;
	struct rq_slot *s = rq_claim(key, &there);

	if (!s) {
		COUNT_TOGETHER(requests_no_room);
		return 0;
	}
	if (there && s->issue)
		COUNT_TOGETHER(requests_stale);
	if (!there || s->issue) {
		s->insert = s->issue = 0;
		s->requeues = s->bios = 0;
	}
	return s;
}

INLINE u32 bios_of(int typed, struct request *rq)
{
	struct bio *bio = FIELD(typed, rq, bio);
	u32 n = 0;

	for (; n < MAX_BIOS && bio; n++)
		bio = FIELD(typed, bio, bi_next);
	return n;
}

INLINE int on_rq_insert(int typed, struct request *rq)
{
	struct rq_slot *s;

	if (!wanted_request(typed, rq))
		return 0;
	COUNT(inserted);
	s = rq_begin(number(rq));
	if (s)
		s->insert = ktime_get_ns();
	return 0;
}

INLINE int on_rq_issue(int typed, struct request *rq)
{
	struct rq_slot *s;

	if (!follow_bios && !wanted_request(typed, rq))
		return 0;
	COUNT(issued);
	s = rq_begin(number(rq));
	if (s) {
		if (want_request_events)
			s->bios = bios_of(typed, rq);
		s->issue = ktime_get_ns();
	}
	return 0;
}

INLINE int on_rq_requeue(int typed, struct request *rq)
{
	struct rq_slot *s;

	if (!wanted_request(typed, rq))
		return 0;
	COUNT(requeued);
	s = rq_find(number(rq));
	if (s) {
		s->issue = 0;
		s->requeues++;
	}
	return 0;
}

/* The request was put at the end of another one, and is no more. */
INLINE int on_rq_merge(int typed, struct request *rq)
{
	u64 key = number(rq);
	struct rq_slot *s = rq_find(key);

	if (s)
		rq_free(key);
	if (wanted_request(typed, rq))
		COUNT(request_merges);
	return 0;
}

/* request_record tells of a request that has ended. Its first bio, which is still in the
 * table, says who queued it. */
INLINE void request_record(int typed, struct request *rq, struct rq_slot *s, u32 bytes, s32 status, u64 now)
{
	struct bio_slot *first = bio_find(number(FIELD(typed, rq, bio)));
	struct record *r;
	u64 since;

	if (first && first->parent)
		first = bio_find(first->parent);
	if (process_count && !first)
		return;
	since = first ? first->queue : s ? s->issue : now;
	if (min_latency_ns && now - since < min_latency_ns)
		return;
	r = reserve(sizeof(*r));
	if (!r) {
		COUNT_TOGETHER(requests_lost);
		return;
	}
	if (first) {
		fill(r, first, now);
	} else {
		__builtin_memset(r, 0, sizeof(*r));
		r->complete = now;
	}
	r->kind = RECORD_REQUEST;
	r->insert = s ? s->insert : 0;
	r->issue = s ? s->issue : 0;
	r->requeues = s ? s->requeues : 0;
	r->sector = bytes ? FIELD(typed, rq, __sector) : 0;
	r->bytes = bytes;
	r->opf = opf_of_request(typed, rq);
	r->dev = dev_of_request(typed, rq);
	r->status = status;
	r->bios = s ? s->bios : 0;
	submit(r, sizeof(*r));
}

/* bios_ended goes through the bios of a request whose first `left` bytes have completed,
 * as blk_update_request does. */
INLINE void bios_ended(int typed, struct request *rq, u32 left, u64 key, s32 status, u64 now)
{
	struct bio *bio = FIELD(typed, rq, bio);

	for (int i = 0; i < MAX_BIOS && bio; i++) {
		u32 size = FIELD(typed, bio, bi_iter.bi_size);

		left = piece_ended(number(bio), (u64)size << 32 | left, key, status, now);
		if (!left)
			return;
		bio = FIELD(typed, bio, bi_next);
	}
	if (left)
		COUNT_TOGETHER(cut);
}

INLINE int on_rq_complete(int typed, struct request *rq, s32 status, u32 bytes)
{
	int ours = wanted_request(typed, rq);
	u64 key = number(rq), now;
	struct rq_slot *s;

	if (!ours && !follow_bios)
		return 0;
	now = ktime_get_ns();
	s = rq_find(key);
	if (ours) {
		COUNT(requests);
		if (!s && bytes) /* a flush is issued in another request than the one that asks for it */
			COUNT(requests_unmatched);
		if (status)
			COUNT(failed);
		if (want_request_events)
			request_record(typed, rq, s, bytes, status, now);
		if (want_histograms && !want_bios && s && s->issue && now - s->issue >= min_latency_ns)
			hist_add(opf_of_request(typed, rq), STAGE_DEVICE, s->issue, now);
	}
	if (want_bios)
		bios_ended(typed, rq, bytes, key, status, now);
	if (s && bytes >= FIELD(typed, rq, __data_len))
		rq_free(key);
	return 0;
}

/* The programs. An argument's place is a constant when they are loaded, so the
 * verifier sees one of each pair of calls only. */

#define ARG(i) (*(volatile u64 *)(ctx + (i)))
#define BIO(i) ((struct bio *)ARG(i))
#define RQ(i) ((struct request *)ARG(i))

#define BOTH(event, body)                                                                     \
	SEC("tp_btf/" #event) int btf_##event(u64 *ctx) { const int typed = 1; body }         \
	SEC("raw_tp/" #event) int raw_##event(u64 *ctx) { const int typed = 0; body }

BOTH(block_bio_queue, {
	if (arg_bio_queue)
		return on_bio_queue(typed, BIO(1));
	return on_bio_queue(typed, BIO(0));
})

BOTH(block_bio_complete, {
	if (arg_bio_complete)
		return on_bio_complete(typed, BIO(1));
	return on_bio_complete(typed, BIO(0));
})

BOTH(block_split, {
	if (arg_split)
		return on_split(typed, BIO(1));
	return on_split(typed, BIO(0));
})

#define MERGE(event, field)                                                                  \
	BOTH(event, {                                                                        \
		struct bio *bio;                                                             \
		if (arg_bio_merge)                                                           \
			bio = BIO(2);                                                        \
		else                                                                         \
			bio = BIO(0);                                                        \
		if (wanted_bio(typed, bio))                                                  \
			COUNT(field);                                                        \
		return 0;                                                                    \
	})

MERGE(block_bio_backmerge, back_merges)
MERGE(block_bio_frontmerge, front_merges)

BOTH(block_rq_insert, {
	if (arg_insert)
		return on_rq_insert(typed, RQ(1));
	return on_rq_insert(typed, RQ(0));
})

BOTH(block_rq_issue, {
	if (arg_issue)
		return on_rq_issue(typed, RQ(1));
	return on_rq_issue(typed, RQ(0));
})

BOTH(block_rq_requeue, {
	if (arg_requeue)
		return on_rq_requeue(typed, RQ(1));
	return on_rq_requeue(typed, RQ(0));
})

BOTH(block_rq_merge, {
	if (arg_rq_merge)
		return on_rq_merge(typed, RQ(1));
	return on_rq_merge(typed, RQ(0));
})

BOTH(block_rq_complete, { return on_rq_complete(typed, RQ(0), ARG(1), ARG(2)); })

BOTH(block_rq_error, {
	if (wanted_request(typed, RQ(0)))
		COUNT(errors);
	return 0;
})
