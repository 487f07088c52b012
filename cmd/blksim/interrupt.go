package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// interruptGrace is how long a run has to stop after the first signal.
const interruptGrace = 2 * time.Second

// interrupts stops the current run on SIGINT or SIGTERM, so that its partial
// result is written. A second signal, or a run that does not stop in time, ends
// the process at once.
type interrupts struct {
	signals chan os.Signal
	mu      sync.Mutex // guards the rest
	got     int        // exit code of the first signal
	stop    func()     // stops the current run
}

func catchInterrupts() *interrupts {
	i := &interrupts{signals: make(chan os.Signal, 2)}
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
	i.mu.Lock()
	i.got = code
	stop := i.stop
	i.mu.Unlock()
	if stop != nil {
		stop()
	}
	select {
	case _, again := <-i.signals:
		if !again {
			return // the command has ended
		}
		fmt.Fprintln(os.Stderr, "blksim: interrupted twice: no result")
	case <-time.After(interruptGrace):
		fmt.Fprintf(os.Stderr, "blksim: the run did not stop within %v: no result\n", interruptGrace)
	}
	os.Exit(code)
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

func dirOf(path string) string { return filepath.Dir(path) }
