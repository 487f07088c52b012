//go:build !linux

package main

import "blksim/bench/figures"

type ftrace struct{}

func (e *experiment) run() error {
	return figures.Skip("the tracepoints of the block layer are of Linux only")
}
