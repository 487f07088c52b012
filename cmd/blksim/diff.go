package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"blksim/internal/compare"
	"blksim/internal/option"
	"blksim/internal/outfile"
	"blksim/internal/report"
	"blksim/internal/threshold"
)

// comparing is the settings of diff and merge.
type comparing struct {
	settings
	confidence float64
	sequence   bool
	names      []string // thresholds
}

func newDiff(sys outfile.System) *cobra.Command {
	s := &comparing{settings: *defaults(sys), confidence: 0.99}
	cmd := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Compare results, and say which differences are more than chance",
		Long: `Compare two results in JSON (of --output-format json or json+), or the runs of one
with the first of them. A#NAME is the run of that name in A.

Each latency has a confidence interval of its change by bootstrap, which knows
that latencies of one moment resemble each other.`,
		Example: `  blksim diff before.json after.json
  blksim diff compared.json
  blksim diff --threshold 'p(99)<+5%' 'all.json#nvme' 'all.json#nvme,callback=off'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usagef("diff: %d results: want one or two", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.diff(args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd, option.Table{{Title: "Comparison", Rows: []option.Row{
		{Name: "confidence", Value: option.Float(&s.confidence), Usage: "of the interval of each row, 0.5 to 0.9999"},
		{Name: "percentile-list", Value: option.Parsed(&s.percentiles, "p:p:...", report.ParsePercentiles, report.FormatPercentiles), Usage: "percentiles to compare, such as 50:99:99.99"},
		{Name: "threshold", Value: option.List(&s.names, "demand"), Usage: "exit with 99 if a change breaches it, such as p(99)<+5%, iops>-3%; repeat for more"},
		{Name: "seed", Value: option.Uint(&s.seed), Usage: "seed of the bootstrap"},
		{Name: "report", CommandOnly: true, Value: option.String(&s.report), Usage: "write charts of the runs, one over the other, to this HTML file, which opens offline"},
	}}, s.writeOptions()})
	return cmd
}

func newMerge(sys outfile.System) *cobra.Command {
	s := &comparing{settings: *defaults(sys)}
	s.outForm = "json"
	cmd := &cobra.Command{
		Use:   "merge RESULT...",
		Short: "Make one result of several, exactly",
		Long: `Make one result of several in JSON: of parts that ran side by side, or with
--sequence one after the other. Counts and histograms add up exactly, so the
percentiles are those of all I/Os together.`,
		Example: `  blksim merge part1.json part2.json > all.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("merge: no result: want at least one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.merge(args, cmd.OutOrStdout()) },
	}
	bind(cmd, option.Table{{Title: "Merging", Rows: []option.Row{
		{Name: "sequence", Value: option.Bool(&s.sequence), Usage: "the parts ran one after the other: their times add up"},
	}}, s.writeOptions()})
	return cmd
}

// writeOptions are where a result goes to.
func (s *settings) writeOptions() option.Group {
	return option.Group{Title: "Results", Rows: []option.Row{
		{Name: "output", CommandOnly: true, Value: option.String(&s.output), Usage: "write the result to this file instead of standard output"},
		{Name: "output-format", CommandOnly: true, Value: option.Enum(&s.outForm, "normal", "json"), Usage: "normal (a table) or json"},
		{Name: "no-color", CommandOnly: true, Value: option.Bool(&s.noColor), Usage: "no colours, also on a terminal (as with NO_COLOR in the environment)"},
	}}
}

// readResult reads the runs of "FILE" or the one of "FILE#NAME".
func readResult(arg string) (name string, runs []*report.Run, err error) {
	path := resultPath(arg)
	run, one := strings.CutPrefix(arg, path+"#")
	var in io.Reader = os.Stdin
	if path != stdin {
		f, err := os.Open(path)
		if err != nil {
			return path, nil, failed(exitInput, err)
		}
		defer f.Close()
		in = f
	}
	path = traceName(path)
	runs, err = report.Read(in)
	if err != nil {
		return path, nil, failed(exitInput, fmt.Errorf("%s: %w", path, err))
	}
	if !one {
		return path, runs, nil
	}
	i := slices.IndexFunc(runs, func(r *report.Run) bool { return r.Name == run })
	if i < 0 {
		return path, nil, failed(exitInput, fmt.Errorf("%s: no run %q: it has %s", path, run, runNames(runs)))
	}
	return path, runs[i : i+1], nil
}

// resultPath is the file of "FILE" or "FILE#NAME".
func resultPath(arg string) string {
	if _, err := os.Stat(arg); err == nil {
		return arg // a file with such a name
	}
	path, _, _ := strings.Cut(arg, "#")
	return path
}

func runNames(runs []*report.Run) string {
	var names []string
	for _, r := range runs {
		names = append(names, fmt.Sprintf("%q", r.Name))
	}
	return strings.Join(names, ", ")
}

// pairs are the runs to compare, with the names of their files.
func pairs(args []string) (base *report.Run, baseName string, others []*report.Run, otherName string, err error) {
	baseName, runs, err := readResult(args[0])
	if err != nil {
		return nil, "", nil, "", err
	}
	if len(args) == 1 {
		if len(runs) < 2 {
			return nil, "", nil, "", failed(exitUsage, fmt.Errorf("diff: %s has one run: want a second result", baseName))
		}
		return runs[0], baseName, runs[1:], baseName, nil
	}
	if len(runs) != 1 {
		return nil, "", nil, "", failed(exitUsage, fmt.Errorf("diff: %s has %d runs: want one of %s after a #", baseName, len(runs), runNames(runs)))
	}
	otherName, others, err = readResult(args[1])
	return runs[0], baseName, others, otherName, err
}

func (s *comparing) diff(args []string, stdout, stderr io.Writer) error {
	o := compare.Options{Percentiles: s.percentiles, Confidence: s.confidence, Seed: s.seed}
	if err := o.Validate(); err != nil {
		return failed(exitUsage, err)
	}
	demands, err := parseThresholds(s.names, true)
	if err != nil {
		return err
	}
	base, baseName, others, otherName, err := pairs(args)
	if err != nil {
		return err
	}
	var all []*compare.Comparison
	log := errorLog{stderr: stderr}
	for _, r := range others {
		all = append(all, compare.Runs(base, r, baseName, otherName, o))
		for _, d := range demands {
			log.add(failed(exitThreshold, d.CheckChange(base, r)))
		}
	}
	var b bytes.Buffer
	if s.outForm == "json" {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(all)
	} else {
		err = compare.WriteTable(&b, all, s.look(stdout).Color)
	}
	if err == nil {
		err = s.put(b.Bytes(), stdout)
	}
	log.decide(failed(exitOutput, err))
	log.decide(failed(exitOutput, s.writeReport(named(base, baseName, others, otherName))))
	return log.result()
}

// named are runs with names that tell them apart: that of their file too, where
// they have the same.
func named(base *report.Run, baseName string, others []*report.Run, otherName string) []*report.Run {
	runs := []*report.Run{base}
	inFile := func(r *report.Run, file string) *report.Run {
		c := *r
		c.Name = file + ": " + r.Name
		return &c
	}
	for _, r := range others {
		if r.Name == base.Name {
			runs[0], r = inFile(base, baseName), inFile(r, otherName)
		}
		runs = append(runs, r)
	}
	return runs
}

func (s *comparing) merge(args []string, stdout io.Writer) error {
	var all []*report.Run
	for _, arg := range args {
		_, runs, err := readResult(arg)
		if err != nil {
			return err
		}
		all = append(all, runs...)
	}
	run, err := report.Merge(all, s.sequence)
	if err != nil {
		return failed(exitInput, err)
	}
	if !run.Accounting.Balanced {
		err = failed(exitInternal, fmt.Errorf("merged: %s", strings.Join(run.Faults, "; ")))
	}
	if e := s.write([][]*report.Run{{run}}, stdout); e != nil {
		return failed(exitOutput, e)
	}
	return err
}

// parseThresholds reads demands; of a comparison with change set.
func parseThresholds(texts []string, change bool) ([]threshold.Threshold, error) {
	var all []threshold.Threshold
	for _, s := range texts {
		t, err := threshold.Parse(s, change)
		if err != nil {
			return nil, failed(exitUsage, err)
		}
		all = append(all, t)
	}
	return all, nil
}
