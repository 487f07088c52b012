/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* The tables of bios and requests that are underway, by their addresses.
 *
 * An address hashes to a bucket of WAYS keys, which are one cache line; the slot of a key has
 * the key's place in another array. A key is claimed by a compare-and-swap: a quarter
 * of the cost of a hash map's update and delete, and no lock. Kernels before 5.12, and
 * machines whose JIT lacks atomics, load the object that is built with -DPLAIN_TABLES, with
 * hash maps instead.
 *
 * A completion may be missed (the kernel skips programs that would nest), and its
 * slot is left. Whoever claims for the same address again counts it as stale. */
#ifndef BLKSIM_TABLE_H
#define BLKSIM_TABLE_H

struct bio_slot {
	u64 queue, insert, issue;
	u64 sector;
	u64 app;
	u64 tids;   /* tgid << 32 | tid */
	u64 parent; /* of a piece of a split bio: the address of the whole one */
	u32 bytes;
	s32 left;   /* bytes that have not completed */
	u32 opf;
	u32 dev;
	s32 status;
	u8 app_kind;
	u8 requeues;
	u16 pieces;
	char comm[16];
};

struct rq_slot {
	u64 insert, issue;
	u32 requeues;
	u32 bios;
};

#define BIO_BITS 15
#define RQ_BITS 14

#ifndef PLAIN_TABLES

#define WAY_BITS 3
#define WAYS (1 << WAY_BITS)

struct ways {
	u64 key[WAYS];
};

#define DEFINE_ARRAY(name, of, bits)            \
	struct {                                \
		UINT(type, MAP_TYPE_ARRAY);     \
		UINT(max_entries, 1 << (bits)); \
		UINT(map_flags, F_MMAPABLE);    \
		TYPE(key, u32);                 \
		TYPE(value, struct of);         \
	} name SEC(".maps");

DEFINE_ARRAY(bio_keys, ways, BIO_BITS - WAY_BITS)
DEFINE_ARRAY(rq_keys, ways, RQ_BITS - WAY_BITS)
DEFINE_ARRAY(bios, bio_slot, BIO_BITS)
DEFINE_ARRAY(requests, rq_slot, RQ_BITS)

/* Bios and requests are at multiples of 8 bytes, and close together. */
INLINE u32 bucket_of_key(u64 key, u32 bits)
{
	return (key >> 3) * 0x9e3779b97f4a7c15ull >> (64 - (bits - WAY_BITS));
}

/* way_of is the place of a key in its bucket; WAYS if it is not there. */
INLINE u32 way_of(struct ways *w, u64 key)
{
	u32 at = WAYS;

#pragma unroll
	for (u32 i = 0; i < WAYS; i++)
		if (w->key[i] == key)
			at = i;
	return at;
}

/* claim_way puts a key into a free place of its bucket; WAYS if there is none. Another
 * CPU may be faster at each. It is no loop: the verifier of Linux 6.1 refuses one
 * whose last instruction is no jump. */
INLINE u32 claim_way(struct ways *w, u64 key)
{
#pragma unroll
	for (u32 i = 0; i < WAYS; i++)
		if (w->key[i] == 0 && __sync_val_compare_and_swap(&w->key[i], 0, key) == 0)
			return i;
	return WAYS;
}

#define DEFINE_TABLE(name, slot, map, bits)                                               \
	INLINE struct slot *name##_find(u64 key)                                          \
	{                                                                                 \
		u32 bucket = bucket_of_key(key, bits), way, k;                            \
		struct ways *w = map_lookup(&name##_keys, &bucket);                       \
                                                                                          \
		if (!w || (way = way_of(w, key)) == WAYS)                                 \
			return 0;                                                         \
		k = bucket << WAY_BITS | way;                                             \
		return map_lookup(&map, &k);                                              \
	}                                                                                 \
                                                                                          \
	/* claim gives a slot for key, which is not 0; what the slot holds is left from   \
	 * before. *stale is whether it was key's already. */                              \
	INLINE struct slot *name##_claim(u64 key, int *stale)                             \
	{                                                                                 \
		u32 bucket = bucket_of_key(key, bits), way, k;                            \
		struct ways *w = map_lookup(&name##_keys, &bucket);                       \
                                                                                          \
		*stale = 0;                                                               \
		if (!w)                                                                   \
			return 0;                                                         \
		way = way_of(w, key);                                                     \
		*stale = way < WAYS;                                                      \
		if (way == WAYS && (way = claim_way(w, key)) == WAYS)                     \
			return 0;                                                         \
		k = bucket << WAY_BITS | way;                                             \
		return map_lookup(&map, &k);                                              \
	}                                                                                 \
                                                                                          \
	INLINE void name##_free(u64 key)                                                  \
	{                                                                                 \
		u32 bucket = bucket_of_key(key, bits), way;                               \
		struct ways *w = map_lookup(&name##_keys, &bucket);                       \
                                                                                          \
		if (w && (way = way_of(w, key)) < WAYS)                                   \
			w->key[way] = 0;                                                  \
	}

/* bio_took is whether this was the last of the bio's bytes. */
INLINE int bio_took(struct bio_slot *s, u32 bytes)
{
	return __sync_fetch_and_add(&s->left, -(s32)bytes) == (s32)bytes;
}

#else /* PLAIN_TABLES */

struct {
	UINT(type, MAP_TYPE_HASH);
	UINT(max_entries, 1 << BIO_BITS);
	TYPE(key, u64);
	TYPE(value, struct bio_slot);
} bios SEC(".maps");

struct {
	UINT(type, MAP_TYPE_HASH);
	UINT(max_entries, 1 << RQ_BITS);
	TYPE(key, u64);
	TYPE(value, struct rq_slot);
} requests SEC(".maps");

#define DEFINE_TABLE(name, slot, map, bits)                      \
	INLINE struct slot *name##_find(u64 key)                 \
	{                                                        \
		return map_lookup(&map, &key);                   \
	}                                                        \
                                                                 \
	INLINE struct slot *name##_claim(u64 key, int *stale)    \
	{                                                        \
		struct slot *s = map_lookup(&map, &key);         \
		struct slot fresh = {};                          \
                                                                 \
		*stale = s != 0;                                 \
		if (s)                                           \
			return s;                                \
		map_update(&map, &key, &fresh, 0);               \
		return map_lookup(&map, &key);                   \
	}                                                        \
                                                                 \
	INLINE void name##_free(u64 key)                         \
	{                                                        \
		map_delete(&map, &key);                          \
	}

/* Without atomics that give a value, two CPUs that end a split bio at the same moment
 * may both see the end of it: the pair is counted once too often as unmatched. */
INLINE int bio_took(struct bio_slot *s, u32 bytes)
{
	__sync_fetch_and_add(&s->left, -(s32)bytes);
	return s->left <= 0;
}

#endif

DEFINE_TABLE(bio, bio_slot, bios, BIO_BITS)
DEFINE_TABLE(rq, rq_slot, requests, RQ_BITS)

#endif
