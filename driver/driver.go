package driver

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

// A Driver is an open device: it tells its limits and opens queues.
type Driver interface {
	// Limits tells what the device takes. The answer never changes while the
	// driver is open. Any lane.
	Limits() Limits

	// OpenQueue opens hardware queue qid (0 <= qid < Limits().Queues) for use on
	// lane l with up to depth requests at once (tags 0 to depth-1). It is
	// called from outside all lanes and may wait for the device. Optional
	// behaviour ([Canceler], [Committer]) is looked up in the Queue that it
	// returns, once.
	OpenQueue(l lane.Lane, qid, depth int) (Queue, error)

	// Close closes the device and all its queues. No request is with the
	// driver then, and after Close it completes none. Called from outside all
	// lanes.
	Close() error
}

// A Queue takes requests. All its methods are called on the lane that it was
// opened for, and none of them may block.
type Queue interface {
	// Submit hands r to the device. OK: r is the driver's until it calls
	// r.Complete, exactly once, on the queue's lane, now or later. Busy: the
	// driver left r alone, and the block layer will try again after a
	// completion, or after a while. Any other status: the driver left r alone,
	// and the block layer completes r with that status.
	Submit(r *Request) aio.Status
}

// A Canceler is a Queue with a cancel callback.
type Canceler interface {
	// Cancel tells the driver that nobody wants r any more. The driver may
	// complete r at once, later, or as if nothing had happened, but in bounded
	// time. It may come again for the same r (from a user, then from a timeout),
	// and when r is complete already, as long as r was not submitted anew: then
	// it does nothing.
	Cancel(r *Request)
}

// A Committer is a Queue that puts off telling the device until the end of a
// run of Submits.
type Committer interface {
	// Commit makes the device see what was submitted. It follows each run of
	// one or more Submits that answered OK.
	Commit()
}

// A Poller is a Queue that can look for completions without an interrupt, for
// whoever would rather ask than be told.
type Poller interface {
	// Poll completes at most budget finished requests and returns how many.
	Poll(budget int) int
}

// A Resetter is a Driver that can bring its device back from any state, also when
// it answers nothing any more.
type Resetter interface {
	// Reset begins a reset. It may be called on any lane, and again while one is
	// under way, and does not block. Every request that is with the driver then
	// completes on its queue's lane: as the device has completed it before, or
	// else with TimedOut. Meanwhile Submit answers Busy. At last done is called,
	// once, on a lane of the driver's: with nil when the queues take requests
	// again, or with what failed. After a failure Submit answers Gone, and what the
	// device may still have of the requests' buffers stays with the driver.
	Reset(done func(error))
}

// Limits is what a device takes. The block layer merges and splits I/Os so that no
// request passes them: a driver need not check. The zero value of a field has the
// meaning stated there.
type Limits struct {
	Capacity   int64         // bytes; a multiple of BlockSize
	BlockSize  int           // logical block, bytes: extents are multiples of it; a power of two, at least 512
	Queues     int           // hardware queues, at least 1
	QueueDepth int           // requests at once in each queue, at least 1
	SharedTags bool          // QueueDepth is for all queues together: no two requests of the device share a tag
	Ops        OpSet         // the operations it takes
	WriteCache bool          // a completed write may be lost until a Flush; if not set, the block layer answers flushes itself
	FUA        bool          // it obeys Request.FUA; if not set, the block layer sends a Flush after such a write
	RetryDelay time.Duration // when to try again after Busy with nothing in flight; 0: 100 us

	// Of reads and writes:
	MaxTransfer int64 // bytes a request; 0: no limit
	MaxSegments int   // buffers a request; 0: no limit
	MaxSegment  int64 // bytes a buffer; 0: no limit
	Boundary    int64 // no extent goes across a multiple of so many bytes (NVMe's NOIOB, a stripe's chunk); 0: none

	// Of the operations without data:
	MaxDiscard     int64 // bytes a discard; 0: no limit
	MaxWriteZeroes int64 // bytes; 0: no limit
}

// Validate says which field has a value that no device can have.
func (l Limits) Validate() error {
	block := int64(l.BlockSize)
	switch {
	case block < 512 || block&(block-1) != 0:
		return fmt.Errorf("driver: block size %d: want a power of two, at least 512", l.BlockSize)
	case l.Capacity < 0 || l.Capacity%block != 0:
		return fmt.Errorf("driver: capacity %d: want a multiple of the block size %d", l.Capacity, block)
	case l.Queues < 1:
		return fmt.Errorf("driver: %d queues: want at least 1", l.Queues)
	case l.QueueDepth < 1:
		return fmt.Errorf("driver: queue depth %d: want at least 1", l.QueueDepth)
	case l.MaxSegments < 0:
		return fmt.Errorf("driver: %d segments: want 0 or more", l.MaxSegments)
	case l.RetryDelay < 0:
		return fmt.Errorf("driver: retry delay %v: want 0 or more", l.RetryDelay)
	}
	for _, f := range []struct {
		name  string
		bytes int64
	}{
		{"transfer", l.MaxTransfer}, {"segment", l.MaxSegment}, {"boundary", l.Boundary},
		{"discard", l.MaxDiscard}, {"write zeroes", l.MaxWriteZeroes},
	} {
		if f.bytes < 0 || f.bytes%block != 0 {
			return fmt.Errorf("driver: %s limit %d: want 0 or a multiple of the block size %d", f.name, f.bytes, block)
		}
	}
	return nil
}

// RetryAfter is RetryDelay, or what it means to have none.
func (l Limits) RetryAfter() time.Duration {
	if l.RetryDelay > 0 {
		return l.RetryDelay
	}
	return 100 * time.Microsecond
}

// OpSet is a set of operations, one bit each.
type OpSet uint8

// Ops makes a set of the given operations.
func Ops(ops ...aio.Op) OpSet {
	var s OpSet
	for _, op := range ops {
		s |= 1 << op
	}
	return s
}

// Has says whether op is in the set.
func (s OpSet) Has(op aio.Op) bool { return s&(1<<op) != 0 }
