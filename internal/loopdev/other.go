//go:build !linux

package loopdev

import "runtime"

func missing() error { return unavailable("block devices of our own on %s", runtime.GOOS) }

// Attach is for Linux.
func Attach(string, Options) (*Loop, error) { return nil, missing() }

// Detach is for Linux.
func (l *Loop) Detach() error { return missing() }

// AddZram is for Linux.
func AddZram(int64) (*Zram, error) { return nil, missing() }

// Remove is for Linux.
func (z *Zram) Remove() error { return missing() }

// Format is for Linux.
func Format(string, string, ...string) error { return missing() }

// MountAt is for Linux.
func MountAt(string, string, string, string) (*Mount, error) { return nil, missing() }

// Unmount is for Linux.
func (m *Mount) Unmount() error { return missing() }

// Throttle is for Linux.
func Throttle(string, Limits) (func() error, error) { return nil, missing() }
