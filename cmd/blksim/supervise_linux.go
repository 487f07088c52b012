package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// exitMost is how long a process that has said its exit code may take to end.
const exitMost = 300 * time.Millisecond

// stopMost is how long it may take to stop after a signal, and to say so: longer than
// it gives itself.
const stopMost = interruptGrace + leaveGrace + time.Second

// collectFrom is the memory from which on a run on a real disk collects its garbage.
const collectFrom = "512MiB"

// superviseSelf runs this program again, with the same arguments and files, and returns
// its exit code. Signals go on to it.
func superviseSelf() (code int, err error) {
	// The kernel tells the second process when the thread that made it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	said, say, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer said.Close()
	cmd := exec.Command(ownProgram(), os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{say}
	cmd.Env = append(os.Environ(), childEnv+"=3") // the first of the extra ones
	// A collection waits for every thread, also for one that is in a system call which
	// the scheduler was not told of, as those that submit I/O: if that never returns,
	// nothing goes on. The path of an I/O makes no garbage, so there is little need.
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		cmd.Env = append(cmd.Env, "GOGC=off", "GOMEMLIMIT="+collectFrom)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	err = cmd.Start()
	say.Close()
	if err != nil {
		return 0, err
	}
	codes, ended := make(chan int, 1), make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(said).ReadString('\n')
		if n, bad := strconv.Atoi(strings.TrimSpace(line)); err == nil && bad == nil {
			codes <- n
		}
	}()
	go func() { ended <- cmd.Wait() }()
	var late <-chan time.Time // code is what it is, whatever becomes of the process
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // if it has ended, that is what comes next
			if late == nil && s != syscall.SIGQUIT {
				code, late = 128+int(s.(syscall.Signal)), time.After(stopMost)
			}
		case code = <-codes:
			late = time.After(exitMost)
		case err := <-ended:
			return endCode(err)
		case <-late:
			fmt.Fprintf(os.Stderr, "blksim: the kernel still has I/O of this run: process %d ends when that comes back\n", cmd.Process.Pid)
			return code, nil
		}
	}
}

// ownProgram is the path of this program: its own, by which tools name the process, as
// long as the same file is there.
func ownProgram() string {
	const self = "/proc/self/exe"
	path, err := os.Executable()
	if err != nil {
		return self
	}
	there, err1 := os.Stat(path)
	here, err2 := os.Stat(self)
	if err1 != nil || err2 != nil || !os.SameFile(there, here) {
		return self
	}
	return path
}

// endCode is the exit code of a process that has ended, as a shell has it.
func endCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return exitOK, nil
	case !errors.As(err, &exit):
		return 0, err
	case exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	}
	return 128 + int(exit.Sys().(syscall.WaitStatus).Signal()), nil
}
