package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"blksim/internal/option"
	"blksim/internal/outfile"
	"blksim/traces"
	"blksim/traces/summary"
)

func newTraceInfo() *cobra.Command {
	s := newReading()
	form := "normal"
	cmd := &cobra.Command{
		Use:   "info TRACE...",
		Short: "Say what is in a trace",
		Long: `Read traces (files, or - for standard input) to their end, and say what is in
them: records, sizes, footprint, rates and bursts, order of the addresses,
volumes, and what was recorded of latencies.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("trace info: no trace: want at least one file, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return traceInfo(&s, form, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd, option.Table{s.rows(), {Title: "The result", Rows: []option.Row{
		{Name: "output-format", Value: option.Enum(&form, "normal", "json"), Usage: "normal (a table) or json (a line for each trace)"},
	}}})
	return cmd
}

// traceInfo writes the summary of each trace, also of one that breaks off.
func traceInfo(s *reading, form string, paths []string, stdout, stderr io.Writer) error {
	topt, err := s.traceOptions()
	if err != nil {
		return failed(exitUsage, err)
	}
	if err := checkTraces(paths, 1); err != nil {
		return err
	}
	intr := catchInterrupts(os.Exit)
	defer intr.release()
	var stop atomic.Bool
	defer intr.stops(stopFunc(func() { stop.Store(true) }))()
	log := errorLog{stderr: stderr}
	for i, path := range paths {
		if stop.Load() {
			break
		}
		in, err := summarize(s, path, topt, &stop)
		log.add(err)
		if in == nil {
			continue
		}
		if err := writeInfo(stdout, in, form, i > 0); err != nil {
			log.decide(failed(exitOutput, fmt.Errorf("standard output: %w", outfile.WithoutPath(err))))
			break
		}
	}
	if code := intr.code(); code != 0 {
		log.decide(failed(code, errors.New("interrupted: the summary is partial")))
	}
	return log.result()
}

func writeInfo(w io.Writer, in *summary.Info, form string, more bool) error {
	if form == "json" {
		return json.NewEncoder(w).Encode(in)
	}
	if more {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	return in.WriteTable(w, terminalWidth(w))
}

// terminalWidth is that of the terminal that w is, or of a page.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// summarize reads a trace to its end.
func summarize(s *reading, path string, topt traces.Options, stop *atomic.Bool) (*summary.Info, error) {
	rd, err := openTrace(path, topt)
	if err != nil {
		return nil, failed(exitInput, err)
	}
	defer rd.Close()
	c := summary.New()
	recs := make([]traces.Record, 4096)
	var end error
	for !stop.Load() {
		n, err := rd.Read(recs)
		c.Add(recs[:n])
		if err != nil {
			end = err
			break
		}
	}
	in := c.Info(rd.Names())
	stats := rd.Stats()
	in.Name, in.Format, in.Why, in.Notes = rd.Name(), rd.Format(), rd.Why(), stats.Notes
	in.Records = summary.Records{In: stats.In, Taken: stats.Delivered, Rejected: stats.Rejected, Late: stats.OutOfOrder}
	for _, k := range stats.Skipped {
		if in.Records.Skipped == nil {
			in.Records.Skipped = map[string]int64{}
		}
		in.Records.Skipped[k.Reason] = k.Count
	}
	switch {
	case errors.Is(end, traces.ErrTruncated):
		return in, failed(exitPartial, end)
	case end != nil && end != io.EOF:
		return in, failed(exitInput, end)
	case stats.Rejected > 0:
		return in, failed(exitPartial, fmt.Errorf("%s: %d bad records were left out (--on-error=skip), the first: %w", rd.Name(), stats.Rejected, stats.FirstErrors[0]))
	}
	return in, failed(exitInput, s.noSuchVolume(traceName(path), rd))
}
