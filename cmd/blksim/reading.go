package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"blksim/internal/option"
	"blksim/traces"
)

// reading says how a trace is read: the options of every command that takes one.
type reading struct {
	format  string
	columns string
	volume  string
	action  string
	opMap   string
	unit    string
	order   string
	onErr   string
	dedup   bool
	spread  bool
}

func newReading() reading { return reading{order: "sort", onErr: "stop"} }

// rows lists the options.
func (s *reading) rows() option.Group {
	return option.Group{Title: "The trace", Rows: []option.Row{
		{Name: "format", Value: option.String(&s.format), Usage: "trace format (default: detected from the content): " + formatNames()},
		{Name: "columns", Value: option.String(&s.columns), Usage: "the trace is a table with these columns, by name or number: time=ts:us,offset=lba:512,size=3,op=type[,volume=,latency=,process=,pid=]"},
		{Name: "volume", Value: option.String(&s.volume), Usage: "only this volume of the trace"},
		{Name: "action", Value: option.String(&s.action), Usage: "the one action of blkparse or blktrace to take: Q, D, C, ..."},
		{Name: "op-map", Value: option.String(&s.opMap), Usage: "meaning of an operation column, such as 0=write,1=read; =read: one for all, in a table without one"},
		{Name: "time-unit", Value: option.String(&s.unit), Usage: "unit of a whole-number time column, such as 1us"},
		{Name: "dedup-stacked", Value: option.Bool(&s.dedup), Usage: "drop I/Os that stacked devices logged twice"},
		{Name: "spread-seconds", Value: option.Bool(&s.spread), Usage: "spread records that share a whole second evenly over it"},
		{Name: "order", Value: option.Enum(&s.order, "sort", "asis", "reject"), Usage: "records out of time order: sort within 1 s, asis, reject"},
		{Name: "on-error", Value: option.Enum(&s.onErr, "stop", "skip"), Usage: "bad records, and ones the device cannot take: stop, or skip and count"},
	}}
}

// traceOptions turns the settings into the readers'.
func (s *reading) traceOptions() (traces.Options, error) {
	o := traces.Options{Format: s.format, Columns: s.columns, Volume: s.volume, OpMap: s.opMap,
		DedupStacked: s.dedup, SpreadSeconds: s.spread}
	switch s.order {
	case "asis":
		o.Order = traces.AsIs
	case "reject":
		o.Order = traces.Reject
	}
	if s.onErr == "skip" {
		o.OnError = traces.Skip
	}
	if len(s.action) > 1 {
		return o, fmt.Errorf("action %q: want one letter, such as Q or D", s.action)
	}
	if s.action != "" {
		o.Action = s.action[0]
	}
	if s.unit != "" {
		d, err := time.ParseDuration(s.unit)
		if err != nil || d <= 0 {
			return o, fmt.Errorf("time-unit %q: want a duration, such as 1ms, 1us, 1ns", s.unit)
		}
		o.TimeUnit = d
	}
	return o, o.Validate()
}

// formatNames lists the trace formats that are read.
func formatNames() string {
	var names []string
	for _, f := range traces.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// narrow lists the options that have a meaning in some formats only. Not among
// them: time-unit, which a format that has no use for it refuses.
func (s *reading) narrow() []narrowOption {
	return []narrowOption{
		{"action", s.action, []string{"blkparse", "blktrace"}},
		{"op-map", s.opMap, []string{"mqsim", "disksim", "tencent", "csv"}},
	}
}

type narrowOption struct {
	name, value string
	formats     []string
}

// unusedOptions are notes of the options that were given for nothing.
func (s *reading) unusedOptions(format string) []string {
	var notes []string
	for _, o := range s.narrow() {
		if o.value != "" && !slices.Contains(o.formats, format) {
			notes = append(notes, fmt.Sprintf("--%s does nothing in a trace of format %s: it is for %s",
				o.name, format, strings.Join(o.formats, ", ")))
		}
	}
	return notes
}
