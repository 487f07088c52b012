package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

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
		Long: `Replay traces through the asynchronous core, the block layer, a driver and a
device, and report throughput, latency by stage, and what became of each request.

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
				return usagef("replay: no trace: want at least one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return replayAll(s, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd.Flags(), s.table())
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
		drivers = driversValue{""}
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
// runs that failed. The first failure decides the exit code.
func replayAll(s *settings, paths []string, stdout, stderr io.Writer) error {
	cfg, err := s.replayConfig()
	if err != nil {
		return failed(exitUsage, err)
	}
	topt, err := s.traceOptions()
	if err != nil {
		return failed(exitUsage, err)
	}
	intr := catchInterrupts()
	defer intr.release()
	var all [][]*report.Run
	var first error
	for _, path := range paths {
		var runs []*report.Run
		for _, v := range s.variants() {
			if intr.code() != 0 {
				break
			}
			r, err := s.replayOne(path, v, cfg, topt, intr, stderr)
			if r != nil {
				runs = append(runs, r)
			}
			if err != nil && first == nil {
				first = err
			}
			if r == nil {
				break // the trace or the device could not be opened: nor can it next time
			}
		}
		if len(runs) > 0 {
			all = append(all, runs)
		}
	}
	if err := s.write(all, stdout); err != nil {
		return failed(exitOutput, err)
	}
	if code := intr.code(); code != 0 {
		return failed(code, errors.New("interrupted: the result is partial"))
	}
	return first
}

// replayOne is one run. It returns nil for the run if there is nothing to report.
func (s *settings) replayOne(path string, v variant, cfg replay.Config, topt traces.Options, intr *interrupts, stderr io.Writer) (*report.Run, error) {
	rd, err := traces.Open(path, topt)
	if err != nil {
		return nil, failed(exitInput, err)
	}
	defer rd.Close()
	st, err := stack.Build(stack.Spec{
		Device: s.device, Profile: s.profile, Driver: v.driver, Capacity: int64(s.size),
		Queues: int(s.queues), QueueDepth: int(s.depth), Seed: s.seed, Realtime: s.realtime,
	})
	if err != nil {
		return nil, failed(exitDevice, err)
	}
	if v.baseline {
		cfg.Deadline, cfg.CancelTrace, cfg.CancelChance = 0, false, 0
	}
	eng, err := replay.New(cfg, st.Group, st.Disk, st.Lanes, rd, path)
	if err != nil {
		return nil, failed(exitInternal, errors.Join(err, st.Close()))
	}
	defer intr.stops(eng.Stop)()
	progress := s.progress(stderr, v.name, &eng.Live, rd)
	res, runErr := eng.Run()
	progress.end()

	r := &report.Run{Name: v.name, Setup: s.setup(st, v, cfg)}
	if r.Name == "" {
		r.Name = st.Driver
	}
	stats := rd.Stats()
	r.Trace = report.Trace{Name: path, Format: rd.Format(), Why: rd.Why(), Volumes: rd.Volumes()}
	r.Odd = append(r.Odd, stats.Notes...)
	for _, e := range stats.FirstErrors {
		if s.onErr.value == "skip" {
			r.Odd = append(r.Odd, "left out: "+e.Error())
		}
	}
	skipped := map[string]int64{}
	for _, k := range stats.Skipped {
		skipped[k.Reason] = k.Count
	}
	if runErr != nil {
		r.Partial, r.Error = true, runErr.Error()
	}
	r.Fill(res, skipped, stats.Rejected)
	closeErr := st.Account(r)
	r.Balance()
	return r, s.verdict(r, res, runErr, closeErr)
}

// setup describes a run.
func (s *settings) setup(st *stack.Stack, v variant, cfg replay.Config) report.Setup {
	lim := st.Disk.Limits()
	u := report.Setup{
		Device: st.Device, Driver: st.Driver, Capacity: lim.Capacity, BlockSize: lim.BlockSize,
		Queues: len(st.Lanes), QueueDepth: st.Disk.Depth(), Clock: "virtual",
		Timing: cfg.Timing.String(), TimeScale: cfg.TimeScale, IODepth: cfg.Limit(),
		DeadlineNs: int64(cfg.Deadline), Cancel: s.cancel, Seed: s.seed,
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
func (s *settings) verdict(r *report.Run, res *replay.Result, runErr, closeErr error) error {
	var record *replay.RecordError
	var bad *traces.Error
	var broken *traces.StreamError
	switch {
	case errors.As(runErr, &record):
		return failed(exitInput, fmt.Errorf("%w; try --size, --redirect=wrap or --on-error=skip", runErr))
	case errors.Is(runErr, traces.ErrTruncated):
		return failed(exitPartial, runErr)
	case errors.As(runErr, &bad), errors.As(runErr, &broken):
		return failed(exitInput, runErr)
	case runErr != nil:
		return failed(exitDevice, runErr)
	case closeErr != nil:
		return failed(exitDevice, closeErr)
	case !r.Accounting.Balanced:
		return failed(exitInternal, fmt.Errorf("the accounts of run %q do not balance: %s", r.Name, r.Odd[0]))
	}
	left := r.Accounting.Records.Rejected
	for _, n := range res.Skipped {
		left += n
	}
	if left > 0 {
		return failed(exitPartial, fmt.Errorf("%s: %d bad records were left out (--on-error=skip)", r.Trace.Name, left))
	}
	return nil
}

// write writes the results: a table for each trace, or one JSON value.
func (s *settings) write(all [][]*report.Run, stdout io.Writer) error {
	if len(all) == 0 {
		return nil
	}
	var b bytes.Buffer
	if s.outForm.value == "json" {
		var runs []*report.Run
		for _, rs := range all {
			runs = append(runs, rs...)
		}
		if err := report.WriteJSON(&b, runs); err != nil {
			return err
		}
	} else {
		for i, runs := range all {
			if i > 0 {
				b.WriteByte('\n')
			}
			if err := report.WriteTable(&b, runs); err != nil {
				return err
			}
		}
	}
	if s.output != "" {
		return writeFile(s.output, b.Bytes())
	}
	if _, err := stdout.Write(b.Bytes()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// writeFile replaces a file in one step: its old content stays until the new one
// is on the disk whole.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(dirOf(path), ".blksim-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
