/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* The members of the kernel's structures that are read, and no others: the loader
 * finds them by name in the kernel's BTF. What follows three underscores is no part
 * of a name: such a structure is another view of the same one, for members that
 * came or went (the comments say in which release). */
#ifndef BLKSIM_KERNEL_H
#define BLKSIM_KERNEL_H

struct gendisk {
	int major;
	int first_minor;
} CORE;

struct block_device {
	struct gendisk *bd_disk;
} CORE;

struct bvec_iter {
	u64 bi_sector;
	u32 bi_size;
} CORE;

struct bio {
	struct bio *bi_next;
	struct block_device *bi_bdev; /* 5.12; bi_disk before */
	u32 bi_opf;
	u8 bi_status;
	struct bvec_iter bi_iter;
	void *bi_end_io;
	void *bi_private;
} CORE;

struct bio___disk {
	struct gendisk *bi_disk; /* to 5.11 */
} CORE;

struct request_queue {
	struct gendisk *disk; /* 5.15 */
} CORE;

struct request {
	struct request_queue *q;
	u32 cmd_flags;
	u32 __data_len;
	u64 __sector;
	struct bio *bio;
} CORE;

struct request___disk {
	struct gendisk *rq_disk; /* to 5.16 */
} CORE;

/* Who asked for direct I/O: block/fops.c, fs/iomap/direct-io.c, fs/aio.c, io_uring. */

struct kiocb {
	void *ki_complete;
} CORE;

struct blkdev_dio {
	struct kiocb *iocb;
	struct bio bio;
} CORE;

struct iomap_dio {
	struct kiocb *iocb;
} CORE;

struct io_event {
	u64 data;
} CORE;

struct aio_kiocb {
	struct io_event ki_res; /* 5.2; before, the data was not kept whole */
} CORE;

struct io_cqe {
	u64 user_data;
} CORE;

struct io_kiocb {
	struct io_cqe cqe; /* 5.19 */
} CORE;

struct io_kiocb___flat {
	u64 user_data; /* to 5.18 */
} CORE;

#endif
