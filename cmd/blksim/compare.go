package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/spf13/cobra"

	"blksim/internal/compare"
	"blksim/internal/option"
	"blksim/internal/outfile"
	"blksim/internal/recorded"
	"blksim/internal/report"
	"blksim/traces"
)

// validating is the settings of compare.
type validating struct {
	comparing
	against string
}

func newCompare(sys outfile.System) *cobra.Command {
	s := &validating{comparing: comparing{settings: *defaults(sys), confidence: 0.99}}
	s.intervals = true
	cmd := &cobra.Command{
		Use:   "compare TRACE",
		Short: "Replay a trace, and compare with what was recorded in it",
		Long: `Replay a trace through the whole stack, on a simulated device unless told
otherwise, and set what that gives beside what was recorded: throughput, latencies
by operation, their split in queue and device where issue times were recorded, and
how far the distributions are apart (KS: the largest difference of the cumulative
distributions, a share; Wasserstein: how far latencies must be moved on the
average, a time).

What was recorded is in TRACE itself, in another trace (--against), or in the JSON
result of a run, such as one on a real disk. Latencies are in traces of blksim's own
formats (blksim trace record writes them), blktrace and blkparse with completions,
msr, systor, vscsi2 and csv with a latency column.`,
		Example: `  blksim compare --device sim:tlc-consumer disk.blkt
  blksim compare --device sim --profile mine.toml --threshold 'read.p(99)<+10%' disk.blkt
  blksim compare --against real-disk.json disk.blkt
  blksim compare --device /dev/loop0 --allow-write disk.blkt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("compare: %d traces: want one", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.compare(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd, option.Table{{Title: "Comparison", Rows: []option.Row{
		{Name: "against", Value: option.String(&s.against), Usage: "a trace, or a JSON result, with what was recorded (default: TRACE); the options of the trace hold for both"},
		{Name: "confidence", Value: option.Float(&s.confidence), Usage: "of the interval of each error, 0.5 to 0.9999"},
		{Name: "percentile-list", Value: option.Parsed(&s.percentiles, "p:p:...", report.ParsePercentiles, report.FormatPercentiles), Usage: "percentiles to compare, such as 50:99:99.99"},
		{Name: "threshold", Value: option.List(&s.names, "demand"), Usage: "exit with 99 if an error breaches it, such as p(99)<+5%, iops>-3%; repeat for more"},
		{Name: "report", CommandOnly: true, Value: option.String(&s.report), Usage: "write charts of both, one over the other, to this HTML file, which opens offline"},
		{Name: "time-limit", CommandOnly: true, Value: option.Duration(&s.limit), Usage: "end after so long on the wall clock, with the result so far and exit code 124"},
		{Name: "no-progress", CommandOnly: true, Value: option.Bool(&s.quiet), Usage: "show no progress on a terminal"},
	}}, s.deviceOptions("size"), s.real.rows(), s.timingOptions(), s.cancelOptions(), s.blockOptions(), s.reading.rows(), s.writeOptions()})
	return cmd
}

// compare runs the trace in every variant and compares each with the recording,
// which is read first: without one there is nothing to run for.
func (s *validating) compare(path string, stdout, stderr io.Writer) error {
	o := compare.Options{Percentiles: s.percentiles, Confidence: s.confidence, Seed: s.seed}
	if err := o.Validate(); err != nil {
		return failed(exitUsage, err)
	}
	demands, err := parseThresholds(s.names, true)
	if err != nil {
		return err
	}
	cfg, err := s.replayConfig()
	if err != nil {
		return failed(exitUsage, err)
	}
	topt, err := s.traceOptions()
	if err != nil {
		return failed(exitUsage, err)
	}
	if s.against == "" {
		s.against = path
	}
	if path == stdin && s.against == stdin {
		return usagef("compare -: standard input can be read once, and is wanted for what was recorded and to run: give a file, or --against")
	}
	if s.real.ebpf {
		return usagef("compare --ebpf: the kernel's view of a run is in the result of blksim replay --ebpf")
	}
	variants := s.variants()
	if err := checkTraces([]string{path}, len(variants)); err != nil {
		return err
	}
	b, err := newReplays(&s.settings, []string{path}, len(variants), topt, stderr)
	if err != nil {
		return err
	}
	was, err := s.recording(b, topt)
	b.log.add(err)
	if was != nil && b.intr.code() == 0 {
		b.input(traceName(path), variants, func(v variant) (*report.Run, error) { return b.replayOne(path, v, cfg, topt) })
	}
	return b.end(func() {
		var all []*compare.Validation
		runs := []*report.Run{was}
		for _, r := range b.runs() {
			all = append(all, compare.Validate(was, r, traceName(s.against), traceName(path), o))
			runs = append(runs, r)
			for _, d := range demands {
				b.log.add(failed(exitThreshold, d.CheckChange(was, r)))
			}
		}
		if len(all) > 0 {
			b.log.decide(failed(exitOutput, s.writeValidations(all, stdout)))
			b.log.decide(failed(exitOutput, s.writeReport(runs)))
		}
	})
}

// recording reads what was recorded; nil if there is nothing to compare with.
func (s *validating) recording(b *batch, topt traces.Options) (*report.Run, error) {
	if isResult(s.against) {
		name, runs, err := readResult(s.against)
		if err == nil && len(runs) != 1 {
			err = failed(exitUsage, fmt.Errorf("compare: %s has %d runs: want one of %s after a #", name, len(runs), runNames(runs)))
		}
		if err != nil {
			return nil, err
		}
		return runs[0], nil
	}
	rd, err := openTrace(s.against, topt)
	if err != nil {
		return nil, failed(exitInput, err)
	}
	defer rd.Close()
	var stop atomic.Bool
	defer b.intr.stops(stopFunc(func() { stop.Store(true) }))()
	was, err := recorded.Read(rd, stop.Load)
	switch {
	case errors.Is(err, recorded.ErrNoLatencies):
		return nil, failed(exitInput, fmt.Errorf("%w: want --against with a trace that has them, such as blksim trace record writes, or with the JSON result of a run", err))
	case errors.Is(err, traces.ErrTruncated):
		return was, failed(exitPartial, err)
	case err != nil:
		return nil, failed(exitInput, err)
	}
	return was, nil
}

// isResult says whether an argument is a JSON result, "FILE" or "FILE#NAME", and no
// trace: no format of traces begins with a brace.
func isResult(arg string) bool {
	if arg == stdin {
		return false
	}
	path := resultPath(arg)
	f, err := os.Open(path)
	if err != nil {
		return path != arg // to be told by who reads results
	}
	defer f.Close()
	first := make([]byte, 64)
	n, _ := f.Read(first) // what cannot be read is told by the next who tries
	return bytes.HasPrefix(bytes.TrimLeft(first[:n], " \t\r\n"), []byte("{"))
}

// writeValidations writes the comparisons in the form asked for.
func (s *validating) writeValidations(all []*compare.Validation, stdout io.Writer) error {
	var b bytes.Buffer
	if s.outForm != "json" {
		if err := compare.WriteValidations(&b, all, s.look(stdout).Color); err != nil {
			return err
		}
		return s.put(b.Bytes(), stdout)
	}
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	return s.put(b.Bytes(), stdout)
}
