package live

import (
	"path"
	"time"

	"blksim/internal/ebpf"
)

// Source gives I/Os as they end: an *ebpf.Tracer does.
type Source interface {
	// Read fills events with what has ended, and waits for something no longer than so
	// long. After Stop it gives what is left, and then io.EOF.
	Read(events []ebpf.Event, wait time.Duration) (int, error)
	Counter
}

// HistogramSource gives distributions that are counted where the I/Os end, without an
// event for each.
type HistogramSource interface {
	// Distributions are those since the start; those without I/Os may be left out.
	Distributions() ([]Distribution, error)
	Counter
}

// Counter is what all sources have.
type Counter interface {
	// Now is the time on the events' clock.
	Now() int64
	// Counts is the tracer's account since its start, final after Stop.
	Counts() (ebpf.Counts, error)
	// CrossCheck is how many completions were seen until Stop, and how many the devices'
	// own counters have, of bios where they are followed, else of requests: an independent count. Between reading the one and the other a few may pass.
	// ok is false if there is none, as with filters that the counters do not have.
	CrossCheck() (seen, device int64, ok bool)
	// Stop has it see no more I/Os begin, and waits at most so long for those underway.
	Stop(grace time.Duration) error
}

// grace is how long a view that ends waits for I/Os that are underway.
const grace = 200 * time.Millisecond

// Filter leaves out, on the reader's side, what the kernel's filters cannot tell.
type Filter struct {
	Comm string // shell pattern of the name of the thread that asked for the I/O; "": any
}

// Validate says what is wrong with the filter.
func (f Filter) Validate() error {
	_, err := path.Match(f.Comm, "")
	return err
}

// passes says whether the filter lets an event through.
func (f *Filter) passes(e *ebpf.Event) bool {
	if f.Comm == "" {
		return true
	}
	ok, err := path.Match(f.Comm, e.Command())
	return ok && err == nil
}

// times are an event's times, ns: all of it, and the part before the driver got it. What
// never went to a driver as a request, or was never queued, has no such part (split is
// false): all its time is the device's.
func times(e *ebpf.Event) (total, queue int64, split bool) {
	queue, split = e.QueueTime()
	total, ok := e.TotalTime()
	if !ok {
		total, _ = e.DeviceTime()
	}
	return total, queue, split
}
