package ebpf

import "golang.org/x/sys/unix"

// Now is the time on the clock of events, ns.
func Now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic("ebpf: no monotonic clock: " + err.Error())
	}
	return t.Nano()
}
