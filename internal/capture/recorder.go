package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// Held is how many records wait for older I/Os at the most.
const Held = 1 << 19

// sortEvery is how many records come before it is worth looking what has settled.
const sortEvery = 8192

// maxProcesses is what the native format holds.
const maxProcesses = 1 << 16

// A Source gives events of bios; ebpf.Tracer is one.
type Source interface {
	Read(evs []ebpf.Event, wait time.Duration) (int, error)
	// Settled is a time: what was queued before has completed, and Read gives it
	// without waiting, or has given it.
	Settled() (ns int64, err error)
}

// Totals are what has been written.
type Totals struct {
	Records   int64                // with the late ones
	Ops       [traces.NumOps]int64 // records by op
	Bytes     [traces.NumOps]int64
	Span      time.Duration // from the first I/O's queueing to the last one's
	Failed    int64         // I/Os that completed with an error
	Tagged    int64         // those with an id of their application
	OtherOps  int64         // not written: operations that a trace has no name for
	Late      int64         // came out of order: see Recorder.Late
	Unended   int64         // records of I/Os whose end was not seen
	Processes int64         // whose names are in the trace
	Nameless  int64         // records without a process, since there were too many
}

// Recorder writes events as records.
type Recorder struct {
	w       traces.Writer
	devices []ebpf.Device
	names   traces.Names
	process map[process]uint32
	others  map[ebpf.Dev]uint32 // volumes of disks that are not among the devices

	evs    []ebpf.Event
	most   int             // Held
	left   int             // of them when it was last sorted
	sorted time.Time       // when that was
	held   []traces.Record // Time is of CLOCK_MONOTONIC
	start  int64           // the first record's
	last   int64           // the last one written
	began  bool
	totals Totals
	late   []traces.Record
}

type process struct {
	pid  uint32
	comm [16]byte
}

// New makes a recorder of these devices, which name the volumes of the trace; none is
// all devices, by their numbers.
func New(w traces.Writer, devices []ebpf.Device) *Recorder {
	r := &Recorder{
		w: w, devices: devices, process: map[process]uint32{}, others: map[ebpf.Dev]uint32{},
		evs: make([]ebpf.Event, 4096), most: Held, names: traces.Names{Processes: []traces.Process{{}}},
	}
	for _, d := range devices {
		r.names.Volumes = append(r.names.Volumes, d.Name)
	}
	return r
}

// Totals are those of what was written until now.
func (r *Recorder) Totals() Totals { return r.totals }

// Seen is how many I/Os there were until now, also those that are not written yet.
func (r *Recorder) Seen() int64 { return r.totals.Records + int64(len(r.held)) }

// Step takes what there is, waiting for at most so long if there is nothing, and writes
// what is in order by now. After the source's last event it writes the rest and gives
// io.EOF.
func (r *Recorder) Step(s Source, wait time.Duration) error {
	n, err := s.Read(r.evs, wait)
	r.take(r.evs[:n])
	if errors.Is(err, io.EOF) {
		slices.SortStableFunc(r.held, byTime)
		if err := r.write(len(r.held)); err != nil {
			return err
		}
		return io.EOF
	}
	if err != nil {
		return err
	}
	if n > 0 && len(r.held)-r.left < sortEvery && time.Since(r.sorted) < time.Second {
		return nil
	}
	settled, err := s.Settled()
	if err != nil {
		return err
	}
	for n > 0 { // what was on its way to the ring
		if n, err = s.Read(r.evs, 0); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		r.take(r.evs[:n])
		if len(r.held) >= 2*r.most {
			break
		}
	}
	err = r.release(settled)
	r.left, r.sorted = len(r.held), time.Now()
	return err
}

// take holds events back as records.
func (r *Recorder) take(evs []ebpf.Event) {
	for i := range evs {
		e := &evs[i]
		if e.Kind != ebpf.Bio {
			continue
		}
		if e.Op == ebpf.OtherOp {
			if e.Complete > 0 {
				r.totals.OtherOps++
			}
			continue
		}
		rec := traces.Record{
			Time: e.Queue, Length: e.Bytes, CancelAfter: -1, App: e.App, Status: uint16(e.Status), Flags: e.Flags, Op: e.Op,
			Process: r.processOf(e),
		}
		if e.Complete > 0 {
			rec.Completed = max(e.Complete-e.Queue, 1)
		}
		if e.Issue > 0 && e.Complete > 0 {
			rec.Issued = min(max(e.Issue-e.Queue, 1), rec.Completed)
		}
		rec.Volume, rec.Offset = r.place(e)
		if e.AppKind != ebpf.NoApp {
			r.totals.Tagged++
		}
		r.held = append(r.held, rec)
	}
}

// place is the volume of an event, and its offset there in bytes.
func (r *Recorder) place(e *ebpf.Event) (number uint32, offset int64) {
	const sector = 512
	for i, d := range r.devices {
		if d.Dev != e.Dev || e.Bytes > 0 && (e.Sector < d.First || e.Sector >= d.End) {
			continue
		}
		if e.Bytes == 0 {
			return uint32(i), 0 // flushes are for all of the disk
		}
		return uint32(i), (e.Sector - d.First) * sector
	}
	n, known := r.others[e.Dev]
	if !known {
		n = uint32(len(r.names.Volumes))
		r.others[e.Dev] = n
		r.names.Volumes = append(r.names.Volumes, e.Dev.String())
	}
	return n, e.Sector * sector
}

func (r *Recorder) processOf(e *ebpf.Event) uint32 {
	key := process{e.PID, e.Comm}
	n, known := r.process[key]
	if !known {
		if len(r.names.Processes) >= maxProcesses {
			r.totals.Nameless++
			return 0
		}
		n = uint32(len(r.names.Processes))
		r.process[key] = n
		r.names.Processes = append(r.names.Processes, traces.Process{PID: e.PID, Name: e.Command()})
		r.totals.Processes++
	}
	return n
}

func byTime(a, b traces.Record) int { return cmp.Compare(a.Time, b.Time) }

// release writes what was queued before the time, and more if too much is held.
func (r *Recorder) release(settled int64) error {
	slices.SortStableFunc(r.held, byTime)
	n, _ := slices.BinarySearchFunc(r.held, settled, func(rec traces.Record, t int64) int { return cmp.Compare(rec.Time, t) })
	if len(r.held)-n > r.most {
		n = len(r.held) - r.most/2
	}
	return r.write(n)
}

// write writes the first n of what is held, which is in order, but for those that come
// too late for that.
func (r *Recorder) write(n int) error {
	if n == 0 {
		return nil
	}
	if !r.began {
		r.began, r.start, r.last = true, r.held[0].Time, r.held[0].Time
	}
	t := &r.totals
	out := r.held[:0:n]
	for _, rec := range r.held[:n] {
		late := rec.Time < r.last
		r.last = max(r.last, rec.Time)
		rec.Time = max(rec.Time-r.start, 0) // a late one of before the first comes with it
		t.Records++
		t.Ops[rec.Op]++
		t.Bytes[rec.Op] += rec.Length
		if rec.Status != 0 {
			t.Failed++
		}
		if rec.Completed == 0 {
			t.Unended++
		}
		if late {
			t.Late++
			r.late = append(r.late, rec)
			continue
		}
		out = append(out, rec)
	}
	t.Span = time.Duration(r.last - r.start)
	if err := r.w.Write(out, r.names); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	r.held = append(r.held[:0], r.held[n:]...)
	return nil
}

// Late are the records that could not be written in order, in order among themselves;
// Merge puts them where they belong.
func (r *Recorder) Late() []traces.Record {
	slices.SortStableFunc(r.late, byTime)
	return r.late
}

// Merge writes a recording with its late records among the others.
func Merge(w traces.Writer, recorded *traces.Reader, late []traces.Record) error {
	batch := make([]traces.Record, 4096)
	out := make([]traces.Record, 0, 2*len(batch))
	for {
		n, err := recorded.Read(batch)
		out = out[:0]
		for _, rec := range batch[:n] {
			for len(late) > 0 && late[0].Time < rec.Time {
				out, late = append(out, late[0]), late[1:]
			}
			out = append(out, rec)
		}
		end := errors.Is(err, io.EOF)
		if end {
			out = append(out, late...)
		} else if err != nil {
			return fmt.Errorf("capture: reading what was recorded: %w", err)
		}
		if err := w.Write(out, recorded.Names()); err != nil {
			return err
		}
		if end {
			return nil
		}
	}
}
