package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"blksim/driver/drivertest"
	"blksim/internal/catalog"
	"blksim/internal/option"
	"blksim/internal/scaffold"
)

func newDrivers() *cobra.Command {
	return &cobra.Command{
		Use:   "drivers",
		Short: "List the block drivers that come with blksim",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, d := range catalog.Drivers() {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-22s %s\n", d.Name, d.About); err != nil {
					return failed(exitOutput, err)
				}
			}
			return nil
		},
	}
}

func newNew() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Write the beginning of something of your own",
		Args: func(_ *cobra.Command, args []string) error {
			return usagef("new %s: want blksim new driver NAME", strings.Join(args, " "))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNewDriver())
	return cmd
}

func newNewDriver() *cobra.Command {
	var o scaffold.Options
	cmd := &cobra.Command{
		Use:   "driver NAME",
		Short: "Write a block driver to change: a module of its own that passes its tests",
		Long: `driver writes a new folder NAME with a module: a working block driver in under
60 lines, its conformance test, a fuzz target, a sample fault plan and a README.
NAME may be a path; its last part is the name of the driver.`,
		Example: "  blksim new driver ../mydisk --callback",
		Args:    oneArg("the name of the driver"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir = args[0]
			files, err := scaffold.Write(o)
			if err != nil {
				return failed(exitUsage, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: %s\nnext: cd %s && go test\n", o.Dir, strings.Join(files, ", "), o.Dir)
			return failed(exitOutput, err)
		},
	}
	bind(cmd, option.Table{{Title: "Driver", Rows: []option.Row{
		{Name: "callback", Value: option.Bool(&o.Callback), Usage: "with the cancel callback"},
		{Name: "blksim", Value: option.String(&o.Source), Usage: "folder of blksim's source (default: found from here, or where this program was built)"},
	}}})
	return cmd
}

// oneArg wants exactly one argument.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s: want %s", cmd.Name(), what)
		}
		return nil
	}
}

func newCheckDriver() *cobra.Command {
	var seeds uint
	var first uint64
	var only []string
	cmd := &cobra.Command{
		Use:   "check-driver NAME",
		Short: "Check a block driver against the driver contract, rule by rule",
		Long: `check-driver runs the conformance kit on a driver by its name (see blksim drivers)
and prints a verdict on each rule: pass, FAIL, not claimed (the driver does not
have what the rule is about), or not judged (a rule that this one builds on is
broken). For a rule that is broken it says what was seen, on which seed, with the
request's way through the driver. broken:RULE is a driver that breaks RULE.`,
		Example: "  blksim check-driver nvme\n  blksim check-driver broken:cancel-twice",
		Args:    oneArg("the name of a driver: see blksim drivers"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := catalog.Find(args[0])
			if err != nil {
				return failed(exitUsage, err)
			}
			o := d.Check
			if seeds > maxSeeds {
				return usagef("seeds %d: want at most %d", seeds, maxSeeds)
			}
			o.Seeds, o.First = int(seeds), first
			for _, r := range only {
				o.Rules = append(o.Rules, strings.Split(r, ",")...)
			}
			if err := o.Validate(); err != nil {
				return failed(exitUsage, err)
			}
			rep, err := drivertest.Examine(d.Open, o)
			if err != nil {
				return failed(exitDevice, err)
			}
			return writeVerdicts(cmd.OutOrStdout(), d, rep)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, d := range catalog.Drivers() {
				names = append(names, d.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	seeds, first = 200, 1
	bind(cmd, option.Table{{Title: "Check", Rows: []option.Row{
		{Name: "seeds", Value: option.Uint(&seeds), Usage: "on how many seeds; the costly rules take some of them"},
		{Name: "seed", Value: option.Uint(&first), Usage: "the first seed"},
		{Name: "rule", Value: option.List(&only, "rule"), Usage: "check this rule only; repeat, or separate by commas, for more"},
	}}})
	return cmd
}

// maxSeeds bounds what is meant as a check.
const maxSeeds = 1_000_000

// writeVerdicts prints the table of rules, and what is broken below it.
func writeVerdicts(w io.Writer, d catalog.Driver, rep drivertest.Report) error {
	var s strings.Builder
	fmt.Fprintf(&s, "driver   %s: %s\n\n%-18s %-12s %7s  %s\n", d.Name, d.About, "rule", "verdict", "seeds", "the contract")
	count := [4]int{}
	for _, r := range rep {
		count[r.Verdict]++
		fmt.Fprintf(&s, "%-18s %-12v %7d  %s\n", r.ID, r.Verdict, r.Seeds, r.Clause)
	}
	fmt.Fprintf(&s, "\n%d pass, %d fail, %d not claimed, %d not judged\n",
		count[drivertest.Pass], count[drivertest.Fail], count[drivertest.NotClaimed], count[drivertest.NotJudged])
	var broken []string
	for _, r := range rep {
		if r.Verdict != drivertest.Fail {
			continue
		}
		broken = append(broken, r.ID)
		fmt.Fprintf(&s, "\n%v\n    or: blksim check-driver %s --rule %s --seed %d --seeds 1\n", &drivertest.Failure{Result: r}, d.Name, r.ID, r.Finding.Seed)
	}
	if _, err := io.WriteString(w, s.String()); err != nil {
		return failed(exitOutput, err)
	}
	if len(broken) > 0 {
		slices.Sort(broken)
		return failed(exitDevice, fmt.Errorf("driver %s breaks the contract: %s", d.Name, strings.Join(broken, ", ")))
	}
	return nil
}
