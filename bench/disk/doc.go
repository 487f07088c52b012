// Command disk measures blksim's stack over a real disk (aio, blk, driver/disk, with
// the account of each I/O) against fio, on disks in memory that it makes itself and
// takes away again. It needs root and fio.
//
//	go run ./bench/disk                      all rows; results to bench/disk/results.json
//	go run ./bench/disk -v -run read-q32-    some rows, with what is behind them
//	go run ./bench/disk -short               a few short windows, to see that it works
//	go run ./bench/disk -table               put the results into docs/performance.md
//
// # What is compared
//
// 4 KiB random reads and writes of zeroes, with 1, 8, 32 and 128 I/Os at once, on a
// loop device over a file on ext4 on zram, which is the fastest block device that
// a machine without a spare disk has. We and fio take turns in windows of half a
// second; each turn gives a ratio, and a row is the median of nine. The rows
// "pinned" are on the file itself, where I/Os are complete when the submitting system
// call returns, with the thread that does the I/O held on one CPU.
//
// Default fio is --ioengine, --iodepth and --direct=1. Tuned fio also submits and
// reaps in batches as large as the depth, registers buffers and files, and keeps no
// map of the blocks it has read (--norandommap), as we keep none. Both have their
// account of latencies, as we have.
//
// The rows "bare" are of a loop over io_uring without any stack: what there is to be won
// or lost between it and us is ours, and the rest is the kernel's and the disk's.
//
// CPU is that of our process, and of fio's job as it reports it; what kernel threads
// do for a loop device is in neither.
package main
