//go:build !linux

package main

import (
	"time"

	"blksim/bench/figures"
)

const diskSize = 0

const notHere = figures.Skip("real disks are for Linux")

type disks struct{}

func (b *bench) path(spec) (string, error) { return "", notHere }
func (b *bench) close() error              { return nil }

type ours struct{ kind string }

func openOurs(string, string, spec) (*ours, error)        { return nil, notHere }
func (l *ours) run(time.Duration) (window, error)         { return window{}, notHere }
func (l *ours) close() error                              { return nil }
func bareRun(string, spec, time.Duration) (window, error) { return window{}, notHere }
func pinnedCPU() int                                      { return 0 }
