// Package live shows what block devices do while they do it: a line an I/O ([Snoop]),
// a screen or a line an interval ([Top]), distributions that the kernel has counted
// ([Latency]).
//
// Where I/Os come from is behind two interfaces, [Source] and [HistogramSource], which
// Open and OpenHistograms give over internal/ebpf, and a test gives without a kernel.
//
// # Times
//
// All times are nanoseconds of one clock, CLOCK_MONOTONIC of the machine; views show
// them from their start. An I/O is in the queue from when it was queued until it was issued to the
// device's driver, and with the device from there until it completed. What was never
// issued to a device, since the driver takes bios and no requests (zram, RAID), has no
// queue part: all of its time is the device's.
//
// # Nothing lost in silence
//
// A tracer loses I/Os when its reader cannot follow. The kernel side counts each, and
// every view ends with [Counts]: begun, shown, lost, left out by filters, and not
// finished, beside what the devices' own counters say.
//
// A view belongs to one goroutine; only its stop function may be asked from others.
package live
