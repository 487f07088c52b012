package replay

import (
	"blksim/aio"
	"blksim/aio/lane"
)

// IO is one I/O that ended, with its stages. Times count from the run's epoch,
// nanoseconds; a stage that the I/O did not reach is NoTime.
type IO struct {
	Due        lane.Time // when it was to be submitted
	Submitted  lane.Time
	Dispatched lane.Time // to the device
	Returned   lane.Time // from the device
	Ended      lane.Time // its event
	Asked      lane.Time // when a cancel was accepted

	// Kernel is when the kernel's block layer had it, of runs on real disks that are
	// traced; zero where it is not known.
	Kernel KernelTimes

	Off, Len int64 // bytes, as submitted
	N        int64 // bytes transferred
	Lane     int   // that submitted it
	Op       aio.Op
	Status   aio.Status
}

// KernelTimes are when an I/O was queued in the kernel, issued to the disk's driver, and
// complete: of one that went in several pieces, the first of all pieces, and the last.
type KernelTimes struct{ Queued, Issued, Completed lane.Time }

// NoTime is the time of what did not happen.
const NoTime lane.Time = -1

// Started says whether the device had the I/O.
func (io *IO) Started() bool { return io.Dispatched != NoTime }

// TooLate says whether a cancel was accepted that changed nothing.
func (io *IO) TooLate() bool { return io.Asked != NoTime && io.Status != aio.Cancelled }

// A Watcher sees each I/O of one worker as it ends, on the worker's lane. It
// must not keep io, which is used again.
type Watcher interface {
	Ended(io *IO)
}

// A Payload has the data of the I/Os of an engine of one lane, on that lane. An
// engine without one reads to and writes from memory that all I/Os share.
type Payload interface {
	// Submit comes before an I/O of b, which a write's Submit fills. What it
	// returns comes back in End.
	Submit(op aio.Op, off int64, b []byte) (note uint64)
	// End comes with the event of an I/O, and may look at what b has become: its
	// first n bytes. A long I/O of which a part was cancelled ends as OK with fewer
	// than len(b).
	End(op aio.Op, off int64, b []byte, n int64, note uint64, st aio.Status)
}

// report tells the watcher of an I/O that ended.
func (w *worker) report(f *flight, ev *aio.Event, now lane.Time) {
	epoch := w.e.cfg.Epoch
	since := func(t lane.Time, is bool) lane.Time {
		if !is {
			return NoTime
		}
		return t - epoch
	}
	w.io = IO{
		Due: f.due - epoch, Submitted: f.submittedAt - epoch, Ended: now - epoch,
		Dispatched: since(ev.Dispatched, ev.Started), Returned: since(ev.Returned, ev.Started && ev.Returned != 0),
		Asked: since(f.askedAt, ev.CancelAsked && f.askedAt != 0),
		Off:   f.off, Len: f.length, N: ev.N, Lane: w.lane.Index(), Op: f.op, Status: ev.Status,
	}
	w.watcher.Ended(&w.io)
}

// Outcome says what became of the I/O, with the stage of a cancel: completed,
// too-late (completed, although a cancel had been accepted), skipped (at dispatch),
// aborted (in the device) or failed.
func (io *IO) Outcome() string {
	switch {
	case io.Status == aio.OK && io.Asked != NoTime:
		return "too-late"
	case io.Status == aio.OK:
		return "completed"
	case io.Status == aio.Cancelled && io.Started():
		return "aborted"
	case io.Status == aio.Cancelled:
		return "skipped"
	}
	return "failed"
}
