//go:build interleave

package step

import (
	"runtime"
	"sync"
)

// A Hook is called before each shared step.
type Hook interface {
	Read(p any)
	Write(p any)
	// CAS stands before a write of p that does nothing but have the caller start
	// over unless succeeds says so. succeeds only looks.
	CAS(p any, succeeds func() bool)
	// Yield returns when another actor has written something that the caller
	// touched since its last Yield.
	Yield()
	// Wait stands before a step that writes p and that can only be taken while
	// ready says so. ready only looks.
	Wait(p any, ready func() bool)
}

// The hook belongs to the explorer, which sets it while no actor runs.
var hook Hook

// SetHook installs h and returns the hook before it; nil runs without one.
func SetHook(h Hook) Hook {
	old := hook
	hook = h
	return old
}

// Read stands before a step that only reads the shared word p.
func Read(p any) {
	if hook != nil {
		hook.Read(p)
	}
}

// Write stands before a step that may write the shared word p.
func Write(p any) {
	if hook != nil {
		hook.Write(p)
	}
}

// CAS stands before the compare-and-swap of old in the word p that ends a round of
// the usual loop: load, compute, compare-and-swap, and if that fails start over.
// Nothing else that is shared may be touched in between.
func CAS[T comparable](p interface{ Load() T }, old T) {
	if hook != nil {
		hook.CAS(p, func() bool { return p.Load() == old })
	}
}

// Yield stands at the end of a round of spinning: the code can only go on after
// another actor has written one of the words that this round touched.
func Yield() {
	if hook != nil {
		hook.Yield()
		return
	}
	runtime.Gosched()
}

// Lock locks m. Code under m may then have marks.
func Lock(m *sync.Mutex) {
	if hook != nil {
		hook.Wait(m, func() bool {
			free := m.TryLock()
			if free {
				m.Unlock()
			}
			return free
		})
	}
	m.Lock()
}

// Unlock unlocks m, which Lock locked.
func Unlock(m *sync.Mutex) {
	Write(m)
	m.Unlock()
}

// Recv receives from ch, or finds it closed. Who sends or closes marks that as a
// Write of ch.
func Recv(ch chan struct{}) {
	if hook != nil {
		hook.Wait(ch, func() bool { return len(ch) > 0 || closed(ch) })
	}
	<-ch
}

// Either returns when a or b is closed, which is all that happens to them. Who
// closes one marks that as a Write of it. To the explorer it looks at one after
// the other until one is.
func Either(a, b chan struct{}) {
	if hook == nil {
		select {
		case <-a:
		case <-b:
		}
		return
	}
	for {
		for _, ch := range [...]chan struct{}{a, b} {
			if Read(ch); closed(ch) {
				return
			}
		}
		Yield()
	}
}

// closed looks at a channel with nothing in it.
func closed(ch chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
