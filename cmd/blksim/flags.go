package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"blksim/internal/option"
)

// groupNote is the annotation of a flag that has the title of its group.
const groupNote = "blksim-group"

// bind makes a table's rows flags of cmd; - and _ are alike, and a name that is
// not there is refused with the nearest one that is.
func bind(cmd *cobra.Command, table option.Table) {
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if r := table.Find(name); r != nil {
			name = r.Name
		}
		return pflag.NormalizedName(option.Normal(name))
	})
	for _, g := range table {
		for _, r := range g.Rows {
			f := fs.VarPF(r.Value, r.Name, r.Short, r.Usage)
			f.Annotations = map[string][]string{groupNote: {g.Title}}
			kind := r.Value.Type()
			if kind == "bool" {
				f.NoOptDefVal = "true"
			}
			if strings.Contains(kind, "|") {
				// An error here would say that the flag is not defined: it just was.
				_ = cmd.RegisterFlagCompletionFunc(r.Name, cobra.FixedCompletions(strings.Split(kind, "|"), cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return failed(exitUsage, nearest(cmd.Name(), table, err))
	})
	cmd.SetUsageFunc(func(cmd *cobra.Command) error { return usage(cmd, table) })
}

// nearest adds to pflag's error of an unknown flag the nearest name of the table.
func nearest(command string, table option.Table, err error) error {
	const says = "unknown flag: --"
	name, unknown := strings.CutPrefix(err.Error(), says)
	if !unknown {
		return err
	}
	if near := option.Nearest(name, table.Names()); near != "" {
		return fmt.Errorf("%s: no option --%s: did you mean --%s?", command, name, near)
	}
	return fmt.Errorf("%s: no option --%s: see blksim help %s", command, name, command)
}

// usage writes how a command is called, with its options in their groups.
func usage(cmd *cobra.Command, table option.Table) error {
	w := cmd.OutOrStderr()
	fmt.Fprintf(w, "Usage:\n  %s\n", cmd.UseLine())
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	for _, g := range table {
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		fs.SortFlags = false
		for _, r := range g.Rows {
			fs.AddFlag(cmd.Flags().Lookup(r.Name))
		}
		fmt.Fprintf(w, "\n%s:\n%s", g.Title, fs.FlagUsagesWrapped(helpWidth))
	}
	_, err := fmt.Fprintf(w, "\n  -h, --help   this help\n")
	return err
}

// helpWidth is the width that help is wrapped to.
const helpWidth = 100
