package disk

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/device/disk"
	"blksim/driver"
	"blksim/internal/cacheline"
)

// Options say how to open a disk. The zero value opens it for reading, with O_DIRECT
// and the engine that is best for it.
type Options struct {
	disk.Options

	// Engines does the I/O, for all disks that are on the same lanes; the caller
	// closes it after them. nil: the disk has its own, as Engine says.
	Engines *disk.Engines
	Engine  disk.EngineOptions
}

const (
	maxQueues   = 64
	maxSegments = 128      // buffers a request: 2 KiB of the kernel's time to copy their addresses
	mostAtOnce  = 64 << 20 // bytes a discard or zeroing, where the device has no limit: they cannot be cancelled
	anyTransfer = 1 << 20  // bytes a request, where the device has no limit
	anyDepth    = 256      // requests at once, where it has none
)

// Disk is an open disk.
type Disk struct {
	file    *disk.File
	info    disk.Info
	limits  driver.Limits
	engines *disk.Engines
	own     bool // engines is this disk's alone

	mu     sync.Mutex // guards queues, which are opened and closed from outside all lanes
	queues []*queue

	bounced, short atomic.Uint64
	errnos         [maxErrno]atomic.Uint64
}

var _ driver.Driver = (*Disk)(nil)

// Open opens a file or block device. See [disk.Open] for the errors.
func Open(path string, o Options) (*Disk, error) {
	f, err := disk.Open(path, o.Options)
	if err != nil {
		return nil, err
	}
	d := &Disk{file: f, info: f.Info(), engines: o.Engines}
	if d.limits = limits(&d.info); d.limits.Capacity == 0 {
		return nil, errors.Join(fmt.Errorf("disk: %s: %d bytes: want at least a block of %d", path, d.info.Size, d.limits.BlockSize), f.Close())
	}
	if d.engines == nil {
		d.own = true
		if d.engines, err = disk.NewEngines(o.Engine); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return d, nil
}

// limits are what the block layer is to keep to.
func limits(i *disk.Info) driver.Limits {
	block := int64(i.OffsetAlign)
	whole := func(n, other int64) int64 {
		if n == 0 {
			n = other
		}
		return max(n/block*block, block)
	}
	l := driver.Limits{
		Capacity: i.Size / block * block, BlockSize: i.OffsetAlign,
		Queues: maxQueues, QueueDepth: i.Requests, Ops: driver.Ops(aio.OpRead),
		MaxTransfer: whole(i.MaxTransfer, anyTransfer), MaxSegments: maxSegments,
		MaxDiscard:     whole(min(i.MaxDiscard, mostAtOnce), mostAtOnce),
		MaxWriteZeroes: whole(min(i.MaxWriteZeroes, mostAtOnce), mostAtOnce),
	}
	if l.QueueDepth == 0 {
		l.QueueDepth = anyDepth
	}
	if i.MaxSegments > 0 {
		l.MaxSegments = min(l.MaxSegments, i.MaxSegments)
	}
	if !i.Write {
		return l
	}
	l.Ops |= driver.Ops(aio.OpWrite, aio.OpFlush)
	if i.Discard {
		l.Ops |= driver.Ops(aio.OpDiscard)
	}
	if i.WriteZeroes {
		l.Ops |= driver.Ops(aio.OpWriteZeroes)
	}
	// A file's data and extents reach the medium by fdatasync, whatever is below it.
	l.WriteCache = i.WriteCache || i.Kind == disk.RegularFile || !i.Direct
	l.FUA = l.WriteCache
	return l
}

// Info is what the kernel says of the disk.
func (d *Disk) Info() disk.Info { return d.info }

// Limits tells what the disk takes.
func (d *Disk) Limits() driver.Limits { return d.limits }

// Alloc gives a buffer of n bytes that the kernel takes as it is, and knows already
// as long as there is room. Any goroutine; it is memory until the disk is closed.
func (d *Disk) Alloc(n int) []byte { return d.engines.Arena().Alloc(n) }

// Engine is which engine does the I/O, and why, and with what features of the kernel.
// Known once a queue is open.
func (d *Disk) Engine() (kind disk.EngineKind, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queues) == 0 {
		return "", ""
	}
	e := d.queues[0].engine
	return e.Kind(), e.Why()
}

// OpenQueue opens a queue on a lane in real time. Queues of the same lane, also of
// other disks with the same Engines, share an engine.
func (d *Disk) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	e, h, err := d.engines.Open(l, d.file)
	if err != nil {
		return nil, err
	}
	q := &queue{disk: d, lane: l, engine: e, handle: h, capacity: d.limits.Capacity, align: d.info.MemoryAlign, slots: cacheline.Make[slot](depth)}
	for tag := range q.slots {
		io := &q.slots[tag].io
		io.File, io.Done, io.Tag = h, q, tag
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queues = append(d.queues, q)
	return q, nil
}

// Close closes the disk. The error wraps [disk.ErrInKernel] if the kernel never gave
// back what it has: then its buffers are never used again.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []error
	for _, q := range d.queues {
		all = append(all, d.engines.Release(q.lane, q.handle))
		q.free()
	}
	if d.own {
		all = append(all, d.engines.Close())
	}
	return errors.Join(append(all, d.file.Close())...)
}

const maxErrno = 134 // one more than the last of Linux

// count counts an errno.
func (d *Disk) count(e syscall.Errno) { d.errnos[min(int(e), maxErrno-1)].Add(1) }

// Stats counts what a disk has done since Open, over all its queues.
type Stats struct {
	Engine  disk.Counts  // of the engines, which other disks may share, but for Cancels
	Cancels disk.Cancels // of this disk
	Bounced uint64       // requests whose buffers had to be copied
	Short   uint64       // requests of which only a part was done
	Errnos  []ErrnoCount // in order of their numbers
}

// ErrnoCount is how many requests ended with an error of the kernel's.
type ErrnoCount struct {
	Errno syscall.Errno
	Count uint64
}

// Stats returns the counts. From outside all lanes; what a lane is in the middle of
// may be missing.
func (d *Disk) Stats() Stats {
	s := Stats{Engine: d.engines.Counts(), Bounced: d.bounced.Load(), Short: d.short.Load()}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range d.queues {
		s.Cancels.Add(q.handle.Cancels())
	}
	s.Engine.Cancels = s.Cancels
	for e := range d.errnos {
		if n := d.errnos[e].Load(); n > 0 {
			s.Errnos = append(s.Errnos, ErrnoCount{syscall.Errno(e), n})
		}
	}
	return s
}
