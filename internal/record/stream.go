package record

import (
	"errors"
	"sync/atomic"

	"blksim/internal/replay"
)

const (
	batchIOs = 512 // of a batch
	batches  = 32  // under way at the most, besides the one that each worker fills
)

// Batch is I/Os of one job.
type Batch struct {
	Job int
	IOs []replay.IO
}

// Sink takes I/Os as they end, in batches, which it must not keep. Close comes
// once, after the last.
type Sink interface {
	Write(b *Batch) error
	Close() error
}

// Stream carries batches from the lanes to sinks, which run on a goroutine of
// their own.
type Stream struct {
	full, free chan *Batch
	sinks      []Sink
	waits      atomic.Int64
	done       chan struct{}
	errs       []error // by sink; the goroutine's until done
}

// NewStream starts a stream to sinks.
func NewStream(sinks ...Sink) *Stream {
	s := &Stream{full: make(chan *Batch, batches), free: make(chan *Batch, batches), sinks: sinks,
		done: make(chan struct{}), errs: make([]error, len(sinks))}
	for range batches {
		s.free <- newBatch()
	}
	go s.run()
	return s
}

func newBatch() *Batch { return &Batch{IOs: make([]replay.IO, 0, batchIOs)} }

// batch is one more batch, for a worker to fill.
func (s *Stream) batch(job int) *Batch {
	b := newBatch()
	b.Job = job
	return b
}

// send hands over a batch and gets an empty one for it. It waits if the sinks are
// that far behind: nothing is lost, and a run on the wall clock is held up.
func (s *Stream) send(b *Batch) *Batch {
	job := b.Job // b is another's once it is sent
	s.full <- b
	select {
	case b = <-s.free:
	default:
		s.waits.Add(1)
		b = <-s.free
	}
	b.Job, b.IOs = job, b.IOs[:0]
	return b
}

// run gives each batch to each sink that has not failed.
func (s *Stream) run() {
	defer close(s.done)
	for b := range s.full {
		for i, sink := range s.sinks {
			if s.errs[i] == nil {
				s.errs[i] = sink.Write(b)
			}
		}
		s.free <- b
	}
}

// Waits is how often a lane had to wait for the sinks.
func (s *Stream) Waits() int64 { return s.waits.Load() }

// Close waits until the sinks have everything, closes them, and says what went
// wrong with them. No run sends any more.
func (s *Stream) Close() error {
	close(s.full)
	<-s.done
	for i, sink := range s.sinks {
		if err := sink.Close(); s.errs[i] == nil {
			s.errs[i] = err
		}
	}
	return errors.Join(s.errs...)
}
