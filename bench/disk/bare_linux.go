package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"blksim/aio"
	"blksim/internal/uring"
)

// bare is a load without a stack: a loop over io_uring that counts completions and
// keeps no account of any, with all that the kernel can be told beforehand, and with
// waits as our engine has them. What it does, no stack can do faster on this kernel.
type bare struct {
	spec   spec
	ring   *uring.Ring
	memory []byte
	places places
	cqes   [256]uring.CQE
}

// bareRun runs such a loop for d, on a thread of its own.
func bareRun(path string, s spec, d time.Duration) (w window, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the ring is for one thread, which ends with this goroutine
		w, err = bareHere(path, s, d)
	}()
	<-done
	if err != nil {
		err = fmt.Errorf("a bare loop, %v: %w", s, err)
	}
	return w, err
}

func bareHere(path string, s spec, d time.Duration) (window, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_DIRECT, 0)
	if err != nil {
		return window{}, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return window{}, err
	}
	b := &bare{spec: s, places: newPlaces(size)}
	if b.memory, err = unix.Mmap(-1, 0, s.depth*4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err != nil {
		return window{}, err
	}
	defer unix.Munmap(b.memory)
	if b.ring, err = uring.New(uring.Options{Entries: 256}); err != nil {
		return window{}, err
	}
	defer b.ring.Close()
	if err = b.ring.RegisterFiles([]int32{int32(f.Fd())}); err == nil {
		err = b.ring.RegisterBuffers([][]byte{b.memory})
	}
	if err == nil && s.pinned {
		var set unix.CPUSet
		set.Set(pinnedCPU())
		err = unix.SchedSetaffinity(0, &set)
	}
	if err != nil {
		return window{}, err
	}
	return b.run(d)
}

func (b *bare) run(d time.Duration) (window, error) {
	start, cpu := time.Now(), processTime()
	for i := range b.spec.depth {
		b.again(uint64(i))
	}
	several := min(max(1, b.spec.depth/5), 9)
	total := 0
	for flying := b.spec.depth; flying > 0; {
		if flying == 1 {
			if err := b.ring.Submit(); err != nil {
				return window{}, err
			}
		}
		if err := b.ring.WaitShort(min(several, flying), -1); err != nil {
			return window{}, err
		}
		n := b.ring.Reap(b.cqes[:])
		total += n
		flying -= n
		over := time.Since(start) >= d
		for _, c := range b.cqes[:n] {
			if c.Res != 4096 {
				return window{}, fmt.Errorf("an I/O ended with %d", c.Res)
			}
			if !over {
				b.again(c.UserData)
				flying++
			}
		}
	}
	took, used := time.Since(start), processTime()-cpu
	return window{iops: float64(total) / took.Seconds(), cpu: float64(used) / float64(total)}, nil
}

// again fills in an I/O, at another place.
func (b *bare) again(i uint64) {
	s := b.ring.Next() // there are more entries than I/Os
	s.Opcode, s.FD, s.Flags, s.UserData = uring.OpReadFixed, 0, uring.FixedFile, i
	if b.spec.op == aio.OpWrite {
		s.Opcode++
	}
	s.Off = uint64(b.places.next())
	s.Addr, s.Len = uint64(uintptr(unsafe.Pointer(&b.memory[i*4096]))), 4096
}
