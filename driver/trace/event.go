package trace

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"blksim/aio"
	"blksim/aio/lane"
)

// Kind is what happened.
type Kind uint8

// The kinds of events.
const (
	Submit   Kind = iota // a request was offered; Status is the driver's answer
	Commit               // a run of submits ended
	Cancel               // the driver was told that nobody wants the request
	Complete             // the driver gave the request back
	Poll                 // the driver was asked to look for completions; N is its answer
)

var kindNames = [...]string{"submit", "commit", "cancel", "complete", "poll"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Event is one call across the driver contract.
type Event struct {
	At     lane.Time
	Queue  int
	Tag    int    // -1: the event is no single request's
	Use    uint64 // how often the tag had been offered to the driver, this time included
	Kind   Kind
	Op     aio.Op
	Off    int64
	Len    int64
	Status aio.Status // of Submit and Complete
	N      int64      // of Complete: bytes; of Poll: completions
}

// String is the event on one line, without its time.
func (e Event) String() string {
	switch e.Kind {
	case Commit:
		return fmt.Sprintf("q%d commit", e.Queue)
	case Poll:
		return fmt.Sprintf("q%d poll: %d", e.Queue, e.N)
	}
	s := fmt.Sprintf("q%d tag %d.%d %s", e.Queue, e.Tag, e.Use, e.Kind)
	switch e.Kind {
	case Submit:
		s += fmt.Sprintf(" %s off=%d len=%d", e.Op, e.Off, e.Len)
		if e.Status != aio.OK {
			s += ": " + e.Status.String()
		}
	case Complete:
		s += fmt.Sprintf(": %s n=%d", e.Status, e.N)
	}
	return s
}

// Write prints events, one to a line, each with its time and how long it was
// after the one before.
func Write(w io.Writer, evs []Event) error {
	for i, e := range evs {
		since := ""
		if i > 0 && e.At != evs[i-1].At {
			since = "+" + e.At.Sub(evs[i-1].At).String()
		}
		if _, err := fmt.Fprintf(w, "%14v %12s  %v\n", e.At.Sub(0), since, e); err != nil {
			return err
		}
	}
	return nil
}

// OneIO keeps of evs what concerns one use of one tag, and the commits of its
// queue while the request was with the driver.
func OneIO(evs []Event, queue, tag int, use uint64) (story []Event) {
	with := false
	for _, e := range evs {
		mine := e.Queue == queue && e.Tag == tag && e.Use == use
		if mine && e.Kind == Submit {
			with = true
		}
		if mine || with && e.Queue == queue && e.Kind == Commit {
			story = append(story, e)
		}
		if mine && e.Kind == Complete {
			with = false
		}
	}
	return story
}

// Log is the record of one queue. Its lane owns it.
type Log struct {
	evs  []Event
	keep int // 0: all
	next int // the oldest, once the ring is full
}

// NewLog makes a log that keeps the last keep events; 0: all.
func NewLog(keep int) *Log {
	return &Log{keep: keep, evs: make([]Event, 0, keep)}
}

// Add records one event and returns its place, for Answer.
func (l *Log) Add(e Event) (at int) {
	if l.keep == 0 || len(l.evs) < l.keep {
		l.evs = append(l.evs, e)
		return len(l.evs) - 1
	}
	at = l.next
	l.evs[at] = e
	if l.next++; l.next == l.keep {
		l.next = 0
	}
	return at
}

// Answer completes the record of a Submit, which comes before all that happened
// inside it: at is its place and e what was put there.
func (l *Log) Answer(at int, e Event, st aio.Status) {
	if l.evs[at] == e { // else so much happened that the ring has lost it
		l.evs[at].Status = st
	}
}

// Events returns what was kept, oldest first.
func (l *Log) Events() []Event {
	return slices.Concat(l.evs[l.next:], l.evs[:l.next])
}

// Merge puts the events of several logs in the order of time; those of one time
// in the order of the queues.
func Merge(logs ...*Log) (all []Event) {
	for _, l := range logs {
		all = append(all, l.Events()...)
	}
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return all
}
