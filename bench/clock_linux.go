package main

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const clockProcess = 2 // CLOCK_PROCESS_CPUTIME_ID

// processTime is the processor time that this process has used, in all its
// threads.
func processTime() time.Duration {
	var ts syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockProcess, uintptr(unsafe.Pointer(&ts)), 0)
	if errno != 0 {
		panic("bench: clock_gettime: " + errno.Error())
	}
	return time.Duration(ts.Nano())
}

// runDelay is the time that threads of this process were ready to run and waited
// for a core. It is 0 where the kernel does not keep count.
func runDelay() (sum time.Duration) {
	const dir = "/proc/self/task"
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, t := range tasks {
		b, err := os.ReadFile(dir + "/" + t.Name() + "/schedstat")
		if fields := bytes.Fields(b); err == nil && len(fields) == 3 {
			ns, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}
