package disk

import (
	"syscall"
	"unsafe"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/device/disk"
	"blksim/driver"
)

// queue is one queue. It belongs to its lane.
type queue struct {
	disk     *Disk
	lane     lane.Lane
	engine   *disk.Engine
	handle   *disk.Handle
	capacity int64
	align    int
	slots    []slot // by tag
	run      driver.Run
}

// slot is a tag with its I/O, in two lines of the cache.
type slot struct {
	io      disk.IO
	req     *driver.Request // nil: free
	bounce  *[1][]byte      // a buffer for requests with bad ones; kept; nil: not needed yet
	bounced bool            // this one was
}

var (
	_ driver.Queue    = (*queue)(nil)
	_ driver.Canceler = (*queue)(nil)
	_ disk.Completer  = (*queue)(nil)
)

// Submit hands r to the engine, which hands it to the kernel when the lane has done
// what it has to do.
func (q *queue) Submit(r *driver.Request) aio.Status {
	if r.Off < 0 || r.Len < 0 || r.Off > q.capacity-r.Len {
		return aio.OutOfRange
	}
	s := &q.slots[r.Tag]
	s.req, s.bounced = r, false
	s.io.Op, s.io.FUA, s.io.Off, s.io.Len, s.io.Bufs = disk.Op(r.Op), r.FUA, r.Off, r.Len, r.Bufs
	if r.Op.HasData() && !q.aligned(r.Bufs) {
		q.bounce(s, r)
	}
	q.engine.Submit(&s.io)
	return aio.OK
}

// The operations have the same order in both packages.
var _ = [1]struct{}{}[disk.Op(aio.OpRead)-disk.Read+disk.Op(aio.OpWrite)-disk.Write+disk.Op(aio.OpFlush)-disk.Flush+
	disk.Op(aio.OpDiscard)-disk.Discard+disk.Op(aio.OpWriteZeroes)-disk.WriteZeroes]

// aligned says whether the kernel takes all the buffers as they are.
func (q *queue) aligned(bufs [][]byte) bool {
	at := uintptr(0)
	for _, b := range bufs {
		at |= uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	}
	return at&uintptr(q.align-1) == 0
}

// bounce has the I/O use a buffer of the slot's.
func (q *queue) bounce(s *slot, r *driver.Request) {
	if s.bounce == nil {
		s.bounce = new([1][]byte)
	}
	if int64(cap(s.bounce[0])) < r.Len {
		q.disk.engines.Arena().Free(s.bounce[0])
		s.bounce[0] = q.disk.Alloc(int(r.Len))
	}
	s.bounce[0] = s.bounce[0][:r.Len]
	s.bounced, s.io.Bufs = true, s.bounce[:]
	q.disk.bounced.Add(1)
	if r.Op == aio.OpWrite {
		at := s.bounce[0]
		for _, b := range r.Bufs {
			at = at[copy(at, b):]
		}
	}
}

// ExpectIO is what the engine calls before several CompleteIOs.
func (q *queue) ExpectIO(io *disk.IO) { driver.Expect(q.slots[io.Tag].req) }

// CompleteIO is what the engine calls.
func (q *queue) CompleteIO(io *disk.IO, n int64, errno syscall.Errno) {
	s := &q.slots[io.Tag]
	r := s.req
	s.req = nil
	if s.bounced && io.Op == disk.Read {
		from := s.bounce[0][:n]
		for _, b := range r.Bufs {
			from = from[copy(b, from):]
		}
	}
	io.Bufs = nil
	if errno == 0 && n == r.Len {
		q.run.Complete(r, aio.OK, n)
		return
	}
	q.incomplete(r, n, errno)
}

// incomplete ends a request that was not done in full.
func (q *queue) incomplete(r *driver.Request, n int64, errno syscall.Errno) {
	if errno != 0 {
		st := statusOf(errno)
		if st != aio.Cancelled {
			q.disk.count(errno)
		}
		q.run.Complete(r, st, 0)
		return
	}
	q.disk.short.Add(1)
	block := int64(q.disk.limits.BlockSize)
	if n = n / block * block; n > 0 {
		q.run.Complete(r, aio.OK, n)
	} else {
		q.run.Complete(r, aio.IOError, 0)
	}
}

// EndRun is what the engine calls after some CompleteIOs.
func (q *queue) EndRun() { q.run.End() }

// Cancel takes r back if the kernel has not been told of it, and else asks for it.
func (q *queue) Cancel(r *driver.Request) {
	if s := &q.slots[r.Tag]; s.req == r {
		q.engine.Cancel(&s.io)
	}
}

// free gives back the slots' buffers; the queue is closed. What the kernel may still
// write to stays.
func (q *queue) free() {
	for tag := range q.slots {
		if s := &q.slots[tag]; s.req == nil && s.bounce != nil {
			q.disk.engines.Arena().Free(s.bounce[0])
			s.bounce[0] = nil
		}
	}
}
