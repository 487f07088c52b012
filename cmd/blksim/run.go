package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"blksim/internal/load"
	"blksim/internal/option"
	"blksim/internal/outfile"
	"blksim/internal/report"
)

func newRun(sys outfile.System) *cobra.Command {
	s := defaults(sys)
	cmd := &cobra.Command{
		Use:   "run [JOBFILE]",
		Short: "Run a synthetic load, described with fio's words",
		Long: `Run a synthetic load through the whole stack: one job from the command line, or
the jobs of a job file in fio's format (- for standard input).

Options have fio's names and meanings; _ and - are alike. An option of fio that
blksim has not is refused, and not left out. A job with a rate is an open loop:
its latency counts from when each I/O was due, and how long it took from its
actual submit stands beside it. A job without is a closed loop.`,
		Example: `  blksim run --rw=randread --bs=4k --iodepth=32 --runtime=1s
  blksim run --rw=randrw --rate_iops=20k --rate_process=poisson --deadline=2ms --runtime=2s
  blksim run --rw=randwrite --size=64m --verify=crc32c --iodepth=8
  blksim run jobs.fio --device=sim:slow --output-format=json+`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("run: %d job files: want one, with a section for each job", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.supervised(); err != nil {
				return err
			}
			jobs, err := s.jobs(cmd.Flags(), args)
			if err != nil {
				return err
			}
			// The device may be the job file's, which cannot be read twice from standard input.
			if !slices.Contains(args, stdin) {
				if err := s.supervised(); err != nil {
					return err
				}
			}
			return loadAll(s, jobs, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd, s.runTable())
	return cmd
}

// jobs are the one of the command line, or those of a job file, whose options for
// the whole run the command line overrides.
func (s *settings) jobs(flags *pflag.FlagSet, args []string) ([]load.Job, error) {
	if len(args) == 0 {
		if err := s.job.Validate(); err != nil {
			return nil, failed(exitUsage, err)
		}
		return []load.Job{s.job}, nil
	}
	var global option.Table
	for _, g := range s.wholeRunTable() {
		for i := range g.Rows {
			if flags.Changed(g.Rows[i].Name) {
				g.Rows[i].Value = option.String(new(string)) // the flag counts
			}
		}
		global = append(global, g)
	}
	job := load.DefaultJob()
	for _, name := range job.Options().Names() {
		if flags.Lookup(name) != nil && flags.Changed(name) {
			return nil, usagef("run: --%s and a job file: the options of the jobs come from the file", name)
		}
	}
	var in io.Reader = os.Stdin
	if args[0] != stdin {
		f, err := os.Open(args[0])
		if err != nil {
			return nil, failed(exitInput, err)
		}
		defer f.Close()
		in = f
	}
	jobs, err := load.ParseFile(in, traceName(args[0]), load.Defaults{Job: job, Global: global})
	return jobs, failed(exitInput, err)
}

// loadAll runs the jobs in every variant.
func loadAll(s *settings, jobs []load.Job, stdout, stderr io.Writer) error {
	data, writes := false, ""
	for _, j := range jobs {
		data = data || j.Verify
		if j.Writes() {
			writes = fmt.Sprintf("job %s writes (rw=%s)", j.Name, j.Pattern.Text)
		}
		if s.readonly && j.Writes() {
			return usagef("run: readonly: job %s has rw=%s", j.Name, j.Pattern.Text)
		}
	}
	variants := s.variants()
	b, err := newBatch(s, len(variants), writes, stderr)
	if err != nil {
		return err
	}
	b.input("load "+load.Names(jobs), variants, func(v variant) (*report.Run, error) { return b.loadOne(jobs, data, v) })
	return b.finish(stdout)
}

// loadOne is one run of the jobs.
func (b *batch) loadOne(jobs []load.Job, data bool, v variant) (*report.Run, error) {
	rec, err := b.record()
	if err != nil {
		return nil, failed(exitOutput, err)
	}
	defer rec.abort()
	st, err := b.build(v, data, rec)
	if err != nil {
		return nil, err
	}
	where, err := regions(jobs, st.Disk.Limits().Capacity)
	if err == nil && !b.announce(st, where) {
		return nil, failed(exitDevice, st.Close())
	}
	ld := &load.Run{Group: st.Group, Disk: st.Disk, Lanes: st.Lanes, Jobs: jobs, Seed: b.seed, Data: st.Data, Used: b.disks != nil, Alloc: st.Alloc, Grace: b.grace,
		NoCancels: v.baseline, LateAfter: b.maxSlip.After, Watch: rec.Watch, Epoch: rec.begin(st)}
	defer b.intr.stops(ld)()
	progress := b.progress(v.name, func() state { return loadState(ld) })
	clones, runErr := ld.Do()
	progress.end()
	closeErr := leave(st, slices.ContainsFunc(clones, func(c *load.Clone) bool { return c.Result.Abandoned }))
	var mistake *load.JobError
	if errors.As(runErr, &mistake) {
		return nil, failed(exitUsage, fmt.Errorf("run: %w", runErr))
	}

	r := &report.Run{Name: v.name, Setup: b.setup(st, v)}
	r.Setup.Timing, r.Setup.Cancel = "load", ""
	r.Trace = report.Trace{Name: load.Names(jobs), Format: "load"}
	stopped := ld.Stopped()
	b.endedBy(r, runErr, stopped)
	stale := r.FillJobs(clones)
	b.settle(r, rec, st, stale)
	return r, loadVerdict(r, runErr, closeErr)
}

// loadVerdict turns what happened into an error with its exit code.
func loadVerdict(r *report.Run, runErr, closeErr error) error {
	switch v := r.Verify; {
	case runErr != nil:
		return failed(exitDevice, runErr)
	case closeErr != nil:
		return failed(exitDevice, closeErr)
	case !r.Accounting.Balanced:
		return failed(exitInternal, fmt.Errorf("%s: run %q: %s", r.Trace.Name, r.Name, strings.Join(r.Faults, "; ")))
	case v != nil && v.Bad > 0:
		return failed(exitDevice, fmt.Errorf("verify: %d of %d blocks are bad; %s", v.Bad, v.Checked, v.First[0]))
	}
	return failures(r)
}
