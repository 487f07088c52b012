package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"blksim/aio"
	"blksim/internal/option"
	"blksim/sim/vopr"
)

// reproSettings are the options of repro.
type reproSettings struct {
	set     []string
	history bool
	shrink  bool
	seeds   uint64
}

func newRepro() *cobra.Command {
	s := reproSettings{seeds: 1}
	cmd := &cobra.Command{
		Use:   "repro SEED",
		Short: "Run one seed of the whole-stack simulation again",
		Long: `repro runs the whole stack (asynchronous core, block layer, driver, device) in
virtual time under the options and the workload that a seed draws, as the tests
of sim/vopr do with thousands of seeds, and checks every event, the data and the
accounts. It says what the run did, or what went wrong. The same seed runs the
same way every time.`,
		Example: "  blksim repro 17 --history\n  blksim repro 17 --set depth=1,cancels=100\n  blksim repro 1 --seeds 1000",
		Args:    oneArg("a seed"),
		RunE: func(cmd *cobra.Command, args []string) error {
			seed, err := strconv.ParseUint(args[0], 0, 64)
			if err != nil {
				return usagef("repro: seed %q: want a number, 0 or more", args[0])
			}
			return s.run(cmd.OutOrStdout(), seed)
		},
	}
	bind(cmd, option.Table{{Title: "Run", Rows: []option.Row{
		{Name: "set", Value: option.List(&s.set, "name=value"), Usage: "change what the seed draws; repeat, or separate by commas, for more"},
		{Name: "history", Value: option.Bool(&s.history), Usage: "print everything that happened, in order"},
		{Name: "shrink", Value: option.Bool(&s.shrink), Usage: "if it fails, look for the simplest options that fail"},
		{Name: "seeds", Value: option.Uint(&s.seeds), Usage: "run so many seeds, from SEED on, and stop at the first that fails"},
	}}})
	return cmd
}

func (s *reproSettings) run(w io.Writer, seed uint64) error {
	out := bufio.NewWriter(w)
	var failure *vopr.Failure
	for i := range s.seeds {
		o := vopr.Draw(seed + i)
		for _, set := range s.set {
			if err := o.Parse(set); err != nil {
				return failed(exitUsage, err)
			}
		}
		o.History = s.history
		rep, err := vopr.Run(o)
		if err != nil && !errors.As(err, &failure) {
			return failed(exitDevice, err)
		}
		if failure != nil && s.shrink {
			failure = vopr.Shrink(failure, shrinkTries, nil)
			rep = failure.Report
		}
		writeRun(out, rep)
		if failure != nil {
			break
		}
	}
	if err := out.Flush(); err != nil {
		return failed(exitOutput, err)
	}
	if failure != nil {
		return failed(exitInternal, failure)
	}
	return nil
}

// shrinkTries bounds the runs of a shrink; each takes about a millisecond.
const shrinkTries = 5000

// writeRun prints what one run did. A write error stays with w.
func writeRun(w *bufio.Writer, rep vopr.Report) {
	for _, line := range rep.History {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintf(w, "seed %d: %s\n", rep.Options.Seed, rep.Options.Describe())
	fmt.Fprintf(w, "    %d I/Os in %v:", rep.Submitted, rep.Time)
	for st, n := range rep.Ended {
		if n > 0 {
			fmt.Fprintf(w, " %d %v", n, aio.Status(st))
		}
	}
	fmt.Fprintf(w, " (%d never started); cancels: %d accepted, %d too late, %d not found; %d events, digest %016x\n",
		rep.Skipped, rep.Answers[aio.Accepted], rep.Answers[aio.TooLate], rep.Answers[aio.NotFound], rep.Events, rep.Digest)
}
