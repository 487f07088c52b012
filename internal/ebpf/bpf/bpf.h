/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* What programs need of BPF itself: helpers by their numbers (uapi/linux/bpf.h),
 * sections, maps, and CO-RE. Written out here, so that clang is all that a rebuild
 * takes, and its bytes do not depend on the libbpf of the machine. */
#ifndef BLKSIM_BPF_H
#define BLKSIM_BPF_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))

/* Maps are declared by members of a struct, which the loader reads from BTF. */
#define UINT(name, value) int(*name)[value]
#define TYPE(name, value) typeof(value) *name

enum {
	MAP_TYPE_HASH = 1,
	MAP_TYPE_ARRAY = 2,
	MAP_TYPE_PERCPU_ARRAY = 6,
	MAP_TYPE_ARRAY_OF_MAPS = 12,
	MAP_TYPE_RINGBUF = 27,
	F_MMAPABLE = 1 << 10,
	RB_NO_WAKEUP = 1,
	RB_FORCE_WAKEUP = 2,
};

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const map_delete)(void *map, const void *key) = (void *)3;
static u64 (*const ktime_get_ns)(void) = (void *)5;
static u32 (*const get_smp_processor_id)(void) = (void *)8;
static u64 (*const get_current_pid_tgid)(void) = (void *)14;
static long (*const get_current_comm)(void *buf, u32 size) = (void *)16;
static long (*const probe_read_kernel)(void *dst, u32 size, const void *src) = (void *)113;
static void *(*const ringbuf_reserve)(void *ringbuf, u64 size, u64 flags) = (void *)131;
static void (*const ringbuf_submit)(void *data, u64 flags) = (void *)132;

/* CO-RE: the loader writes the running kernel's offsets into these, from its BTF. */
#define CORE __attribute__((preserve_access_index))
#define CORE_READ(dst, src) probe_read_kernel(dst, sizeof(*(dst)), __builtin_preserve_access_index(src))
#define FIELD_EXISTS(field) __builtin_preserve_field_info(field, 2)
#define TYPE_EXISTS(type) __builtin_preserve_type_info(*(type *)0, 0)

/* FIELD(typed, p, f) is p->f. Where the verifier knows the type of p (tp_btf), that is
 * one load; elsewhere (raw tracepoints) p is a number, and a helper reads it. typed is
 * a constant of each program, so one of the two is left. */
#define FIELD(typed, p, f)                                                                 \
	({                                                                                 \
		typeof((p)->f) v_;                                                         \
		if (typed)                                                                 \
			v_ = (p)->f;                                                       \
		else                                                                       \
			probe_read_kernel(&v_, sizeof(v_), __builtin_preserve_access_index(&(p)->f)); \
		v_;                                                                        \
	})

/* number is an address as a number. The verifier allows no arithmetic on pointers that it
 * knows the type of, and no passing of them as numbers; what has had its bytes swapped
 * is a number to it, also when they are swapped back. Needs CAP_PERFMON, as all of this. */
INLINE u64 number(const void *p)
{
	u64 n = (u64)p;

	asm volatile("%0 = be64 %0\n\t%0 = be64 %0" : "+r"(n));
	return n;
}

/* A function that is not static is verified once, by itself, and not in each place and
 * state in which it is called (from 5.6 on): so a loop that calls it is short work. */
#define VERIFIED_ONCE __attribute__((noinline))

#endif
