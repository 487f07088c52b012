// Package uring is a minimal io_uring (Linux 5.6 or newer): a ring, its entries,
// and the few calls that submit, wait and reap. It is raw system calls on
// golang.org/x/sys/unix, because the io_uring libraries for Go are not maintained.
// On other systems the package is empty.
//
// # What runs where
//
// A [Ring] belongs to one operating system thread, the one that called New: its
// user locks its goroutine to the thread (runtime.LockOSThread) before New and
// until after Close. That is what lets the kernel leave out its own locking
// (SINGLE_ISSUER, DEFER_TASKRUN), and it is checked by the kernel, which answers
// EEXIST to any other thread.
//
// # Memory
//
// The kernel reads and writes the buffers and arguments that an entry names by
// their addresses until the entry's completion has come. They must be on the heap
// or mapped, not on a stack, and somebody must hold on to them meanwhile; a Ring
// holds on to nothing but registered buffers.
//
// # Features
//
// New asks for the fastest set of flags and falls back, one step at a time, on
// what an older kernel has; Flags tells what it got. A polling ring has its kernel
// thread sleep when it had nothing to do for a short time: nothing spins for long.
package uring
