// Package capture makes a trace of what a tracer sees of disks: events of bios, as they
// complete, become records in the order in which they were queued, with the times of
// issue and completion, and the account of what was seen and lost.
//
// A [Recorder] belongs to one goroutine. It keeps events until all that was queued before
// them has completed, at most [Held] of them; an I/O that takes longer than that
// comes late, and [Merge] puts it in its place at the end.
//
// [Overlap] tells whether a file lies on a disk, however many layers are between:
// writing the trace must not be in the trace.
package capture
