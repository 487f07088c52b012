//go:build !linux

package main

import (
	"time"

	"blksim/bench/figures"
)

const (
	deviceSize = 64 << 20
	service    = 4 * time.Millisecond
)

func child() (bool, error) { return false, nil }

func (l *lab) run() error { return figures.Skip("the kernel's ways to cancel are those of Linux") }

func monotonic() time.Duration { return 0 }
