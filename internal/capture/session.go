package capture

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// Session is a recording that is underway.
type Session struct {
	Live Live

	options ebpf.Options
	tracer  *ebpf.Tracer
	before  tally
	began   time.Time
}

// Live is how far a session is, for others to look at.
type Live struct {
	Seen atomic.Int64 // I/Os
	Lost atomic.Uint64
}

// Grace is how long what is underway at the end of a session may take to complete.
const Grace = 2 * time.Second

// Start begins to trace: I/O that is queued from now on will be in the trace. Options
// must name devices, and ask for events.
func Start(o ebpf.Options) (*Session, error) {
	if len(o.Devices) == 0 || o.Mode != ebpf.Events {
		return nil, errors.New("capture: a recording is of devices, and of events")
	}
	o.Unfinished = true
	t, err := ebpf.Open(o)
	if err != nil {
		return nil, err
	}
	s := &Session{options: o, tracer: t, began: time.Now()}
	if s.before, err = s.tally(); err != nil {
		t.Close()
		return nil, err
	}
	return s, nil
}

// tally is how many completions the devices have counted, and how many the tracer has.
type tally struct{ completed, seen int64 }

// tally reads both counts, always in the same order. They are of one moment if nothing
// completed in between, for which it tries a few times.
func (s *Session) tally() (n tally, err error) {
	last := int64(-1)
	for range 10 {
		n = tally{}
		bios := false
		for _, d := range s.options.Devices {
			st, err := ebpf.ReadStat(d.Name)
			if err != nil {
				return n, err
			}
			n.completed += int64(st.Completed())
			bios = bios || d.TakesBios
		}
		c, err := s.tracer.Counts()
		if err != nil {
			return n, err
		}
		n.seen = int64(c.Pieces + c.Unmatched)
		if bios {
			n.seen += int64(c.Unissued)
		}
		if n.seen == last {
			break
		}
		last = n.seen
	}
	return n, nil
}

// Close ends a session that is not to be recorded.
func (s *Session) Close() error { return s.tracer.Close() }

// Record writes the trace until stop is closed, and gives the account of it. Also of a
// recording that ends with an error there is one, as far as it came.
//
// What is written lacks the records of Summary.Late, which Merge puts in their places.
func (s *Session) Record(w traces.Writer, stop <-chan struct{}) (Summary, error) {
	defer s.tracer.Close()
	r := New(w, s.options.Devices)
	err := s.follow(r, stop)
	length := time.Since(s.began)
	classic := s.tracer.Attached() == ebpf.ClassicTracepoint
	var after tally
	var countErr error
	if !classic {
		after, countErr = s.tally()
	}
	stopErr := s.tracer.Stop(Grace)
	if classic { // which counts what it has taken from the ring: all of it now
		after, countErr = s.tally()
	}
	for err == nil {
		err = r.Step(s.tracer, 0)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	counts, err2 := s.tracer.Counts()
	sum := Summary{
		Devices: s.options.Devices, Attached: s.tracer.Attached().String(), Fallback: s.tracer.Fallback(), Kernel: Kernel(),
		Length: length, Totals: r.Totals(), Late: r.Late(), Counts: counts,
		Filtered: len(s.options.Ops) > 0 || len(s.options.PIDs) > 0 || s.options.MinLatency > 0,
	}
	// A tracer that leaves out operations does not see all that the devices count.
	if countErr == nil && len(s.options.Ops) == 0 {
		sum.Compared, sum.StatCompleted, sum.StatSeen = true, after.completed-s.before.completed, after.seen-s.before.seen
	}
	return sum, errors.Join(err, stopErr, err2)
}

func (s *Session) follow(r *Recorder, stop <-chan struct{}) error {
	const look = 50 * time.Millisecond
	last := time.Now()
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := r.Step(s.tracer, look); err != nil {
			return err
		}
		s.Live.Seen.Store(r.Seen())
		if now := time.Now(); now.Sub(last) > time.Second {
			last = now
			if c, err := s.tracer.Counts(); err == nil {
				s.Live.Lost.Store(c.Lost)
			}
		}
	}
}

// Summary is the account of a recording.
type Summary struct {
	Devices  []ebpf.Device
	Attached string // tp_btf, raw_tp
	Fallback string // why nothing better was attached
	Kernel   string
	Length   time.Duration // that was traced
	Filtered bool          // some I/Os were left out on demand
	Totals   Totals
	Late     []traces.Record // of the Totals.Records, those that are not written yet
	Counts   ebpf.Counts

	// The devices' own account of the time until the end, not of what was underway then:
	// how many bios, or pieces of split ones, completed, and how many the tracer saw.
	Compared      bool
	StatCompleted int64
	StatSeen      int64
}

// Missed is how many completions the devices have counted and the tracer has not seen. A
// few at both ends of a recording are in one of the counts only, if there was I/O then.
func (s *Summary) Missed() int64 { return max(s.StatCompleted-s.StatSeen, 0) }

// Note tells in words how the trace was made, for the trace itself.
func (s *Summary) Note() string {
	text := "recorded of"
	for _, d := range s.Devices {
		text += fmt.Sprintf(" %s (%v, sectors %d to %d)", d.Name, d.Dev, d.First, d.End)
	}
	c := s.Counts
	text += fmt.Sprintf(" by blksim trace record on Linux %s, %s tracepoints, for %v: %d I/Os started = %d done + %d lost + %d never delivered",
		s.Kernel, s.Attached, s.Length.Round(time.Millisecond), c.Started, c.Done, c.Lost+c.NoRoom, c.NeverDelivered())
	if c.Brief > 0 {
		text += fmt.Sprintf(" + %d too short", c.Brief)
	}
	if s.Compared {
		text += fmt.Sprintf("; the disks counted %d completions, of which %d were seen", s.StatCompleted, s.StatSeen)
	}
	if s.Totals.Unended > 0 {
		text += fmt.Sprintf("; %d records are of I/Os whose end was not seen", s.Totals.Unended)
	}
	return text
}

// Check is nil if each I/O that was started is accounted for, and each that was done is
// in the trace.
func (s *Summary) Check() error {
	if err := s.Counts.Check(); err != nil {
		return err
	}
	if in := s.Totals.Records - s.Totals.Unended + s.Totals.OtherOps; in != int64(s.Counts.Done) {
		return fmt.Errorf("capture: %d I/Os done, but %d records written and %d left out", s.Counts.Done, s.Totals.Records, s.Totals.OtherOps)
	}
	return nil
}
