package main

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"blksim/internal/option"
)

const (
	// interruptGrace is how long a run has to stop after the first signal, before
	// what is stuck in its device is left behind; and leaveGrace how long that may
	// take. Together they are the 2 s that a user waits at the most.
	interruptGrace = 1200 * time.Millisecond
	leaveGrace     = 800 * time.Millisecond

	// interruptEcho is how long a further signal counts as the first one again:
	// timeout(1) and shells signal the process and its group.
	interruptEcho = 300 * time.Millisecond
)

// stoppable is a run.
type stoppable interface {
	Stop()    // submit nothing more, cancel the rest
	Abandon() // end now, whatever is in flight
}

// stopFunc is work without a device, which only has to be told.
type stopFunc func()

func (f stopFunc) Stop()  { f() }
func (stopFunc) Abandon() {}

// interrupts stops the current run on SIGINT or SIGTERM, so that its partial
// result is written, also if the device does not answer. A second signal ends the
// process at once.
type interrupts struct {
	signals chan os.Signal
	exit    func(code int)
	mu      sync.Mutex // guards the rest
	got     int        // exit code of the first signal
	run     stoppable  // the current one
	opening string     // what is being opened for the next one, which the kernel may hold up
	ended   bool       // signals is closed
	limit   *time.Timer
}

// timeLimit is the signal that comes when the time of a command is over.
type timeLimit struct{}

func (timeLimit) Signal()        {}
func (timeLimit) String() string { return "time limit" }

// after has the command interrupted when so much time is over.
func (i *interrupts) after(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.limit = time.AfterFunc(d, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.ended || i.got != 0 {
			return
		}
		select {
		case i.signals <- timeLimit{}:
		default: // a signal is there already
		}
	})
}

// catchInterrupts takes the signals over; exit ends the process.
func catchInterrupts(exit func(code int)) *interrupts {
	i := &interrupts{signals: make(chan os.Signal, 2), exit: exit}
	signal.Notify(i.signals, os.Interrupt, syscall.SIGTERM)
	go i.watch()
	return i
}

func (i *interrupts) watch() {
	s, ok := <-i.signals
	if !ok {
		return
	}
	code := exitInterrupted
	switch s {
	case syscall.SIGTERM:
		code = exitTerminated
	case timeLimit{}:
		code = exitTimeLimit
	}
	first := time.Now()
	grace, end := time.After(interruptGrace), (<-chan time.Time)(nil)
	i.mu.Lock()
	i.got = code
	run := i.run
	i.mu.Unlock()
	if run != nil {
		run.Stop()
	}
	for again := true; again; {
		select {
		case _, ok := <-i.signals:
			if !ok {
				return // the command has ended
			}
			if again = time.Since(first) < interruptEcho; !again {
				fmt.Fprintln(os.Stderr, "blksim: interrupted twice: no result")
			}
		case <-grace:
			end = time.After(leaveGrace)
			i.mu.Lock()
			if i.run != nil {
				i.run.Abandon()
			}
			i.mu.Unlock()
		case <-end:
			fmt.Fprintf(os.Stderr, "blksim: %s within %s: no result\n", i.late(), option.FormatDuration(interruptGrace+leaveGrace))
			again = false
		}
	}
	i.exit(code)
}

// stops says which run is the current one; the returned function ends that.
func (i *interrupts) stops(run stoppable) func() {
	i.mu.Lock()
	i.run = run
	late := i.got != 0
	i.mu.Unlock()
	if late {
		run.Stop()
	}
	return func() {
		i.mu.Lock()
		i.run = nil
		i.mu.Unlock()
	}
}

// opens says what is being opened for a run; the returned function ends that.
func (i *interrupts) opens(what string) func() {
	set := func(what string) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.opening = what
	}
	set(what)
	return func() { set("") }
}

// late says what has not come about after a signal.
func (i *interrupts) late() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.opening != "" {
		return "the kernel did not open " + i.opening
	}
	return "the run did not stop"
}

// code is the exit code of the signal that came, 0 if none did.
func (i *interrupts) code() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.got
}

func (i *interrupts) release() {
	signal.Stop(i.signals)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	if i.limit != nil {
		i.limit.Stop()
	}
	close(i.signals)
}
