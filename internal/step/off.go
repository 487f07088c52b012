//go:build !interleave

package step

import (
	"runtime"
	"sync"
)

// Read stands before a step that only reads the shared word p.
func Read(p any) {}

// Write stands before a step that may write the shared word p.
func Write(p any) {}

// CAS stands before the compare-and-swap of old in the word p that ends a round of
// the usual loop: load, compute, compare-and-swap, and if that fails start over.
// Nothing else that is shared may be touched in between.
func CAS[T comparable](p interface{ Load() T }, old T) {}

// Yield stands at the end of a round of spinning: the code can only go on after
// another actor has written one of the words that this round touched.
func Yield() { runtime.Gosched() }

// Lock locks m. Code under m may then have marks.
func Lock(m *sync.Mutex) { m.Lock() }

// Unlock unlocks m, which Lock locked.
func Unlock(m *sync.Mutex) { m.Unlock() }

// Recv receives from ch, or finds it closed. Who sends or closes marks that as a
// Write of ch.
func Recv(ch chan struct{}) { <-ch }

// Either returns when a or b is closed, which is all that happens to them. Who
// closes one marks that as a Write of it.
func Either(a, b chan struct{}) {
	select {
	case <-a:
	case <-b:
	}
}
