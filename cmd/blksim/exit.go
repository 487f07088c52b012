package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// The exit codes of every command.
const (
	exitOK          = 0
	exitInternal    = 1   // blksim's own fault
	exitUsage       = 2   // the command line
	exitInput       = 3   // bad input data
	exitDevice      = 4   // the device or the environment
	exitOutput      = 5   // results could not be written
	exitPartial     = 6   // input that was only partly good was accepted
	exitThreshold   = 99  // a demand on the result is not met
	exitTimeLimit   = 124 // --time-limit ended the run
	exitInterrupted = 130 // SIGINT; 143 is SIGTERM
	exitTerminated  = 143
)

// exitError is an error with the code that the process ends with.
type exitError struct {
	code int
	err  error
	said bool // the user has been told
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// failed wraps err with an exit code; nil stays nil.
func failed(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: code, err: err}
}

func usagef(format string, args ...any) error {
	return failed(exitUsage, fmt.Errorf(format, args...))
}

// codeOf is the exit code for what a command returned.
func codeOf(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return exitInput
	}
	return exitInternal
}

// say tells the user an error.
func say(stderr io.Writer, err error) {
	fmt.Fprintf(stderr, "blksim: %v\n", err)
}

// errorLog tells each error of a command as it comes, the same text once.
type errorLog struct {
	stderr io.Writer
	said   map[string]bool
	err    *exitError // decides the exit code
}

// add tells err, if there is one; the first decides the exit code.
func (l *errorLog) add(err error) {
	if err == nil {
		return
	}
	if text := err.Error(); !l.said[text] {
		if l.said == nil {
			l.said = map[string]bool{}
		}
		l.said[text] = true
		say(l.stderr, err)
	}
	if l.err == nil {
		l.err = &exitError{code: codeOf(err), err: err, said: true}
	}
}

// decide tells err, and has it decide the exit code before all others.
func (l *errorLog) decide(err error) {
	if err != nil {
		l.err = nil
		l.add(err)
	}
}

// result is what the command returns.
func (l *errorLog) result() error {
	if l.err == nil {
		return nil
	}
	return l.err
}
