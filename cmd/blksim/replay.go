package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"blksim/internal/outfile"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/traces"
)

func newReplay(sys outfile.System) *cobra.Command {
	s := defaults(sys)
	cmd := &cobra.Command{
		Use:   "replay TRACE...",
		Short: "Replay traces through the whole stack",
		Long: `Replay traces (files, or - for standard input) through the asynchronous core,
the block layer, a driver and a device, and report throughput, latency by stage,
and what became of each request.

A simulated device runs in virtual time unless --realtime is given: the same
trace, options and seed give the same bytes of result. With several drivers, or
with --baseline, each trace is run once for each, and the results stand side by
side.`,
		Example: `  blksim replay traces/samples/oltp-mix.blk.gz
  blksim replay --device sim:slow --deadline 5ms --baseline \
      --driver nvme --driver nvme,callback=off traces/samples/oltp-mix.blk.gz
  blksim replay --output-format json --seed 7 trace.csv.gz`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("replay: no trace: want at least one file, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return replayAll(s, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd, s.replayTable())
	return cmd
}

// replayAll runs every trace in every variant and writes the results, also of
// runs that failed. Each failure is told as it comes; the first decides the exit
// code, unless the results cannot be written or the runs were interrupted.
func replayAll(s *settings, paths []string, stdout, stderr io.Writer) error {
	cfg, err := s.replayConfig()
	if err != nil {
		return failed(exitUsage, err)
	}
	topt, err := s.traceOptions()
	if err != nil {
		return failed(exitUsage, err)
	}
	variants := s.variants()
	if err := checkTraces(paths, len(variants)); err != nil {
		return err
	}
	b, err := newReplays(s, paths, len(variants), topt, stderr)
	if err != nil {
		return err
	}
	for _, path := range paths {
		b.input(traceName(path), variants, func(v variant) (*report.Run, error) { return b.replayOne(path, v, cfg, topt) })
	}
	return b.finish(stdout)
}

// replayOne is one run. It returns nil for the run if there is nothing to report.
func (b *batch) replayOne(path string, v variant, cfg replay.Config, topt traces.Options) (*report.Run, error) {
	name := traceName(path)
	rd, err := openTrace(path, topt)
	if err != nil {
		return nil, failed(exitInput, err)
	}
	defer rd.Close()
	rec, err := b.record()
	if err != nil {
		return nil, failed(exitOutput, err)
	}
	defer rec.abort()
	st, err := b.build(v, false, rec)
	if err != nil {
		return nil, err
	}
	if cfg, err = b.place(cfg, st, path, name); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if !b.announce(st, b.willReplay(path, name, cfg.Redirect)) {
		return nil, failed(exitDevice, st.Close())
	}
	if v.baseline {
		cfg.Deadline, cfg.CancelTrace, cfg.CancelChance = 0, false, 0
	}
	cfg.Watch, cfg.Epoch = rec.Watch(0), rec.begin(st)
	eng, err := replay.New(cfg, st.Group, st.Disk, st.Lanes, rd, name)
	if err != nil {
		return nil, failed(exitInternal, errors.Join(err, st.Close()))
	}
	defer b.intr.stops(eng)()
	size := rd.Stats().SizeHint // now: during the run the reader is not ours
	progress := b.progress(v.name, func() state { return replayState(&eng.Live, size) })
	res, runErr := eng.Run()
	progress.end()
	closeErr := leave(st, res.Abandoned)

	r := &report.Run{Name: v.name, Setup: b.setup(st, v)}
	r.Setup.Timing, r.Setup.TimeScale, r.Setup.IODepth = cfg.Timing.String(), cfg.TimeScale, cfg.Limit()
	r.Setup.DeadlineNs = int64(cfg.Deadline)
	r.Setup.Redirect, r.Setup.Order, r.Setup.OnError, r.Setup.Volume = cfg.Redirect.String(), b.order, b.onErr, b.volume
	r.Trace = report.Trace{Name: name, Format: rd.Format(), Why: rd.Why(), Volumes: rd.Volumes()}
	r.Odd = b.unusedOptions(rd.Format())
	if runErr == nil && !res.Stopped {
		runErr = failed(exitInput, b.noSuchVolume(name, rd))
	}
	b.endedBy(r, runErr, res.Stopped)
	r.Fill(res, rd.Stats())
	b.settle(r, rec, st, res.Context.StaleCompletes)
	return r, verdict(r, res, runErr, closeErr)
}

// verdict turns what happened into an error with its exit code.
func verdict(r *report.Run, res *replay.Result, runErr, closeErr error) error {
	var coded *exitError
	var record *replay.RecordError
	var bad *traces.Error
	var broken *traces.StreamError
	var stalled *replay.StalledError
	switch {
	case errors.As(runErr, &stalled):
		return failed(exitDevice, runErr)
	case errors.As(runErr, &coded):
		return runErr
	case errors.As(runErr, &record):
		advice := "--on-error=skip"
		if record.Beyond() {
			advice = "--size, --redirect=wrap, scale or offset:BYTES, or --on-error=skip"
		}
		return failed(exitInput, fmt.Errorf("%w; try %s", runErr, advice))
	case errors.Is(runErr, traces.ErrTruncated):
		return failed(exitPartial, runErr)
	case errors.As(runErr, &bad), errors.As(runErr, &broken):
		return failed(exitInput, runErr)
	case runErr != nil:
		return failed(exitDevice, runErr)
	case closeErr != nil:
		return failed(exitDevice, closeErr)
	case !r.Accounting.Balanced:
		return failed(exitInternal, fmt.Errorf("%s: run %q: %s", r.Trace.Name, r.Name, strings.Join(r.Faults, "; ")))
	}
	if err := failures(r); err != nil {
		return err
	}
	var left []string
	if n := r.Accounting.Records.Rejected; n > 0 {
		left = append(left, plural(n, "bad record", "bad records"))
	}
	for _, why := range slices.Sorted(maps.Keys(res.Skipped)) {
		left = append(left, plural(res.Skipped[why], "record", "records")+": "+why)
	}
	if len(left) == 0 {
		return nil
	}
	return failed(exitPartial, fmt.Errorf("%s: left out (--on-error=skip): %s", r.Trace.Name, strings.Join(left, "; ")))
}
