package blk

import (
	"errors"
	"fmt"
	"time"

	"blksim/aio/lane"
	"blksim/blk/sched"
	"blksim/blk/tagset"
	"blksim/driver"
)

// Options configure a Disk. Only Queues is needed.
type Options struct {
	// Queues are the lanes of the hardware queues: queue i is opened on
	// Queues[i]. At least one, at most the driver's Limits.Queues.
	Queues []lane.Lane

	// Submitters are the lanes that may submit. nil: Queues. A submitter's I/Os
	// go to the hardware queue of its own lane, if there is one, else to queue
	// (lane index mod number of queues).
	Submitters []lane.Lane

	// Depth is the number of requests that each hardware queue may have with
	// the driver; of all queues together where the tags are shared. 0, or more
	// than the driver takes: Limits.QueueDepth.
	Depth int

	// Scheduler orders what waits. The zero value is none: first come, first
	// served.
	Scheduler sched.Config

	// NoMerges keeps adjacent I/Os that wait from going as one request.
	NoMerges bool

	// Lower limits than the driver's own; 0: the driver's. An I/O beyond them is
	// split. Bytes, but for MaxSegments.
	MaxTransfer    int64
	MaxSegments    int
	Boundary       int64
	MaxDiscard     int64
	MaxWriteZeroes int64

	// PlugMax is how many I/Os a Plug holds back at the most. 0: 32.
	PlugMax int

	// Discard is what becomes of discards where the driver lacks the operation.
	Discard DiscardPolicy

	// LazyCancel leaves a cancelled I/O that waits where it is until it would be
	// dispatched, instead of taking it out of the queue at once: a cancel costs
	// less, and a place in the queue is held for longer.
	LazyCancel bool

	// Tags, if set, is a set of tags that this disk shares with others, as the
	// logical units behind one adapter do. Depth is then its size.
	Tags *tagset.Set

	// ReservedTags of each queue's tags are kept for what other requests wait
	// for: flushes, and requests that the block layer sends again. Not with
	// shared tags.
	ReservedTags int

	// Budget is the number of requests that all queues together may have with
	// the driver. 0: as many as there are tags.
	Budget int

	// Timeout is how long a request may be with the driver. Then it is polled
	// for, cancelled if the driver has Cancel, and last the device is reset if
	// the driver has Reset, else the request is given up. 0: for ever, and a
	// device that does not answer keeps its I/Os.
	Timeout time.Duration
	// AbortTimeout is how long the driver may take after its Cancel. 0: Timeout.
	AbortTimeout time.Duration
	// ResetTimeout is how long a reset may take before the device counts as
	// gone. 0: 10 s.
	ResetTimeout time.Duration
	// Retries is how often a request that came back without being done, after a
	// timeout or a reset, is sent again; one that a user cancelled never is. 0:
	// 3; less than 0: not at all.
	Retries int

	// Histograms has Stats.Stages filled in: three clock readings and histogram
	// entries an I/O.
	Histograms bool
}

// DiscardPolicy is what becomes of a discard that the driver cannot do.
type DiscardPolicy uint8

const (
	DiscardRefuse DiscardPolicy = iota // NotSupported
	DiscardIgnore                      // OK, and nothing is done: a discard is a hint
	DiscardZero                        // the extent is overwritten with zeroes
)

const (
	defaultPlugMax      = 32
	defaultRetries      = 3
	defaultResetTimeout = 10 * time.Second
)

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	switch {
	case len(o.Queues) == 0:
		return errors.New("blk: no lanes for hardware queues: want at least one")
	case o.Depth < 0:
		return fmt.Errorf("blk: depth %d: want 0 or more", o.Depth)
	case o.PlugMax < 0:
		return fmt.Errorf("blk: plug of %d I/Os: want 0 or more", o.PlugMax)
	case o.MaxSegments < 0:
		return fmt.Errorf("blk: %d segments: want 0 or more", o.MaxSegments)
	case o.Discard > DiscardZero:
		return fmt.Errorf("blk: discard policy %d: want 0 to %d", o.Discard, DiscardZero)
	case o.ReservedTags < 0:
		return fmt.Errorf("blk: %d reserved tags: want 0 or more", o.ReservedTags)
	case o.ReservedTags > 0 && o.Tags != nil:
		return errors.New("blk: reserved tags in a shared set: want one or the other")
	case o.Budget < 0:
		return fmt.Errorf("blk: budget %d: want 0 or more", o.Budget)
	case o.Timeout < 0 || o.AbortTimeout < 0 || o.ResetTimeout < 0:
		return fmt.Errorf("blk: timeouts %v, %v, %v: want none below 0", o.Timeout, o.AbortTimeout, o.ResetTimeout)
	}
	return o.Scheduler.Validate()
}

func (o Options) withDefaults() Options {
	if o.Submitters == nil {
		o.Submitters = o.Queues
	}
	if o.PlugMax == 0 {
		o.PlugMax = defaultPlugMax
	}
	if o.AbortTimeout == 0 {
		o.AbortTimeout = o.Timeout
	}
	if o.ResetTimeout == 0 {
		o.ResetTimeout = defaultResetTimeout
	}
	switch {
	case o.Retries == 0:
		o.Retries = defaultRetries
	case o.Retries < 0:
		o.Retries = 0
	}
	return o
}

// limits are the driver's, lowered by the options.
func (o *Options) limits(l driver.Limits) (driver.Limits, error) {
	l.MaxTransfer = lower(l.MaxTransfer, o.MaxTransfer)
	l.MaxSegments = lower(l.MaxSegments, o.MaxSegments)
	l.MaxDiscard = lower(l.MaxDiscard, o.MaxDiscard)
	l.MaxWriteZeroes = lower(l.MaxWriteZeroes, o.MaxWriteZeroes)
	if a, b := l.Boundary, o.Boundary; a > 0 && b > 0 && a%b != 0 {
		return l, fmt.Errorf("blk: boundary %d: want one that divides the driver's, %d", b, a)
	}
	l.Boundary = lower(l.Boundary, o.Boundary)
	if err := l.Validate(); err != nil {
		return l, fmt.Errorf("blk: %w", err)
	}
	return l, nil
}

// lower is the lower of two limits, where 0 is none.
func lower[T int | int64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
