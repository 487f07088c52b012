package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"blksim/aio/lane"
	"blksim/internal/hdr"
	"blksim/internal/iofile"
	"blksim/internal/kernelview"
	"blksim/internal/outfile"
	"blksim/internal/page"
	"blksim/internal/record"
	"blksim/internal/report"
	"blksim/internal/stack"
	"blksim/internal/timeline"
)

// recording is what is recorded of one run, and the files that it goes to.
type recording struct {
	record.Recorder
	ios      *outfile.Writer // nil: not asked for
	timeline *outfile.Writer
	window   *timeline.Collector
	kernel   *kernelview.View // nil: not asked for
}

// record begins to record what the settings ask for.
func (b *batch) record() (*recording, error) {
	r := &recording{}
	r.Slow = b.outForm != "normal" || b.report != ""
	r.Series = r.Slow || b.intervals
	var sinks []record.Sink
	var ios record.Sink
	var err error
	if b.ios != "" {
		if r.ios, err = outfile.Create(b.sys, b.ios); err != nil {
			return nil, err
		}
		ios = iofile.NewWriter(r.ios)
	}
	if b.timeline != "" {
		if r.timeline, err = outfile.Create(b.sys, b.timeline); err != nil {
			r.abort()
			return nil, err
		}
		r.window = timeline.NewCollector(b.window)
		sinks = append(sinks, r.window)
	}
	if b.real.ebpf {
		r.kernel = kernelview.New(ios)
		ios = r.kernel
	}
	if ios != nil {
		sinks = append(sinks, ios)
	}
	if len(sinks) > 0 {
		r.Stream = record.NewStream(sinks...)
	}
	return r, nil
}

// begin gives the time from which all times of the run count: now.
func (r *recording) begin(st *stack.Stack) lane.Time {
	epoch := st.Group.Lane(0).Now()
	if r.window != nil {
		r.window.Queues().Begin(epoch)
	}
	if r.kernel != nil {
		r.kernel.Epoch(epoch)
	}
	return epoch
}

// close finishes the files of a run, whose result may get notes. Finish was called.
func (r *recording) close(run *report.Run) error {
	if r.Stream == nil {
		return nil
	}
	err := r.Stream.Close()
	if n := r.Stream.Waits(); n > 0 && run.Setup.Clock == "real" {
		run.Odd = append(run.Odd, fmt.Sprintf("writing every I/O held the run up %d times: its latencies are too high", n))
	}
	r.Stream = nil
	if r.kernel != nil {
		err = errors.Join(err, r.kernel.Finish(run))
	}
	if r.ios != nil {
		if err == nil {
			err = r.ios.Commit()
		}
		r.ios.Abort()
	}
	if r.timeline == nil {
		return err
	}
	if n := r.window.Dropped; n > 0 {
		run.Odd = append(run.Odd, fmt.Sprintf("the timeline has no room for %d more I/Os of its window: want a narrower --timeline-window", n))
	}
	if n := r.window.Queues().Dropped(); n > 0 {
		run.Odd = append(run.Odd, fmt.Sprintf("the timeline has no room for %d more changes of the queues of its window: want a narrower --timeline-window", n))
	}
	e := r.window.WriteTrace(r.timeline, "blksim "+run.Trace.Name+" on "+run.Setup.Device)
	if e == nil {
		e = r.timeline.Commit()
	}
	r.timeline.Abort()
	return errors.Join(err, e)
}

// abort takes back what close has not finished.
func (r *recording) abort() {
	if r.Stream != nil {
		r.Stream.Close() // what it says is of a run that has no result
		r.Stream = nil
	}
	if r.kernel != nil {
		r.kernel.Abort()
	}
	for _, w := range []*outfile.Writer{r.ios, r.timeline} {
		if w != nil {
			w.Abort()
		}
	}
}

// writeReport writes charts of all runs.
func (s *settings) writeReport(runs []*report.Run) error {
	if s.report == "" || len(runs) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := page.Write(&b, "blksim: "+runs[0].Setup.Device, runs); err != nil {
		return err
	}
	return outfile.Put(s.sys, s.report, b.Bytes())
}

// writeHDR writes the latencies of all runs, by operation.
func (s *settings) writeHDR(all [][]*report.Run) error {
	if s.hdr == "" || len(all) == 0 {
		return nil
	}
	var entries []hdr.Entry
	for _, runs := range all {
		for _, r := range runs {
			for _, op := range []string{"read", "write", "flush", "discard", "write-zeroes"} {
				d := r.Ops[op].LatencyNs
				if d == nil {
					continue
				}
				tag := op
				if len(all)*len(runs) > 1 {
					tag = strings.NewReplacer(" ", "-", ",", "-").Replace(r.Name) + "/" + op
				}
				entries = append(entries, hdr.Entry{Tag: tag, Length: float64(r.ElapsedNs) / 1e9, Bins: d.Bins, Max: d.Max})
			}
		}
	}
	var b bytes.Buffer
	if err := hdr.WriteLog(&b, "latencies of blksim in nanoseconds; Interval_Max in milliseconds", entries); err != nil {
		return err
	}
	return outfile.Put(s.sys, s.hdr, b.Bytes())
}
