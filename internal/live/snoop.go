package live

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"blksim/internal/ebpf"
)

// Snoop writes a line for each I/O, in the order in which they ended. It ends with the
// totals, also after an error of the source.
func Snoop(src Source, w io.Writer, o Options) error {
	s := &snoop{w: bufio.NewWriterSize(w, 64<<10), json: o.JSON, start: src.Now(), names: names{}}
	err := s.run(src, &o)
	t, countErr := total(src, s.start, s.lines, s.left)
	if err == nil {
		err = countErr
	}
	if countErr == nil {
		_ = t.write(s.w, o.JSON) // Flush has its error
	}
	if e := s.w.Flush(); e != nil {
		return &OutputError{e}
	}
	return err
}

type snoop struct {
	w     *bufio.Writer
	json  bool
	start int64
	lines int64
	left  int64 // left out by the reader's filter, or beyond the count
	line  []byte
	names names
	more  bool // the last read gave something: more may wait
}

func (s *snoop) run(src Source, o *Options) error {
	if !s.json {
		fmt.Fprintf(s.w, "%12s %-15s %7s %-9s %-5s %12s %8s %9s %9s\n",
			"TIME s", "PROCESS", "PID", "DEVICE", "OP", "LBA", "BYTES", "QUEUE us", "DEVICE us")
	}
	events := make([]ebpf.Event, batch)
	stopped := false
	for {
		since := time.Duration(src.Now() - s.start)
		if !stopped && o.ended(since, s.lines) {
			stopped = true
			if err := src.Stop(grace); err != nil {
				return err
			}
		}
		if !s.more {
			// Nothing more is there now: a reader sees a line when it is made.
			if err := s.w.Flush(); err != nil {
				return &OutputError{err}
			}
		}
		n, err := src.Read(events, o.wait(since, glance))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		s.more = n > 0
		for i := range events[:n] {
			if !o.Filter.passes(&events[i]) || o.Count > 0 && s.lines >= o.Count {
				s.left++
				continue
			}
			s.lines++
			if err := s.write(&events[i]); err != nil {
				return &OutputError{err}
			}
		}
	}
}

// snoopLine is an I/O as JSON.
type snoopLine struct {
	Schema   string  `json:"schema"`
	Time     int64   `json:"time_ns"` // when it ended, from the start
	Kind     string  `json:"kind"`    // bio or request
	Process  string  `json:"process"`
	PID      uint32  `json:"pid"`
	TID      uint32  `json:"tid"`
	Device   string  `json:"device"`
	Op       string  `json:"op"`
	Flags    string  `json:"rwbs"`
	Sector   int64   `json:"sector"` // of 512 bytes
	Bytes    int64   `json:"bytes"`
	Queue    *int64  `json:"queue_ns"` // null: not split
	InDevice int64   `json:"device_ns"`
	Total    int64   `json:"total_ns"`
	App      *uint64 `json:"app,omitempty"`
	AppKind  string  `json:"app_kind,omitempty"` // aio or io_uring
	Bios     uint16  `json:"bios"`               // of a request: how many; of a bio: in how many pieces it went
	Requeues uint16  `json:"requeues,omitempty"`
	Error    string  `json:"error,omitempty"`
}

func (s *snoop) write(e *ebpf.Event) error {
	total, queue, split := times(e)
	if s.json {
		return s.writeJSON(e, total, queue, split)
	}
	// A machine has more I/Os than fmt writes lines: these are the columns of the heading.
	b := append(right(s.line[:0], e.Complete-s.start, 1000, 6, 12), ' ')
	b = append(left(b, printable(e.Command()), 15), ' ')
	b = append(right(b, int64(e.PID), 1, 0, 7), ' ')
	b = append(left(b, s.names.of(e.Dev), 9), ' ')
	b = append(left(b, rwbs(e), 5), ' ')
	b = append(right(b, e.Sector, 1, 0, 12), ' ')
	b = append(right(b, e.Bytes, 1, 0, 8), ' ')
	if split {
		b = append(right(b, queue, 100, 1, 9), ' ')
	} else {
		b = append(b, "        - "...)
	}
	b = right(b, total-queue, 100, 1, 9)
	if e.Status != 0 {
		b = append(append(b, ' '), errnoName(e.Status)...)
	}
	s.line = append(b, '\n')
	_, err := s.w.Write(s.line)
	return err
}

func (s *snoop) writeJSON(e *ebpf.Event, total, queue int64, split bool) error {
	l := snoopLine{Schema: SnoopSchema, Time: e.Complete - s.start, Kind: e.Kind.String(), Process: e.Command(), PID: e.PID, TID: e.TID,
		Device: s.names.of(e.Dev), Op: opName(e.Op), Flags: rwbs(e), Sector: e.Sector, Bytes: e.Bytes, InDevice: total - queue, Total: total,
		Bios: e.Bios, Requeues: e.Requeues}
	if split {
		l.Queue = &queue
	}
	if e.AppKind != ebpf.NoApp {
		l.App, l.AppKind = &e.App, e.AppKind.String()
	}
	if e.Status != 0 {
		l.Error = errnoName(e.Status)
	}
	text, err := json.Marshal(&l)
	if err == nil {
		_, err = s.w.Write(append(text, '\n'))
	}
	return err
}
