package sched

import (
	"fmt"
	"strings"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

// An Entry is a request in a scheduler. The fields with names are the caller's,
// and do not change while a scheduler has the entry.
type Entry struct {
	Op       aio.Op
	Off, Len int64
	Queued   lane.Time // when it arrived: what its expiry counts from
	Owner    any       // the caller's own

	list       *fifo
	next, prev *Entry // in list
	left       *Entry // in a tree
	right      *Entry
	priority   uint64 // of a tree's node
}

// A Scheduler orders the requests that wait. Its methods run on the lane of the
// hardware queue that it belongs to.
type Scheduler interface {
	// Add takes e. It keeps e.Queued: an entry that was taken out and comes back
	// is as old as before.
	Add(e *Entry)
	// Remove takes e, which Add took and Next has not given, out of the middle.
	Remove(e *Entry)
	// Next takes out the entry to be sent now; nil: none, or none now. In the
	// second case a Done will come that changes it.
	Next(now lane.Time) *Entry
}

// A Feedback is a Scheduler that wants to know what became of what it gave.
type Feedback interface {
	// Done: an entry that Next gave is with the device no more, latency after it
	// was given to it; 0 if the device did not carry it out.
	Done(e *Entry, latency time.Duration, now lane.Time)
}

// The names of the schedulers.
const (
	None     = "none"
	Deadline = "mq-deadline"
	Kyber    = "kyber"
)

// Names lists the schedulers.
func Names() []string { return []string{None, Deadline, Kyber} }

// Config chooses a scheduler. Zero fields have the values stated there, which are
// those of Linux.
type Config struct {
	Name string // "": none

	// Of mq-deadline:
	ReadExpire    time.Duration // how long a read may wait before it goes first; 0: 500 ms
	WriteExpire   time.Duration // and anything else; 0: 5 s
	Batch         int           // requests sent in order of their extents before expiry is looked at; 0: 16
	WritesStarved int           // batches of reads that writes let pass; 0: 2

	// Of kyber:
	ReadTarget  time.Duration // latency with the device that reads are to keep; 0: 2 ms
	WriteTarget time.Duration // and writes; 0: 10 ms
	Window      time.Duration // how often the tokens are adjusted; 0: 100 ms
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	switch c.Name {
	case "", None, Deadline, Kyber:
	default:
		return fmt.Errorf("sched: scheduler %q: want %s", c.Name, strings.Join(Names(), ", "))
	}
	if c.Batch < 0 || c.WritesStarved < 0 {
		return fmt.Errorf("sched: batch %d, writes starved %d: want none below 0", c.Batch, c.WritesStarved)
	}
	for _, d := range []time.Duration{c.ReadExpire, c.WriteExpire, c.ReadTarget, c.WriteTarget, c.Window} {
		if d < 0 {
			return fmt.Errorf("sched: duration %v: want 0 or more", d)
		}
	}
	return nil
}

// New makes the scheduler of a queue with the given depth. c is valid.
func New(c Config, depth int) Scheduler {
	switch c.Name {
	case Deadline:
		return newDeadline(c)
	case Kyber:
		return newKyber(c, depth)
	}
	return &none{}
}

// setDefault gives a field that is zero its default.
func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// none sends requests in the order of their arrival.
type none struct{ queue fifo }

var _ Scheduler = (*none)(nil)

func (s *none) Add(e *Entry)          { s.queue.add(e) }
func (s *none) Remove(e *Entry)       { s.queue.remove(e) }
func (s *none) Next(lane.Time) *Entry { return s.queue.pop() }
