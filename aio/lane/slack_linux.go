package lane

import "syscall"

const prSetTimerslack = 29

// setSlack says by how many nanoseconds the kernel may put off the timers that the
// calling thread sleeps for, to end several sleeps at once. 0 is the default, which is
// 50 us. It cannot fail but for a kernel without the call, which has no slack.
func setSlack(ns uintptr) {
	syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerslack, ns, 0)
}
