//go:build !linux

package guard

import "fmt"

// Resolve says what a path leads to: not here.
func Resolve(path string) (*Target, error) { return nil, fmt.Errorf("%s: %w", path, ErrUnsupported) }

// Read reads who uses which device: not here.
func Read() (*System, error) { return nil, ErrUnsupported }

// Claim takes a target for writing: not here.
func Claim(*Target, Options) (*Claimed, error) { return nil, ErrUnsupported }

// Create makes a new file: not here.
func Create(path string, _ int64) error { return fmt.Errorf("%s: %w", path, ErrUnsupported) }
