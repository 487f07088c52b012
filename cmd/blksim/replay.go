package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"blksim/internal/profile"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/internal/stack"
	"blksim/traces"
)

func newReplay() *cobra.Command {
	s := defaults()
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

// variant is one of the runs that are compared.
type variant struct {
	name     string
	driver   string
	baseline bool
}

// variants lists the runs of each trace.
func (s *settings) variants() []variant {
	drivers := s.drivers
	if len(drivers) == 0 {
		drivers = []string{""}
	}
	var vs []variant
	if s.baseline {
		vs = append(vs, variant{name: "no cancels", driver: drivers[0], baseline: true})
	}
	for _, d := range drivers {
		vs = append(vs, variant{name: d, driver: d})
	}
	return vs
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
	if _, err := s.stackSpec(""); err != nil {
		return failed(exitUsage, err)
	}
	b := &batch{settings: s, cfg: cfg, traces: topt, intr: catchInterrupts(os.Exit), log: errorLog{stderr: stderr}}
	defer b.intr.release()
	for _, path := range paths {
		b.trace(path, variants)
	}
	b.noteNotRun()
	if code := b.intr.code(); code != 0 {
		b.log.decide(failed(code, errors.New("interrupted: the result is partial")))
	}
	b.log.decide(failed(exitOutput, s.write(b.all, stdout)))
	return b.log.result()
}

// batch is the runs of one command.
type batch struct {
	*settings
	cfg    replay.Config
	traces traces.Options
	intr   *interrupts
	log    errorLog
	stop   bool // what is wrong is wrong with all runs

	all    [][]*report.Run // by trace
	notRun []string
}

// trace runs one trace in every variant.
func (b *batch) trace(path string, variants []variant) {
	var runs []*report.Run
	for i, v := range variants {
		if b.stop || b.intr.code() != 0 {
			b.skip(path, variants[i:], len(runs) == 0)
			break
		}
		r, err := b.replayOne(path, v)
		b.log.add(err)
		if r == nil {
			// The trace or the device could not be opened: nor can it next time.
			b.stop = codeOf(err) == exitUsage
			b.skip(path, variants[i:], len(runs) == 0)
			break
		}
		runs = append(runs, r)
	}
	if len(runs) > 0 {
		b.all = append(b.all, runs)
	}
}

// skip remembers variants of a trace that are not run; whole if none of it was.
func (b *batch) skip(path string, vs []variant, whole bool) {
	if whole {
		b.notRun = append(b.notRun, traceName(path))
		return
	}
	for _, v := range vs {
		b.notRun = append(b.notRun, fmt.Sprintf("%s (%s)", traceName(path), cmp.Or(v.name, "the device's driver")))
	}
}

// noteNotRun has the last result say what is not among the results.
func (b *batch) noteNotRun() {
	if len(b.all) > 0 && len(b.notRun) > 0 {
		runs := b.all[len(b.all)-1]
		last := runs[len(runs)-1]
		last.Odd = append(last.Odd, "not run: "+strings.Join(b.notRun, ", "))
	}
}

// replayOne is one run. It returns nil for the run if there is nothing to report.
func (b *batch) replayOne(path string, v variant) (*report.Run, error) {
	name, cfg := traceName(path), b.cfg
	rd, err := openTrace(path, b.traces)
	if err != nil {
		return nil, failed(exitInput, err)
	}
	defer rd.Close()
	spec, err := b.stackSpec(v.driver)
	if err != nil {
		return nil, failed(exitUsage, err)
	}
	st, err := stack.Build(spec)
	if err != nil {
		return nil, failed(buildCode(err), err)
	}
	if v.baseline {
		cfg.Deadline, cfg.CancelTrace, cfg.CancelChance = 0, false, 0
	}
	eng, err := replay.New(cfg, st.Group, st.Disk, st.Lanes, rd, name)
	if err != nil {
		return nil, failed(exitInternal, errors.Join(err, st.Close()))
	}
	defer b.intr.stops(eng.Stop)()
	progress := b.progress(b.log.stderr, v.name, &eng.Live, rd)
	res, runErr := eng.Run()
	progress.end()
	closeErr := st.Close()

	r := &report.Run{Name: v.name, Setup: b.setup(st, v, cfg)}
	if r.Name == "" {
		r.Name = st.Driver
	}
	r.Trace = report.Trace{Name: name, Format: rd.Format(), Why: rd.Why(), Volumes: rd.Volumes()}
	r.Odd = b.unusedOptions(rd.Format())
	if runErr == nil && !res.Stopped {
		runErr = failed(exitInput, b.noSuchVolume(name, rd))
	}
	switch {
	case runErr != nil:
		r.Error = runErr.Error()
	case res.Stopped:
		r.Error = "interrupted"
	}
	r.Fill(res, rd.Stats())
	account(r, st.Counts(), res.Context.StaleCompletes)
	r.Balance()
	return r, verdict(r, res, runErr, closeErr)
}

// buildCode is the exit code for a stack that could not be built.
func buildCode(err error) int {
	var mistake *stack.SpecError
	var inside *profile.Error
	switch {
	case errors.As(err, &mistake):
		return exitUsage
	case errors.As(err, &inside):
		return exitInput
	}
	return exitDevice
}

// setup describes a run.
func (s *settings) setup(st *stack.Stack, v variant, cfg replay.Config) report.Setup {
	lim := st.Disk.Limits()
	u := report.Setup{
		Device: st.Device, Driver: st.Driver, Capacity: lim.Capacity, BlockSize: lim.BlockSize,
		Queues: len(st.Lanes), QueueDepth: st.Disk.Depth(), Clock: "virtual",
		Timing: cfg.Timing.String(), TimeScale: cfg.TimeScale, IODepth: cfg.Limit(),
		DeadlineNs: int64(cfg.Deadline), Cancel: s.cancel, Seed: s.seed,
		Redirect: s.redirect, Order: s.order, OnError: s.onErr, Volume: s.volume,
	}
	if s.realtime {
		u.Clock = "real"
	}
	if v.baseline {
		u.Cancel = "none"
	}
	return u
}

// verdict turns what happened into an error with its exit code.
func verdict(r *report.Run, res *replay.Result, runErr, closeErr error) error {
	var coded *exitError
	var record *replay.RecordError
	var bad *traces.Error
	var broken *traces.StreamError
	switch {
	case errors.As(runErr, &coded):
		return runErr
	case errors.As(runErr, &record):
		advice := "--on-error=skip"
		if record.Beyond() {
			advice = "--size, --redirect=wrap or --on-error=skip"
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
	left := r.Accounting.Records.Rejected
	for _, n := range res.Skipped {
		left += n
	}
	switch left {
	case 0:
		return nil
	case 1:
		return failed(exitPartial, fmt.Errorf("%s: 1 bad record was left out (--on-error=skip)", r.Trace.Name))
	}
	return failed(exitPartial, fmt.Errorf("%s: %d bad records were left out (--on-error=skip)", r.Trace.Name, left))
}
