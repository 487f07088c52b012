package main

import (
	"errors"
	"fmt"
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
	exitInterrupted = 130 // SIGINT; 143 is SIGTERM
	exitTerminated  = 143
)

// exitError is an error with the code that the process ends with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// failed wraps err with an exit code; nil stays nil.
func failed(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
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
