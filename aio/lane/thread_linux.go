package lane

import (
	"syscall"
	"unsafe"
)

// What is said to the kernel about the calling thread.

const prSetTimerslack = 29

// setSlack says by how many nanoseconds the kernel may put off the timers that the
// calling thread sleeps for, to end several sleeps at once. 0 is the default, which is
// 50 us. It cannot fail but for a kernel without the call, which has no slack.
func setSlack(ns uintptr) {
	syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerslack, ns, 0)
}

// cpuSet is the kernel's, for 1,024 processors.
type cpuSet [16]uint64

// allowed are the processors that the calling thread may run on; nil if that cannot be
// told.
func allowed() (cpus []int) {
	var set cpuSet
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set))); errno != 0 {
		return nil
	}
	for i := range 64 * len(set) {
		if set[i/64]>>(i%64)&1 != 0 {
			cpus = append(cpus, i)
		}
	}
	return cpus
}

// bind has the calling thread run on these processors and no others. It fails only if
// they have gone meanwhile, and then changes nothing.
func bind(cpus ...int) {
	var set cpuSet
	for _, i := range cpus {
		set[i/64] |= 1 << (i % 64)
	}
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
}
