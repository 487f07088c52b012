package live

import "time"

// Schemas of the JSON lines.
const (
	SnoopSchema  = "blksim.snoop/v1"
	TotalsSchema = "blksim.live-totals/v1"
)

// Options are what all views have in common.
type Options struct {
	JSON     bool          // a JSON object a line
	Filter   Filter        // on the reader's side
	Duration time.Duration // end after so long; 0: no limit
	Count    int64         // end after so many lines or intervals; 0: no limit
	Stop     func() bool   // asked at least ten times a second: end now; nil: never
}

// ended says whether a view is over, at its time since the start.
func (o *Options) ended(since time.Duration, count int64) bool {
	return o.Duration > 0 && since >= o.Duration || o.Count > 0 && count >= o.Count || o.Stop != nil && o.Stop()
}

// batch is how many events are read at once.
const batch = 4096

// glance is how long a view waits for records before it looks at its end again.
const glance = 100 * time.Millisecond

// An OutputError is that of what a view is written to.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return e.Err.Error() }
func (e *OutputError) Unwrap() error { return e.Err }

// wait is how long to wait for events at the most, at the view's time since the start.
func (o *Options) wait(since, most time.Duration) time.Duration {
	if o.Duration > 0 {
		most = min(most, o.Duration-since)
	}
	return max(min(most, glance), time.Millisecond)
}
