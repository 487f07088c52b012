package recorded

import (
	"errors"
	"fmt"
	"io"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/record"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/traces"
)

// cancelled is Linux's ECANCELED: a trace has Linux's numbers wherever it is read.
const cancelled = 125

// noCompletion is why records are left out.
const noCompletion = "no completion time was recorded"

// ErrNoLatencies is that of a trace that says when I/Os began, and never when they
// ended.
var ErrNoLatencies = errors.New("recorded: no record has a completion time")

// Read reads a trace to its end. With an error that is the trace's, the run has what
// was read before it. stop is asked now and then whether to end early; nil: never.
func Read(rd *traces.Reader, stop func() bool) (*report.Run, error) {
	t := tallies{res: replay.Result{Skipped: map[string]int64{}}, series: record.NewSeries()}
	recs := make([]traces.Record, 4096)
	var end error
	stopped := false
	for {
		if stopped = stop != nil && stop(); stopped {
			break
		}
		n, err := rd.Read(recs)
		for i := range recs[:n] {
			t.add(&recs[i])
		}
		if err != nil {
			if err != io.EOF {
				end = err
			}
			break
		}
	}
	r := t.run(rd, end, stopped)
	if end == nil && !stopped && t.res.Replayed == 0 {
		end = fmt.Errorf("%s: %w (%s of format %s)", rd.Name(), ErrNoLatencies, plural(t.res.Records), rd.Format())
	}
	return r, end
}

func plural(n int64) string {
	if n == 1 {
		return "1 record"
	}
	return report.Count(n) + " records"
}

// tallies adds up records.
type tallies struct {
	res    replay.Result
	series *record.Series
	failed int64
	issued int64 // that have an issue time
	last   int64
}

func (t *tallies) add(r *traces.Record) {
	t.res.Records++
	t.last = max(t.last, r.Time)
	if r.Completed <= 0 {
		t.res.Skipped[noCompletion]++
		return
	}
	io := ioOf(r)
	t.series.Add(&io)
	t.res.Replayed++
	t.res.Submitted++
	t.res.Elapsed = max(t.res.Elapsed, time.Duration(io.Ended))
	op := &t.res.Ops[io.Op]
	op.Submitted++
	switch io.Status {
	case aio.OK:
		t.res.Completed++
		op.Completed++
		op.Bytes += io.N
		op.Latency.Add(r.Completed)
		op.Service.Add(r.Completed)
		if io.Started() {
			t.issued++
			op.Queue.Add(int64(io.Dispatched - io.Submitted))
			op.Device.Add(int64(io.Returned - io.Dispatched))
		}
	case aio.Cancelled:
		t.res.Aborted++
	default:
		t.failed++
		t.res.Failed[io.Status]++
	}
}

// ioOf is a record as an I/O that a run saw. What a trace in its file's own order has
// from before its first record began then.
func ioOf(r *traces.Record) replay.IO {
	from := lane.Time(max(r.Time, 0))
	io := replay.IO{Due: from, Submitted: from, Dispatched: replay.NoTime, Returned: replay.NoTime, Asked: replay.NoTime,
		Ended: from + lane.Time(r.Completed), Off: r.Offset, Len: r.Length, N: r.Length, Op: replay.OpOf(r.Op)}
	// Clocks of several CPUs may say that an I/O ended before it was issued.
	if r.Issued > 0 && r.Issued <= r.Completed {
		io.Dispatched, io.Returned = from+lane.Time(r.Issued), io.Ended
	}
	switch {
	case r.Status == cancelled:
		io.Status = aio.Cancelled
	case r.Status != 0:
		io.Status = aio.IOError
	}
	return io
}

// run makes the run.
func (t *tallies) run(rd *traces.Reader, end error, stopped bool) *report.Run {
	stats := rd.Stats()
	r := &report.Run{Name: "recorded", Trace: report.Trace{Name: rd.Name(), Format: rd.Format(), Why: rd.Why(), Volumes: rd.Volumes()}}
	r.Setup = report.Setup{Device: "recorded", Clock: "real", Timing: "trace", TimeScale: 1}
	t.res.Span = time.Duration(t.last)
	t.res.Stopped = stopped
	r.EndedBy(end, stopped)
	r.Fill(&t.res, stats)
	r.Record(nil, t.series)
	if n := t.res.Skipped[noCompletion]; n > 0 && t.res.Replayed > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s without a completion time: not among what was recorded", plural(n)))
	}
	if n := t.res.Completed - t.issued; n > 0 && t.issued > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s without an issue time: not in the split of queue and device", plural(n)))
	}
	if t.failed > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s with an error: no latencies of those", plural(t.failed)))
	}
	return r
}
