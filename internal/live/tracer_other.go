//go:build !linux

package live

import (
	"fmt"

	"blksim/internal/ebpf"
)

// Tracer is a source of events from the kernel, which only Linux gives.
type Tracer struct{ closed }

// Histograms is a source of distributions from the kernel, which only Linux gives.
type Histograms struct{ closed }

// closed is what cannot be opened.
type closed struct{ Source }

func (closed) Distributions() ([]Distribution, error) { return nil, errSystem() }
func (closed) Close() error                           { return nil }

func errSystem() error {
	return fmt.Errorf("live: %w: it wants Linux", ebpf.ErrUnavailable)
}

// Open says that it is not supported here.
func Open(Config) (*Tracer, error) { return nil, errSystem() }

// OpenHistograms says that it is not supported here.
func OpenHistograms(Config) (*Histograms, error) { return nil, errSystem() }
