// Package kernelview sets what blksim did in a run on a real disk beside what the
// kernel's block layer saw of it: per I/O, and in sum.
//
// A [View] traces the bios of this process on the disk by internal/ebpf, and gets every
// I/O of the run as a [record.Sink]. A matcher pairs the two streams as they come: a
// bio is explained by an I/O of the same operation that had been dispatched when the bio was
// queued, had not returned when it completed, and covers its bytes. One I/O may make
// several bios, and several I/Os that blksim merged make one.
//
// # What it proves
//
// An I/O that was cancelled before dispatch must never reach the device. If each bio
// that the kernel queued for us is explained by an I/O that was dispatched, none is left for
// one that was not, whatever either side believes of itself. That holds only if no
// bio was missed, so what the tracer lost is part of the answer ([report.Kernel]).
//
// # What runs where
//
// Bios come from a goroutine of the View's own, and I/Os from the recorder's; a leaf
// lock is around the matcher. Nothing is on the lanes but what the recorder needs.
// Memory is bounded by what is in flight and what the recorder holds back, not by the run.
package kernelview
