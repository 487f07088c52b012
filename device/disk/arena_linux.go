package disk

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ncw/directio"
	"golang.org/x/sys/unix"
)

// An Arena is memory for buffers, aligned to pages, outside of the Go heap, so that
// io_uring can be told of it once and need not look up and pin pages for each I/O.
// Any goroutine may call its methods.
type Arena struct {
	memory []byte
	kept   atomic.Bool // the kernel may still write to it: it is never unmapped

	mu   sync.Mutex
	used int          // bytes of memory that were ever given out
	free [40][][]byte // given back, by the logarithm of their size
}

const arenaPage = 4096

// newArena maps size bytes. They take up no memory until they are used or
// registered.
func newArena(size int64) (*Arena, error) {
	m, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("disk: map %d bytes for buffers: %w", size, err)
	}
	return &Arena{memory: m}, nil
}

// Alloc gives n bytes that begin on a page, of the arena if it has as many and else
// of the heap.
func (a *Arena) Alloc(n int) []byte {
	class := sizeClass(n)
	a.mu.Lock()
	defer a.mu.Unlock()
	if list := a.free[class]; len(list) > 0 {
		b := list[len(list)-1]
		a.free[class] = list[:len(list)-1]
		return b[:n]
	}
	size := 1 << class
	if size > len(a.memory)-a.used {
		return directio.AlignedBlock(n)
	}
	b := a.memory[a.used:][:n:size]
	a.used += size
	return b
}

// Free takes back what Alloc gave.
func (a *Arena) Free(b []byte) {
	if !a.has(b) {
		return
	}
	class := sizeClass(cap(b))
	a.mu.Lock()
	a.free[class] = append(a.free[class], b)
	a.mu.Unlock()
}

// has says whether b is of the arena.
func (a *Arena) has(b []byte) bool { return within(a.memory, b) }

// within says whether b lies within m.
func within(m, b []byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(m)))
	return at < uintptr(len(m)) && uintptr(len(b)) <= uintptr(len(m))-at
}

func (a *Arena) close() error { return unix.Munmap(a.memory) }

// sizeClass is the logarithm of the power of two, at least a page, that n fits in.
func sizeClass(n int) int { return max(bits.Len(uint(arenaPage-1)), bits.Len(uint(max(n, 1)-1))) }
