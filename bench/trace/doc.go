// Command trace measures what tracing costs the traced: the IOPS that fio keeps on the
// fastest loop device of the machine (bench/disk says which) while a tracer looks, as a
// share of what it has without. It needs root, and fio and bpftrace from the system.
//
//	go run ./bench/trace                  all rows; results to bench/trace/results.json
//	go run ./bench/trace -v -run events   some rows, with what is behind them
//	go run ./bench/trace -short           a few short windows, to see that it works
//	go run ./bench/trace -table           put the results into docs/performance.md
//
// # What is compared
//
// fio runs all the time, on every core, with tuned settings: random 4 KiB reads as fast
// as it goes, or at 100,000 IOPS. In turns of half a second nobody traces, and a
// tracer does; the device's own counters (/sys/block/DEV/stat) say how many I/Os each
// had. Each turn with a tracer is set beside the mean of the one before and the one
// after it. As fast as it goes, the machine is busy, and what counts is I/Os a second of
// the processor time that other processes left (/proc/stat, less what they had): fio's, the
// kernel's and the tracer's with its reader. On a machine with nothing else to do those are
// IOPS; on one that is shared they are what IOPS would be. At 100,000 IOPS, IOPS count.
//
//   - histogram: internal/ebpf counts the time with the device (blksim biolatency);
//     histogram-queue also follows each I/O from when it is queued.
//   - events: internal/ebpf gives each I/O, and a reader takes it (blksim snoop, top and
//     trace record are such readers, and do more with it).
//   - bpftrace: a script that does what the histogram does, by a map of what was issued.
//   - tracefs: the kernel's own events of issue and completion, in binary, read by one
//     reader a CPU that throws them away, as trace-cmd and perf do.
//
// The grid below the rows has what each tracer lost, with blksim's account: I/Os that
// were started = done + lost + not followed + never seen to end, and beside it the
// device's own count for the same time.
package main
