// Package ebpf shows what the kernel's own block layer does with I/O: every bio from
// the moment it is queued, and every request that the driver gets, by BPF programs at
// the block layer's tracepoints. It needs Linux 5.8, better with BTF, and CAP_BPF and CAP_PERFMON
// ([Open] says what is missing); elsewhere Open fails.
//
// # What an event is
//
// A bio is an I/O as an application or a file system asked for it. One [Event] comes for
// each, when it completes: where, how much, whose, and when it was queued (Q), issued to
// the driver (D) and completed (C). Bios that the kernel merges into one request share
// its D and C; of one that it splits, D is the first piece's and C the last one's. An event
// of a request (Options.Requests) is what the driver saw instead. Times are taken by the
// programs: the kernel's own share one reading of the clock for all of a plug.
//
// Drivers that take bios (zram, device mapper, md) issue nothing: Q and C only. Of stacked
// devices each logs its own bios; name one in Options.Devices to have each I/O once. A
// partition is told as a range of its disk, where it is to the block layer.
//
// # Nothing lost in silence
//
// Each bio that was started is counted once: done, lost (the ring was full), too brief,
// without room in the table, or never seen to complete ([Counts.Check]). The programs are
// attached from the end of an I/O's way to its start, and [Tracer.Stop] takes them away the
// other way round, so that nothing is cut in two. The device's own figures, in
// /sys/block/DEV/stat, are an independent count of the same: [ReadStat].
//
// # How it is attached
//
// As BTF tracepoints, else as raw ones. Arguments moved between releases, and back into old
// ones by distributions; the kernel's BTF says where they are, and no release is asked
// for. Programs and records are in package bpf; kernel_linux.go reads the BTF. Kernels without
// BTF have classic tracepoints, which tell of each step of an I/O apart; the Tracer pairs
// them by their places (pairing.go). That costs more, has no histograms, no ids and no time of
// insertion, and needs CAP_SYS_ADMIN or a mounted tracefs.
//
// # What runs where
//
// The programs run on every CPU inside the kernel, and share a ring for records. A Tracer
// starts no goroutine. Read belongs to one; the other methods may be called by others.
package ebpf
