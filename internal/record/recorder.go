package record

import (
	"blksim/aio/lane"
	"blksim/internal/replay"
)

// Recorder records one run. The zero Recorder records nothing.
type Recorder struct {
	Slow   bool    // keep the slowest
	Series bool    // keep what happened when
	Stream *Stream // gets every I/O; nil: none

	watchers []*watcher
}

// Watch returns what replay.Config.Watch asks for, for the workers of one job;
// nil if there is nothing to record.
func (r *Recorder) Watch(job int) func(l lane.Lane) replay.Watcher {
	if !r.Slow && !r.Series && r.Stream == nil {
		return nil
	}
	return func(lane.Lane) replay.Watcher {
		w := &watcher{}
		if r.Slow {
			w.slow = &Slowest{}
		}
		if r.Series {
			w.series = NewSeries()
		}
		if r.Stream != nil {
			w.batch = r.Stream.batch(job)
			w.stream = r.Stream
		}
		r.watchers = append(r.watchers, w)
		return w
	}
}

// Finish gives the slowest and the series of the whole run, nil where they were
// not kept, and sends what the stream has not got. The run has ended; the stream
// stays open.
func (r *Recorder) Finish() ([]replay.IO, *Series) {
	var slow Slowest
	var series *Series
	for _, w := range r.watchers {
		if w.slow != nil {
			slow.merge(w.slow)
		}
		switch {
		case w.series == nil:
		case series == nil:
			series = w.series
		default:
			series.Merge(w.series)
		}
		if w.stream != nil {
			w.stream.send(w.batch)
		}
	}
	r.watchers = nil
	return slow.Sorted(), series
}

// watcher records the I/Os of one worker, on its lane.
type watcher struct {
	slow   *Slowest
	series *Series
	stream *Stream
	batch  *Batch
}

var _ replay.Watcher = (*watcher)(nil)

func (w *watcher) Ended(io *replay.IO) {
	if w.slow != nil {
		w.slow.Add(io)
	}
	if w.series != nil {
		w.series.Add(io)
	}
	if w.stream != nil {
		w.batch.IOs = append(w.batch.IOs, *io)
		if len(w.batch.IOs) == cap(w.batch.IOs) {
			w.batch = w.stream.send(w.batch)
		}
	}
}
