package disk

import (
	"slices"
	"sync/atomic"
)

// A Handle is a file as an engine knows it. It belongs to the engine's lane.
type Handle struct {
	file   *File
	engine *Engine
	index  int
	serial uint32 // no other handle of the engine has it
	fixed  bool   // the kernel knows the file by index

	asked, ours, kernel, running, unknown, refused atomic.Uint64
}

// name names the handle to the kernel.
func (h *Handle) name() uint64 { return uint64(h.serial&(1<<24-1))<<32 | uint64(h.index) }

// Cancels tells what became of cancels of this file's I/Os. Anywhere.
func (h *Handle) Cancels() Cancels {
	return Cancels{h.asked.Load(), h.ours.Load(), h.kernel.Load(), h.running.Load(), h.unknown.Load(), h.refused.Load()}
}

// Register makes a file known to the engine.
func (e *Engine) Register(f *File) (*Handle, error) {
	e.serial++
	h := &Handle{file: f, engine: e, index: slices.Index(e.handles, nil), serial: e.serial}
	if h.index < 0 {
		h.index = len(e.handles)
		e.handles = append(e.handles, nil)
	}
	if e.back != nil {
		if err := e.back.register(h); err != nil {
			return nil, err
		}
	}
	e.handles[h.index] = h
	return h, nil
}

// Unregister ends that. No I/O of the file is with the engine.
func (e *Engine) Unregister(h *Handle) {
	if e.back != nil {
		e.back.unregister(h)
	}
	e.handles[h.index] = nil
}
