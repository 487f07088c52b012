package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"blksim/internal/outfile"
)

// A process cannot end while the kernel holds certain I/Os of it: exit waits for those
// of Linux AIO and for threads in uninterruptible system calls, and so does kill -9.
// A run on a real disk is therefore done by a second process, and the first one, which
// has no I/O of its own, ends with its exit code as soon as that is known, whatever
// the kernel does with the second (docs/adr/0043-a-second-process-for-real-disks.md).

// process is the system of a process of its own, and not of a test within one.
type process struct{ outfile.OS }

// childEnv tells the second process on which file descriptor to say its exit code.
const childEnv = "BLKSIM_EXIT_FD"

// supervised has a second process do what this one was asked to, if that is a run on
// a real disk, and this is not the second one already. Then it returns an error with
// the exit code.
func (s *settings) supervised() error {
	if _, own := s.sys.(process); !own || !s.isReal() || os.Getenv(childEnv) != "" {
		return nil
	}
	code, err := superviseSelf()
	if err != nil {
		return failed(exitDevice, fmt.Errorf("a second process for the run: %w", err))
	}
	return &exitError{code: code, err: errors.New("the run has ended"), said: true}
}

// exit ends the process. The first one is told before: this one may have to wait for
// the kernel.
func exit(code int) {
	if fd, err := strconv.Atoi(os.Getenv(childEnv)); err == nil {
		if f := os.NewFile(uintptr(fd), "exit code"); f != nil {
			fmt.Fprintln(f, code) // if the first one is gone, nobody wants to know
		}
	}
	os.Exit(code)
}
