package timeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"blksim/aio/lane"
	"blksim/internal/option"
	"blksim/internal/record"
	"blksim/internal/replay"
)

// Window is the part of a run that is drawn. The zero Window is the beginning, as
// far as MaxIOs go.
type Window struct {
	From, To lane.Time     // I/Os that touch it; To 0: to the end
	Slowest  bool          // instead: around the slowest I/O
	Around   time.Duration // so much before it was due and after it ended
}

// defaultAround is the Around of a window around the slowest that says none.
const defaultAround = 5 * time.Millisecond

// ParseWindow reads "all", "FROM:TO" or "around:slowest[:WIDTH]".
func ParseWindow(s string) (Window, error) {
	bad := fmt.Errorf("window %q: want all, FROM:TO such as 1s:1.2s, or around:slowest[:WIDTH]", s)
	if s == "all" || s == "" {
		return Window{}, nil
	}
	if rest, is := strings.CutPrefix(s, "around:slowest"); is {
		w := Window{Slowest: true, Around: defaultAround}
		if width, has := strings.CutPrefix(rest, ":"); has {
			d, err := option.ParseDuration(width)
			if err != nil {
				return w, bad
			}
			w.Around = d
		} else if rest != "" {
			return w, bad
		}
		return w, nil
	}
	from, to, both := strings.Cut(s, ":")
	a, errA := option.ParseDuration(from)
	b, errB := option.ParseDuration(to)
	if !both || errA != nil || errB != nil || b <= a {
		return Window{}, bad
	}
	return Window{From: lane.Time(a), To: lane.Time(b)}, nil
}

func (w Window) String() string {
	switch {
	case w.Slowest:
		return "around:slowest:" + option.FormatDuration(w.Around)
	case w.To == 0:
		return "all"
	}
	return option.FormatDuration(time.Duration(w.From)) + ":" + option.FormatDuration(time.Duration(w.To))
}

// touches says whether an I/O is partly in the window.
func (w Window) touches(io *replay.IO) bool {
	return io.Ended >= w.From && (w.To == 0 || io.Submitted < w.To)
}

// MaxIOs is how many I/Os a timeline has at the most: what a viewer can take, and
// what memory is spent on.
const MaxIOs = 200_000

// drawn is an I/O with its job.
type drawn struct {
	replay.IO
	job int
}

// Collector is a record.Sink that keeps the I/Os of a window.
type Collector struct {
	window  Window
	ios     buffer[drawn]
	kept    []drawn // what is drawn, by Close
	queues  *Queues
	slowest replay.IO
	any     bool
	Dropped int64 // I/Os of the window that there was no room for
}

// NewCollector collects the I/Os of a window.
func NewCollector(w Window) *Collector {
	return &Collector{window: w, ios: buffer[drawn]{most: MaxIOs}, queues: newQueues(w)}
}

// Queues takes how full the queues of the device are, to be drawn as well.
func (c *Collector) Queues() *Queues { return c.queues }

var _ record.Sink = (*Collector)(nil)

// Write is as record.Sink's.
func (c *Collector) Write(b *record.Batch) error {
	for i := range b.IOs {
		io := &b.IOs[i]
		switch {
		case c.window.Slowest:
			if !c.any || io.Ended-io.Due > c.slowest.Ended-c.slowest.Due {
				c.slowest, c.any = *io, true
				c.queues.around(c.near())
			}
			c.ios.last(drawn{*io, b.Job}, func(d *drawn) bool { return c.near().touches(&d.IO) })
		case c.window.touches(io):
			c.ios.first(drawn{*io, b.Job})
		}
	}
	c.Dropped = c.ios.dropped
	return nil
}

// near is the window around the slowest so far.
func (c *Collector) near() Window {
	return Window{From: max(c.slowest.Due-lane.Time(c.window.Around), 0), To: c.slowest.Ended + lane.Time(c.window.Around)}
}

// Close is as record.Sink's: it settles the window.
func (c *Collector) Close() error {
	c.kept = c.ios.all()
	if c.window.Slowest {
		near := c.near()
		c.queues.around(near)
		c.kept = slices.DeleteFunc(c.kept, func(d drawn) bool { return !near.touches(&d.IO) })
	}
	return nil
}
