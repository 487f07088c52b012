package disk

import (
	"runtime"
	"testing"
	"time"
)

// instant is a backend that does nothing, at once.
type instant struct {
	e    *Engine
	ends []*IO
}

func (b *instant) enter(ios []*IO, d time.Duration) int {
	for _, io := range ios {
		b.e.place(io)
		b.ends = append(b.ends, io)
	}
	return len(ios)
}

func (b *instant) reap() {
	for _, io := range b.ends {
		b.e.returned(io.token(), io.Len)
	}
	b.ends = b.ends[:0]
}
func (b *instant) ready() bool            { return len(b.ends) > 0 }
func (b *instant) deferred() bool         { return false }
func (b *instant) listens() bool          { return false }
func (b *instant) cancel(*IO)             {}
func (b *instant) register(*Handle) error { return nil }
func (b *instant) unregister(*Handle)     {}
func (b *instant) room() int              { return 4096 }
func (b *instant) close() error           { return nil }

// BenchmarkEngine is what an engine costs without the kernel.
func BenchmarkEngine(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	e := &Engine{}
	e.back = &instant{e: e}
	e.bell, _ = newBell()
	a, _ := newArena(1 << 20)
	f := &File{info: Info{Direct: true, MemoryAlign: 512}}
	h, _ := e.Register(f)
	ios, d := reads(h, a, 32)
	b.ReportAllocs()
	for n := 0; n < b.N; n += 32 {
		submit(e, d, ios...)
		for d.left > 0 {
			if !e.Poll() {
				e.Wait(time.Second)
			}
		}
	}
}
