/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* The tables of bios and requests that are underway, by their addresses.
 *
 * A slot is claimed by a compare-and-swap of its key, in one of PROBES places from
 * the address's hash on: an eighth of the cost of a hash map's update and delete, and no
 * lock. Kernels before 5.12, and machines whose JIT lacks atomics, load the object
 * that is built with -DPLAIN_TABLES, with hash maps instead.
 *
 * A completion may be missed (the kernel skips programs that would nest), and its
 * slot is left. Whoever claims for the same address again counts it as stale. */
#ifndef BLKSIM_TABLE_H
#define BLKSIM_TABLE_H

struct bio_slot {
	u64 key;
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
	u64 key;
	u64 insert, issue;
	u32 requeues;
	u32 bios;
};

#define BIO_BITS 15
#define RQ_BITS 14
#define PROBES 8

#ifndef PLAIN_TABLES

struct {
	UINT(type, MAP_TYPE_ARRAY);
	UINT(max_entries, 1 << BIO_BITS);
	UINT(map_flags, F_MMAPABLE);
	TYPE(key, u32);
	TYPE(value, struct bio_slot);
} bios SEC(".maps");

struct {
	UINT(type, MAP_TYPE_ARRAY);
	UINT(max_entries, 1 << RQ_BITS);
	UINT(map_flags, F_MMAPABLE);
	TYPE(key, u32);
	TYPE(value, struct rq_slot);
} requests SEC(".maps");

/* Bios and requests are at multiples of 8 bytes, and close together. */
INLINE u32 place_of(u64 key, u32 bits)
{
	return (key >> 3) * 0x9e3779b97f4a7c15ull >> (64 - bits);
}

#define DEFINE_TABLE(name, slot, map, bits)                                          \
	INLINE struct slot *name##_find(u64 key)                                     \
	{                                                                            \
		u32 at = place_of(key, bits);                                        \
                                                                                     \
		_Pragma("clang loop unroll(disable)") for (int i = 0; i < PROBES; i++) {                                 \
			u32 k = (at + i) & ((1 << bits) - 1);                        \
			struct slot *s = map_lookup(&map, &k);                       \
                                                                                     \
			if (s && s->key == key)                                      \
				return s;                                            \
		}                                                                    \
		return 0;                                                            \
	}                                                                            \
                                                                                     \
	/* claim gives a slot for key; what it holds besides the key is left from    \
	 * before. *stale is whether it was key's already. */                         \
	INLINE struct slot *name##_claim(u64 key, int *stale)                        \
	{                                                                            \
		u32 at = place_of(key, bits);                                        \
		struct slot *s = name##_find(key);                                   \
                                                                                     \
		*stale = s != 0;                                                     \
		if (s)                                                               \
			return s;                                                    \
		_Pragma("clang loop unroll(disable)") for (int i = 0; i < PROBES; i++) {                                 \
			u32 k = (at + i) & ((1 << bits) - 1);                        \
                                                                                     \
			s = map_lookup(&map, &k);                                    \
			if (s && s->key == 0 && __sync_val_compare_and_swap(&s->key, 0, key) == 0) \
				return s;                                            \
		}                                                                    \
		return 0;                                                            \
	}                                                                            \
                                                                                     \
	INLINE void name##_free(struct slot *s, u64 key)                             \
	{                                                                            \
		__sync_val_compare_and_swap(&s->key, key, 0);                        \
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

#define DEFINE_TABLE(name, slot, map, bits)                                          \
	INLINE struct slot *name##_find(u64 key)                                     \
	{                                                                            \
		return map_lookup(&map, &key);                                       \
	}                                                                            \
                                                                                     \
	INLINE struct slot *name##_claim(u64 key, int *stale)                        \
	{                                                                            \
		struct slot *s = map_lookup(&map, &key);                             \
		struct slot fresh = { .key = key };                                  \
                                                                                     \
		*stale = s != 0;                                                     \
		if (s)                                                               \
			return s;                                                    \
		map_update(&map, &key, &fresh, 0);                                   \
		return map_lookup(&map, &key);                                       \
	}                                                                            \
                                                                                     \
	INLINE void name##_free(struct slot *s, u64 key)                             \
	{                                                                            \
		map_delete(&map, &key);                                              \
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
