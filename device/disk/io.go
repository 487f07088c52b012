package disk

import "syscall"

// Op is what an IO does. The order is that of the operations of package aio.
type Op uint8

const (
	Read Op = iota
	Write
	Flush       // what was written is on the medium: fdatasync
	Discard     // the extent is not needed any more
	WriteZeroes // the extent reads as zeroes
)

// HasData says whether the operation moves bytes of buffers.
func (o Op) HasData() bool { return o <= Write }

// An IO is one I/O. Whoever submits it fills in the fields that are exported before each
// use, and touches none of them, nor the buffers, from Submit to CompleteIO.
//
// The kernel leaves little in the cache from one I/O to the next: so what each of them
// needs comes first.
type IO struct {
	Op  Op
	FUA bool // of a Write: its data is on the medium when it completes

	// The engine's, while it has the IO.
	stage stage
	tries uint8
	index uint32 // its place in the engine's table
	gen   uint32 // of this use, so that a late cancel does not hit the next
	errno uint32 // result, of an IO that the pool did; 0: n bytes

	File *Handle  // from the engine's Register
	Off  int64    // bytes; a multiple of Info.OffsetAlign
	Len  int64    // bytes
	Bufs [][]byte // the data, Len bytes in all, each aligned by Info.Aligned
	Done Completer
	Tag  int // the user's own

	n      int64    // result, of an IO that the pool did
	vector *[]iovec // of several buffers; kept from one use to the next
}

// A Completer gets an IO back.
type Completer interface {
	// CompleteIO tells that io is over: n bytes were moved (the whole length, for
	// an operation without data), or errno says why not. On the engine's lane,
	// from Poll or Cancel. It may submit again.
	CompleteIO(io *IO, n int64, errno syscall.Errno)

	// ExpectIO comes before several calls of CompleteIO, for each of the IOs, and is to
	// look, for the cache, at the memory that these need.
	ExpectIO(io *IO)

	// EndRun comes after the last of the calls of CompleteIO that come at once, so
	// that what is the same for all of them is done once.
	EndRun()
}

// stage is who has an IO.
type stage uint8

const (
	nowhere  stage = iota
	pending        // the engine, which has told nobody
	inPool         // the pool: to be done, or being done
	inKernel       // the kernel
)

// iovec is the kernel's struct of that name.
type iovec struct {
	base *byte
	size uintptr
}

// fillVector describes the buffers for the kernel.
func (io *IO) fillVector() []iovec {
	if io.vector == nil {
		io.vector = new([]iovec)
	}
	v := (*io.vector)[:0]
	for _, b := range io.Bufs {
		v = append(v, iovec{&b[0], uintptr(len(b))})
	}
	*io.vector = v
	return v
}
