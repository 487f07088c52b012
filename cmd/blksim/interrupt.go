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
	// interruptGrace is how long a run has to stop after the first signal.
	interruptGrace = 2 * time.Second

	// interruptEcho is how long a further signal counts as the first one again:
	// timeout(1) and shells signal the process and its group.
	interruptEcho = 300 * time.Millisecond
)

// interrupts stops the current run on SIGINT or SIGTERM, so that its partial
// result is written. A second signal, or a run that does not stop in time, ends
// the process at once.
type interrupts struct {
	signals chan os.Signal
	exit    func(code int)
	mu      sync.Mutex // guards the rest
	got     int        // exit code of the first signal
	stop    func()     // stops the current run
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
	if s == syscall.SIGTERM {
		code = exitTerminated
	}
	first := time.Now()
	grace := time.After(interruptGrace)
	i.mu.Lock()
	i.got = code
	stop := i.stop
	i.mu.Unlock()
	if stop != nil {
		stop()
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
			fmt.Fprintf(os.Stderr, "blksim: the run did not stop within %s: no result\n", option.FormatDuration(interruptGrace))
			again = false
		}
	}
	i.exit(code)
}

// stops says how the current run is stopped; the returned function ends that.
func (i *interrupts) stops(f func()) func() {
	i.mu.Lock()
	i.stop = f
	late := i.got != 0
	i.mu.Unlock()
	if late {
		f()
	}
	return func() {
		i.mu.Lock()
		i.stop = nil
		i.mu.Unlock()
	}
}

// code is the exit code of the signal that came, 0 if none did.
func (i *interrupts) code() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.got
}

func (i *interrupts) release() {
	signal.Stop(i.signals)
	close(i.signals)
}
