//go:build !linux

package disk

import (
	"fmt"
	"runtime"
	"time"

	"blksim/aio/lane"
)

// On this system there is no File and no Engine: what makes them says so, and the
// methods are never called.

// A File is an open disk.
type File struct{}

// Open fails.
func Open(path string, o Options) (*File, error) {
	return nil, fmt.Errorf("disk: %s: real disks are for Linux: %w (%s)", path, ErrNotSupported, runtime.GOOS)
}

func (f *File) Info() Info            { return Info{} }
func (f *File) Fd() int               { return -1 }
func (f *File) Close() error          { return ErrNotSupported }
func (f *File) Aligned(b []byte) bool { return false }

// An Engine does the I/Os of one lane.
type Engine struct{}

func (e *Engine) Kind() EngineKind     { return "" }
func (e *Engine) Why() string          { return "" }
func (e *Engine) Counts() Counts       { return Counts{} }
func (e *Engine) Submit(io *IO)        {}
func (e *Engine) Cancel(io *IO)        {}
func (e *Engine) Poll() bool           { return false }
func (e *Engine) Wait(d time.Duration) {}
func (e *Engine) Wake()                {}

// A Handle is a file as an engine knows it.
type Handle struct{}

func (h *Handle) Cancels() Cancels { return Cancels{} }

// An Arena is memory for buffers.
type Arena struct{}

func (a *Arena) Alloc(n int) []byte { return make([]byte, n) }
func (a *Arena) Free(b []byte)      {}

// Engines has the engines of a group of lanes.
type Engines struct{ arena Arena }

// NewEngines makes no engine.
func NewEngines(o EngineOptions) (*Engines, error) { return &Engines{}, o.Validate() }

func (s *Engines) Arena() *Arena  { return &s.arena }
func (s *Engines) Counts() Counts { return Counts{} }
func (s *Engines) Close() error   { return nil }

// Open fails.
func (s *Engines) Open(l lane.Lane, f *File) (*Engine, *Handle, error) {
	return nil, nil, ErrNotSupported
}

// Release fails.
func (s *Engines) Release(l lane.Lane, h *Handle) error { return ErrNotSupported }
