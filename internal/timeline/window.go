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
	kept    []drawn
	next    int     // around the slowest: the oldest of kept, once it is full
	saved   []drawn // those near the slowest so far that kept has no room for
	slowest replay.IO
	any     bool
	Dropped int64 // I/Os of the window that there was no room for
}

// NewCollector collects the I/Os of a window.
func NewCollector(w Window) *Collector { return &Collector{window: w} }

var _ record.Sink = (*Collector)(nil)

// Write is as record.Sink's.
func (c *Collector) Write(b *record.Batch) error {
	for i := range b.IOs {
		io := &b.IOs[i]
		switch {
		case c.window.Slowest:
			c.around(io, b.Job)
		case !c.window.touches(io):
		case len(c.kept) == MaxIOs:
			c.Dropped++
		default:
			c.kept = append(c.kept, drawn{*io, b.Job})
		}
	}
	return nil
}

// around keeps the last I/Os, and apart from them those near the slowest so far:
// the window is known only at the end.
func (c *Collector) around(io *replay.IO, job int) {
	if !c.any || io.Ended-io.Due > c.slowest.Ended-c.slowest.Due {
		c.slowest, c.any = *io, true
	}
	if len(c.kept) < MaxIOs {
		c.kept = append(c.kept, drawn{*io, job})
		return
	}
	oldest := &c.kept[c.next]
	if near := c.near(); near.touches(&oldest.IO) {
		if len(c.saved) == MaxIOs {
			c.saved = only(c.saved, near)
		}
		if len(c.saved) < MaxIOs {
			c.saved = append(c.saved, *oldest)
		} else {
			c.Dropped++
		}
	}
	*oldest = drawn{*io, job}
	c.next = (c.next + 1) % MaxIOs
}

// only keeps those that touch a window.
func only(all []drawn, w Window) []drawn {
	return slices.DeleteFunc(all, func(d drawn) bool { return !w.touches(&d.IO) })
}

// near is the window around the slowest so far.
func (c *Collector) near() Window {
	return Window{From: max(c.slowest.Due-lane.Time(c.window.Around), 0), To: c.slowest.Ended + lane.Time(c.window.Around)}
}

// Close is as record.Sink's: it settles the window.
func (c *Collector) Close() error {
	if c.window.Slowest {
		near := c.near()
		c.kept = append(only(c.kept, near), only(c.saved, near)...)
	}
	return nil
}
