/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* The id that an application gave its I/O, from the bio: direct I/O on block devices
 * and through iomap (ext4, xfs, btrfs) keeps the kiocb where the bio's end leads, and the
 * kiocb is inside that of Linux AIO or io_uring. What a pointer points to is told by
 * the function that will be called with it. */
#ifndef BLKSIM_APP_H
#define BLKSIM_APP_H

INLINE u64 app_of(u64 bio, u8 *kind)
{
	u64 end = 0, of = 0, complete = 0, id = 0;
	struct kiocb *k = 0;

	CORE_READ(&end, &((struct bio *)bio)->bi_end_io);
	if (end == 0)
		return 0;
	CORE_READ(&of, &((struct bio *)bio)->bi_private);
	if (end == fn_iomap_end_io && TYPE_EXISTS(struct iomap_dio)) {
		CORE_READ(&k, &((struct iomap_dio *)of)->iocb);
	} else if (end == fn_blkdev_end_io_async && TYPE_EXISTS(struct blkdev_dio)) {
		/* The bio is inside. */
		u64 at = __builtin_preserve_field_info(((struct blkdev_dio *)0)->bio, 0);

		CORE_READ(&k, &((struct blkdev_dio *)(bio - at))->iocb);
	} else if (end == fn_blkdev_end_io && TYPE_EXISTS(struct blkdev_dio)) {
		CORE_READ(&k, &((struct blkdev_dio *)of)->iocb);
	}
	if (!k)
		return 0;
	CORE_READ(&complete, &k->ki_complete);
	if (complete == 0)
		return 0; /* somebody waits for it: read(2), write(2) */
	if (complete == fn_aio_complete && TYPE_EXISTS(struct aio_kiocb)) {
		*kind = APP_AIO;
		CORE_READ(&id, &((struct aio_kiocb *)k)->ki_res.data);
	} else if (complete == fn_uring_complete || complete == fn_uring_complete_poll) {
		*kind = APP_URING;
		if (FIELD_EXISTS(((struct io_kiocb *)k)->cqe.user_data))
			CORE_READ(&id, &((struct io_kiocb *)k)->cqe.user_data);
		else
			CORE_READ(&id, &((struct io_kiocb___flat *)k)->user_data);
	}
	return id;
}

#endif
